"""Evidence of other tasks and of weights, controls and odd groups, built by hand from seeded rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from statistics import mean, quantiles, stdev
from typing import Any

import sample

from govern.dataset import Population
from govern.evidence import (
    OVERALL,
    UNKNOWN_NAME,
    Confusion,
    Counts,
    Curve,
    Evidence,
    Group,
    Interval,
    Measurement,
    Sampling,
    Subgroup,
)
from govern.explanations import Attribution, Attributions
from govern.metrics import CLASSES_METRICS, COUNT_METRICS, DERIVED_METRICS, METRICS, SCORE_METRICS
from govern.stats.intervals import newcombe, ratio, wilson
from govern.verdict import Sweep, SweepPoint, SweptQuestion

CLASSES = ("low", "middle", "high")


def bare(e: Evidence, task: str, **data: Any) -> Evidence:
    """`e` without its numbers, as a document of another task."""
    settings = {**e.settings, "data": {**e.settings["data"], "positive": None, "favourable": None, "threshold": None,
                                       "task": task, **data}}
    return replace(e, task=task, settings=settings, counts=(), measurements=(), curves=(),  # type: ignore[arg-type]
                   attributions=None, explanation=None, notes=("The task was given.",), declared={},
                   card={**e.card, "favourable_outcome": None})


def near(metric: str, value: float, half: float, **more: Any) -> Measurement:
    """A measurement with an interval of `half` on both sides."""
    return Measurement(metric, value, se=half / 2, transform="identity",
                       interval=Interval(value - half, value + half, 0.95, "normal"), **more)


def share(metric: str, x: int, n: int, **more: Any) -> Measurement:
    """A ratio of counts with Wilson's interval, undefined without rows."""
    if n == 0:
        return Measurement(metric, None, "undefined", "no rows to compute it from", numerator=x, denominator=n, **more)
    return Measurement(metric, x / n, numerator=x, denominator=n,
                       interval=Interval(*wilson(x, n, 0.025), 0.95, "wilson"), **more)


def multiclass(n: int = 1200, classes: Sequence[str] = CLASSES, favourable: str | None = None) -> Evidence:
    """A multiclass task: counts of each class against the rest, confusions, metrics over all classes."""
    draw = random.Random(3)
    rows = [(draw.choices(("women", "men", None), (5, 6, 0.2))[0], draw.randrange(len(classes))) for _ in range(n)]
    predicted = [c if draw.random() < (0.75 if sex == "men" else 0.6) else draw.randrange(len(classes))
                 for sex, c in rows]
    of = {OVERALL: list(range(n))} | {f"g{k}": [i for i, r in enumerate(rows) if r[0] == v]
                                      for k, v in enumerate(("men", "women", None), 1)}
    groups = [Group(OVERALL, (), (), n, 0, 0)]
    groups += [Group(f"g{k}", ("sex",), (v,), len(of[f"g{k}"]), 0, 0, status="ok" if v else "missing")
               for k, v in enumerate(("men", "women", None), 1)]
    counts, confusions, found = [], [], []
    for id, members in of.items():
        matrix = [[sum(rows[i][1] == a and predicted[i] == b for i in members) for b in range(len(classes))]
                  for a in range(len(classes))]
        confusions.append(Confusion(id, tuple(map(tuple, matrix))))
        right = sum(matrix[k][k] for k in range(len(classes)))
        found.append(share("multiclass_accuracy", right, len(members), group=id))
        found += [near(m, 0.61, 0.04, group=id) for m in CLASSES_METRICS]
        for k, label in enumerate(classes):
            tp = matrix[k][k]
            fn, fp = sum(matrix[k]) - tp, sum(row[k] for row in matrix) - tp
            counts.append(Counts(id, tp, fp, fn, len(members) - tp - fn - fp, tp + fp, label))
            found += [share(m, *(sum(getattr(counts[-1], c) for c in keys)
                                 for keys in (METRICS[m].numerator, METRICS[m].denominator)), group=id, label=label)
                      for m in COUNT_METRICS]
            found += [near(m, 0.8, 0.05, group=id, label=label) for m in ("f1_score", "roc_auc")]
    a, b = (found_of(found, "multiclass_accuracy", g) for g in ("g2", "g1"))
    found.append(Measurement("multiclass_accuracy", a - b, group="g2", reference="g1", compare="difference",
                             interval=Interval(a - b - 0.04, a - b + 0.04, 0.95, "newcombe")))
    for c, d in ((c, d) for c in counts for d in counts if (c.group, d.group) == ("g2", "g1") and c.label == d.label):
        found.append(compared(c, len(of["g2"]), d, len(of["g1"])))
    if favourable is not None:
        found += [Measurement(f"{d}_{k}", 0.31, features=("sex",), label=favourable)
                  for d in ("demographic_parity", "equalized_odds", "equal_opportunity")
                  for k in ("difference", "ratio")]
    found.append(Measurement("trivial_accuracy", 0.4))
    e = bare(sample.evidence(60), "multiclass", classes=list(classes), favourable=favourable, sensitive=["sex"])
    curves = tuple(Curve("roc", OVERALL, (0.0, 0.2, 1.0), (0.0, 0.7, 1.0), label=c) for c in classes)
    return replace(e, population=Population(n, n), groups=tuple(groups), counts=tuple(counts),
                   confusions=tuple(confusions), measurements=tuple(found), curves=curves,
                   attributions=contributions("probability", labels=classes),
                   explanation=sample.explanation(groups, label=classes[-1]))


def found_of(found: Sequence[Measurement], metric: str, group: str) -> float:
    """The value of a metric of a group."""
    value = next(m.value for m in found if m.metric == metric and m.group == group and m.label is None)
    assert value is not None
    return value


def compared(c: Counts, n: int, d: Counts, m: int) -> Measurement:
    """The ratio of two selection rates."""
    return Measurement("selection_rate", (c.selected / n) / (d.selected / m), group=c.group, reference=d.group,
                       compare="ratio", label=c.label,
                       interval=Interval(*ratio(c.selected, n, d.selected, m, 0.025), 0.95, "ratio"))


def regression(n: int = 900, unit: float = 10_000.0) -> Evidence:
    """A regression of numbers about as large as `unit`, predicted too low for women."""
    draw = random.Random(4)
    rows = []
    for _ in range(n):
        sex = draw.choices(("women", "men", None), (5, 6, 0.2))[0]
        y = unit * (3 + draw.gauss(0, 1))
        rows.append((sex, y, y + unit * draw.gauss(-0.4 if sex == "women" else 0.1, 0.5)))
    median = sorted(r[2] for r in rows)[n // 2]
    groups, found = [Group(OVERALL, (), (), n, 0, 0)], []
    for k, value in enumerate(("everyone", "men", "women", None)):
        mine = [r for r in rows if k == 0 or r[0] == value]
        id = f"g{k}" if k else OVERALL
        if k:
            groups.append(Group(id, ("sex",), (value,), len(mine), 0, 0, status="ok" if value else "missing"))
        gaps = [p - y for _, y, p in mine]
        found += [mean_of("mean_prediction", [p for _, _, p in mine], id), mean_of("mean_residual", gaps, id),
                  mean_of("mean_absolute_error", [abs(x) for x in gaps], id), near("r2_score", 0.71, 0.02, group=id),
                  near("root_mean_squared_error", 0.52 * unit, 0.02 * unit, group=id),
                  share("share_above_median", sum(p > median for _, _, p in mine), len(mine), group=id)]
        cuts = quantiles(gaps, n=20)
        found += [near(f"residual_p{q}", cuts[q // 5 - 1], 0.05 * unit, group=id) for q in (5, 25, 50, 75, 95)]
    gap = found_of(found, "mean_prediction", "g2") - found_of(found, "mean_prediction", "g1")
    found.append(near("mean_prediction", gap, 0.1 * unit, group="g2", reference="g1", compare="difference"))
    found.append(near("mean_prediction", abs(gap), 0.1 * unit, features=("sex",), compare="difference"))
    found.append(near("share_above_median", 0.2, 0.05, features=("sex",), compare="difference"))
    return replace(bare(sample.evidence(60), "regression", sensitive=["sex"]), population=Population(n, n),
                   groups=tuple(groups), measurements=tuple(found), attributions=contributions("number", unit),
                   explanation=sample.explanation(groups, unit))


def contributions(output: str, unit: float = 1.0, labels: Sequence[str] = ()) -> Attributions:
    """Attributions of everyone, in a task of several classes of each class besides."""
    every = []
    for i, f in enumerate(sample.FEATURES):
        size = unit * 0.42 / (1 + i)
        every.append(Attribution(f, OVERALL, 900, size, 0.01 * unit, 0.0 if labels else size / 3,
                                 None if labels or i == 1 else 0.7, size - 0.0196 * unit, size + 0.0196 * unit))
        every += [Attribution(f, OVERALL, 900, size * (1 + k) / 3, 0.01 * unit, size / 7,
                              None if i == 1 else (-1) ** k * 0.6, label=label) for k, label in enumerate(labels)]
    return Attributions(
        "permutations", output, 900, 30, "rows of a sample of the data", 0, None if labels else 1.23 * unit, 2.2e-16,
        False, tuple(every), tuple(0.1 * (1 + k) for k in range(len(labels))), error=0.0417, settled=0,
        stopped="evaluations", evaluations=270_000, stability=0.84, stability_over="backgrounds")


def mean_of(metric: str, values: Sequence[float], group: str) -> Measurement:
    """A mean with its normal interval."""
    return near(metric, mean(values), 2 * stdev(values) / len(values) ** 0.5, group=group)


def all_metrics(e: Evidence) -> Evidence:
    """`e` with every count, derived and score metric of everyone, and disparities of issue 3."""
    known = {m.metric for m in e.measurements if m.group == OVERALL and m.compare is None}
    more = [near(m, 0.42, 0.02) for m in (*SCORE_METRICS, *DERIVED_METRICS) if m not in known]
    for k in e.feature_groups:
        more += [Measurement(f"predictive_parity_{kind}", 0.2, features=k) for kind in ("difference", "ratio")]
        more.append(Measurement("between_group_variance", 0.0123, features=k))
    best, worst = e.feature_groups["age",][2], e.feature_groups["age",][0]
    more.append(Measurement("four_fifths_shortfall", 58, group=worst.id, reference=best.id, compare="difference"))
    return replace(e, measurements=(*e.measurements, *more))


def weighted(e: Evidence) -> Evidence:
    """`e` as if its rows had weights of 2.5 in all cells and repeated persons."""
    counts = tuple(replace(c, sampling=Sampling(2.5 * c.tp, 2.5 * c.fp, 2.5 * c.fn, 2.5 * c.tn, (1.0,) * 10))
                   for c in e.counts)
    found = tuple(replace(m, numerator=2.5 * m.numerator, denominator=2.5 * m.denominator,
                          effective=0.5 * m.denominator)
                  if m.numerator is not None and m.denominator is not None and m.compare is None else m
                  for m in e.measurements)
    settings = {**e.settings, "data": {**e.settings["data"], "weight": "survey_weight", "cluster": "person"}}
    return replace(e, counts=counts, measurements=found, settings=settings)


def controlled(e: Evidence) -> Evidence:
    """`e` with the groups of sex within two regions and their adjusted comparison."""
    groups, counts, found = list(e.groups), list(e.counts), list(e.measurements)
    big = max((g for g in e.feature_groups["sex",] if not g.missing), key=lambda g: g.n)
    for level in ("north", "south"):
        for g in e.feature_groups["sex",]:
            id = f"g{len(groups)}"
            c = e.counts_by_group[g.id]
            half = Counts(id, c.tp // 2, c.fp // 2, c.fn // 2, c.tn // 2, c.fn // 2 + c.tn // 2)
            n = half.tp + half.fp + half.fn + half.tn
            groups.append(replace(g, id=id, n=n, within=(("region", level),)))
            counts.append(half)
            found.append(share("selection_rate", half.selected, n, group=id))
    for g in e.feature_groups["sex",]:
        if g.id != big.id and not g.missing:
            found += [near("selection_rate", v, 0.01, group=g.id, reference=big.id, compare=k,  # type: ignore[arg-type]
                           slice="adjusted: region") for k, v in (("difference", -0.031), ("ratio", 0.951))]
    return replace(e, groups=tuple(groups), counts=tuple(counts), measurements=tuple(found))


def odd_groups(e: Evidence) -> Evidence:
    """`e` with an unknown, an unseen, an empty and a one-class group of age."""
    template = e.feature_groups["age",][0]
    groups, counts, found = list(e.groups), list(e.counts), list(e.measurements)
    for status, value, cells in (("unknown", UNKNOWN_NAME, (3, 4, 5, 6)), ("unseen", "17", (4, 4, 4, 40)),
                                 ("empty", "99 or more", (0, 0, 0, 0)), ("one_class", "80–98", (0, 11, 0, 30))):
        id = f"g{len(groups)}"
        c = Counts(id, *cells, selected=cells[2] + cells[3])
        groups.append(replace(template, id=id, values=(value,), n=sum(cells), n_positive=c.tp + c.fn, n_favourable=0,
                              status=status))  # type: ignore[arg-type]
        counts.append(c)
        found += [share(m, *(sum(c.selected if k == "selected" else getattr(c, k) for k in keys)
                             for keys in (METRICS[m].numerator, METRICS[m].denominator)), group=id)
                  for m in COUNT_METRICS]
    return replace(e, groups=tuple(groups), counts=tuple(counts), measurements=tuple(found))


def with_curves(e: Evidence) -> Evidence:
    """`e` with curves of everyone and of the groups of single features."""
    curves = [Curve("precision_recall", OVERALL, (0.0, 0.5, 1.0), (1.0, 0.6, 0.2))]
    for g in e.groups:
        if len(g.features) == 1 and g.n > 30:
            curve = [min(1.0, (i / 100) ** (0.3 + len(g.name) / 40)) for i in range(101)]
            curves.append(Curve("roc", g.id, tuple(i / 100 for i in range(101)), tuple(curve)))
            curves.append(Curve("calibration", g.id, (0.1, 0.3, 0.6), (0.12, 0.25, 0.66), (50, 50, 50)))
    return replace(e, curves=(*e.curves, *curves))


def with_subgroups(e: Evidence, n: int = 9) -> Evidence:
    """`e` with findings of the exploratory search."""
    interval = Interval(*newcombe(200, 400, 780, 1000, 0.025), 0.95, "newcombe")
    found = tuple(Subgroup(("sex", "pay_0"), ("women", f"{i}"), 400 - i, "selection_rate", 0.5 + i / 100, 0.78, 1e-9,
                           4e-8 * (i + 1), interval, covers=i % 3) for i in range(n))
    return replace(e, subgroups=found)


def sweep(in_force: float = 0.25, points: int = 41) -> Sweep:
    """A sweep in which thresholds from .3 to .4 meet the policy."""
    made = []
    for i in range(points):
        at = round(0.05 + 0.9 * i / (points - 1), 4)
        good = 0.3 <= at <= 0.4
        outcomes = ("pass", "pass") if good else ("fail", "insufficient")
        made.append(SweepPoint(at, "PASS" if good else "BLOCK", outcomes, 0.8 - abs(at - 0.25), at))  # type: ignore[arg-type]
    made.append(SweepPoint(in_force, "BLOCK", ("fail", "pass"), 0.8, 0.7))
    made.sort(key=lambda p: p.threshold)
    meets = tuple(p.threshold for p in made if p.outcome == "PASS")
    questions = (SweptQuestion("HC-02", "house-credit", "selection_rate", ("age",)),
                 SweptQuestion("BASE-09", "baseline", "true_positive_rate", ("sex",)))
    return Sweep("accuracy", in_force, questions, tuple(made), meets, meets[0] if meets else None, ("left out: HC-07",))


def everything() -> Evidence:
    """The binary evidence with all that issue 3 may add to it."""
    return with_subgroups(with_curves(controlled(odd_groups(all_metrics(sample.evidence())))))
