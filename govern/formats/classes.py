"""A multiclass task: classes one against the rest, the confusion matrix, and what each group is predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govern.errors import printable
from govern.evidence import OVERALL, Evidence, Group
from govern.formats.cells import Cell, Part, Table, cell, heads, row
from govern.formats.counted import positives, status_text
from govern.formats.curves import by_class
from govern.formats.judged import marked
from govern.formats.naming import metric_name, name_of, reading_level
from govern.formats.numbers import count
from govern.formats.strings import Strings
from govern.verdict import Verdict

MATRIX = 12
CLASSES = 20
BY_GROUP = 6
ONE_CLASS = ("true_positive_rate", "precision", "f1_score", "roc_auc")
WHOLE = ("multiclass_accuracy", "macro_f1", "macro_roc_auc")
RATES = ("selection_rate", "true_positive_rate")
Features = Mapping[tuple[str, ...], Sequence[Group]]


def classes_of(evidence: Evidence) -> list[str]:
    """The classes of a multiclass task in their order."""
    return [str(c) for c in evidence.settings.get("data", {}).get("classes") or ()]


def performance_parts(evidence: Evidence, t: Strings) -> list[Part]:
    """Each class against the rest, the confusion matrix, curves by class."""
    parts = [_one_against_rest(evidence, t), _matrix(evidence, t), by_class(evidence, _frequent(evidence), t)]
    return [p for p in parts if p is not None]


def _frequent(evidence: Evidence) -> list[str]:
    """The classes in their order if few, else those of most rows first."""
    of = evidence.counts_by_label
    known = [c for c in classes_of(evidence) if (OVERALL, c) in of]
    return known if len(known) <= BY_GROUP else sorted(known, key=lambda c: -positives(of[OVERALL, c]))


def _one_against_rest(evidence: Evidence, t: Strings) -> Part | None:
    of = evidence.counts_by_label
    known = [c for c in classes_of(evidence) if (OVERALL, c) in of]
    rows = []
    for label in sorted(known, key=lambda c: -positives(of[OVERALL, c]))[:CLASSES]:
        c = of[OVERALL, label]
        rows.append((printable(label, 60), count(positives(c)), count(c.tp + c.fp),
                     *(cell(evidence.find(m, label=label)) for m in ONE_CLASS)))
    if not rows:
        return None
    target = printable(evidence.settings.get("data", {}).get("target", ""))
    titles = [target, t("classes.true"), t("classes.predicted"), *(_title(m, t) for m in ONE_CLASS)]
    more = len(known) - CLASSES
    return Part(t("classes.one_rest"), t("classes.one_rest_note", level=reading_level(evidence)),
                (Table(heads(titles, ("w16", "w8", "w9")), tuple(rows), fine=True,
                       after=t("classes.more", n=more) if more > 0 else ""),))


def _title(metric: str, t: Strings) -> str:
    name = t(f"metric.{metric}") if t.has(f"metric.{metric}") else metric_name(metric, t)
    return t("unit.percent_of", metric=name) if metric in (*RATES, "precision", "multiclass_accuracy") else name


def _matrix(evidence: Evidence, t: Strings) -> Part | None:
    found = next((c for c in evidence.confusions if c.group == OVERALL), None)
    names = [printable(c, 24) for c in classes_of(evidence)]
    if found is None or len(names) != len(found.n):
        return None
    if len(names) > MATRIX:
        return Part(t("performance.confusion"), t("classes.matrix_large", n=len(names)))
    rows = tuple((name, *(count(x) for x in of), count(sum(of))) for name, of in zip(names, found.n, strict=True))
    total = (t("performance.total"), *(count(sum(of[i] for of in found.n)) for i in range(len(names))),
             count(sum(map(sum, found.n))))
    titles = [t("classes.true_label"), *(t("performance.predicted", label=n) for n in names), t("performance.total")]
    return Part(t("performance.confusion"), t("classes.matrix_note"),
                (Table(heads(titles, ("w16",)), (*rows, total), fine=len(names) > 5),))


def fairness_parts(evidence: Evidence, verdict: Verdict | None, asked: Features, t: Strings) -> list[Part | None]:
    """Metrics over all classes by group; without a favourable class also what each group is predicted."""
    parts: list[Part | None] = [_whole(evidence, verdict, asked, t)]
    if evidence.settings.get("data", {}).get("favourable") is None:
        parts += [_rates(evidence, verdict, asked, metric, t) for metric in RATES]
    return parts


def _whole(evidence: Evidence, verdict: Verdict | None, asked: Features, t: Strings) -> Part | None:
    metrics = [m for m in WHOLE if evidence.find(m) is not None]
    tables = []
    for features, groups in asked.items():
        rows = tuple(row(Cell(name_of(g, t), status_text(g, t)), count(g.n),
                      *(marked(evidence, verdict, features, m, g.id) for m in metrics)) for g in groups)
        titles = [printable(":".join(features)), t("fairness.rows"), *(_title(m, t) for m in metrics)]
        tables.append(Table(heads(titles, ("w30", "w10")), rows))
    return Part(t("classes.whole"), t("classes.whole_note", level=reading_level(evidence)), tuple(tables)) \
        if tables and metrics else None


def _rates(evidence: Evidence, verdict: Verdict | None, asked: Features, metric: str, t: Strings) -> Part | None:
    tables, cut = [], False
    for features, groups in asked.items():
        labels = _most_spread(evidence, groups, metric)
        cut = cut or len(labels) > BY_GROUP
        chosen = [c for c in classes_of(evidence) if c in labels[:BY_GROUP]]
        rows = tuple(row(name_of(g, t), count(g.n),
                      *(marked(evidence, verdict, features, metric, g.id, c, two_lines=True) for c in chosen))
                     for g in groups)
        titles = [printable(":".join(features)), t("fairness.rows"), *(printable(c, 40) for c in chosen)]
        tables.append(Table(heads(titles, ("w20", "w8")), rows, fine=True))
    if not tables or not any(len(table.heads) > 2 for table in tables):
        return None
    note = [t(f"classes.{metric}", target=printable(evidence.settings.get("data", {}).get("target", "")),
              level=reading_level(evidence)), *([t("classes.cut", n=BY_GROUP)] if cut else [])]
    return Part(t(f"classes.{metric}_title"), t.text(note), tuple(tables))


def _most_spread(evidence: Evidence, groups: Sequence[Group], metric: str) -> list[str]:
    """The classes in which the known groups of 30 rows or more lie furthest apart, the widest first."""
    spread = {}
    for label in classes_of(evidence):
        values = [m.value for g in groups if not g.missing and g.status != "tiny"
                  and (m := evidence.find(metric, g.id, label=label)) is not None and m.value is not None]
        if evidence.find(metric, label=label) is not None:
            spread[label] = max(values, default=0.0) - min(values, default=0.0)
    return sorted(spread, key=lambda c: -spread[c])
