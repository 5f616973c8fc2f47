"""Disparities over all groups are fairlearn's by name, name what they leave out, and their intervals cover."""

from __future__ import annotations

import re
import warnings
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import fairlearn.metrics as fm
import numpy as np
import pytest
import sklearn.metrics as sk
from counting import Of, measured

from govern.evidence import Counts, Group, Interval, Measurement
from govern.measure.disparities import _largest_gap, _smallest_ratio, disparities
from govern.measure.group_extremes import EXTREMES, extremes, shortfalls
from govern.measure.rates import rates
from govern.metrics import METRICS
from govern.stats.bca import bca
from govern.stats.means import Share, difference_bounds, ratio_bounds

WHO = ("who",)
DOCUMENT = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")


def found_of(groups: list[Group], of: Of, *, favourable: bool = True) -> dict[str, Measurement]:
    """Everything measured over the groups, by metric."""
    values = list(rates(list(of.values()), favourable_is_positive=favourable))
    over = [*disparities({WHO: groups}, of, favourable_is_positive=favourable), *extremes({WHO: groups}, values)]
    assert len({m.metric for m in over}) == len(over)
    return {m.metric: m for m in over}


def where(name: str) -> tuple[str, str, str]:
    """What the document says of one of fairlearn's names: "1 − " or nothing, the measurement, of what."""
    match = re.search(rf"^\| `{name}` \| (1 − )?([^|]+) \| ([^|]*) ?\|$", DOCUMENT, re.MULTILINE)
    assert match is not None, f"docs/statistics.md does not say where {name} is"
    return match[1] or "", match[2].strip().strip("`"), match[3].strip()


def data(seed: int, n: int = 900) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    who = rng.choice(["a", "b", "c", "d"], n, p=[0.4, 0.3, 0.2, 0.1])
    y = (rng.random(n) < 0.4).astype(int)
    score = np.clip(0.4 * y + rng.random(n) * 0.7, 0.01, 0.99)
    return who, y, (score > 0.5).astype(int), score, rng.gamma(2, 1, n)


@pytest.mark.parametrize("name", [n for n in fm.__all__ if n not in (
    "MetricFrame", "make_derived_metric", "plot_model_comparison", "plot_roc_curve_by_group", "mean_prediction")])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_name_of_fairlearn_is_found_where_the_document_says(name: str, weighted: bool) -> None:
    who, y, pred, score, w = data(3)
    groups, of = measured(list(who), y, pred, w if weighted else None)
    complement, metric, place = where(name)
    weights = {"sample_weight": w} if weighted else {}
    function = getattr(fm, name)
    if place.startswith("each group"):
        found = {(m.metric, m.group): m.value for m in rates(list(of.values()), favourable_is_positive=True)}
        for g in groups:
            rows = who == g.name
            own = {k: v[rows] for k, v in weights.items()} if name != "count" else {}
            assert (g.n if name == "count" else found[metric, g.id]) == pytest.approx(
                function(y[rows], pred[rows], **own), abs=1e-12)
        return
    values = list(rates(list(of.values()), favourable_is_positive=True))
    for g in groups:  # the score metrics and errors come from elsewhere: here from scikit-learn
        rows = who == g.name
        own = {k: v[rows] for k, v in weights.items()}
        values += [Measurement(m, float(f(y[rows], x[rows], **own)), group=g.id) for m, f, x in (
            ("roc_auc", sk.roc_auc_score, score), ("log_loss", sk.log_loss, score), ("r2_score", sk.r2_score, score),
            ("mean_absolute_error", sk.mean_absolute_error, score),
            ("mean_squared_error", sk.mean_squared_error, score))]
    over = [*disparities({WHO: groups}, of, favourable_is_positive=True), *extremes({WHO: groups}, values)]
    seen = {m.metric: m for m in over}[metric]
    assert seen.features == WHO and metric in METRICS and seen.value is not None
    scored = name.startswith(("roc_auc", "log_loss", "mean_", "r2"))
    expected = function(y, score if scored else pred, sensitive_features=who, **weights)
    assert (1 - seen.value if complement else seen.value) == pytest.approx(expected, abs=1e-12)


def test_document_names_all_of_fairlearn_and_all_that_is_measured() -> None:
    assert [where(name)[1] for name in fm.__all__]
    who, y, pred, _, _ = data(0)
    groups, of = measured(list(who), y, pred)
    assert {m for m in found_of(groups, of) if m not in METRICS} == set()
    assert set(EXTREMES) <= set(METRICS)


@pytest.mark.parametrize("seed", range(20))
def test_counts_give_fairlearns_frame_to_the_last_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 9))
    cells = rng.integers(1, 10 ** rng.integers(1, 7, (k, 1)), (k, 4)).tolist()
    of = {(f"g{i}", None): Counts(f"g{i}", *c, c[0] + c[1]) for i, c in enumerate(cells)}
    groups = [Group(f"g{i}", WHO, (str(i),), sum(c), c[0] + c[2], c[0] + c[2]) for i, c in enumerate(cells)]
    y, p = np.tile([1, 0, 1, 0], k), np.tile([1, 1, 0, 0], k)
    who, n = np.repeat(np.arange(k), 4), np.ravel(cells)
    found = found_of(groups, of)
    for name, function in (("demographic_parity", fm.selection_rate), ("equal_opportunity", fm.true_positive_rate),
                           ("false_positive_rate", fm.false_positive_rate)):
        frame = fm.MetricFrame(metrics=function, y_true=y, y_pred=p, sensitive_features=who,
                               sample_params={"sample_weight": n})
        assert (found[f"{name}_difference"].value, found[f"{name}_ratio"].value) == (frame.difference(), frame.ratio())


@pytest.mark.parametrize("favourable", [False, True])
def test_selection_and_predictive_parity(favourable: bool) -> None:
    who, y, pred, _, w = data(5)
    groups, of = measured(list(who), y, pred, w, favourable_is_positive=favourable)
    found = found_of(groups, of, favourable=favourable)
    for name, function in (("demographic_parity", lambda t, p, **k: fm.selection_rate(t, p, pos_label=favourable, **k)),
                           ("predictive_parity", sk.precision_score)):
        frame = fm.MetricFrame(metrics=function, y_true=y, y_pred=pred, sensitive_features=who,
                               sample_params={"sample_weight": w})
        assert found[f"{name}_difference"].value == pytest.approx(frame.difference(), abs=1e-12)
        assert found[f"{name}_ratio"].value == pytest.approx(frame.ratio(), abs=1e-12)


def test_order_and_names_of_groups_change_no_bit() -> None:
    who, y, pred, _, w = data(6)
    groups, of = measured(list(who), y, pred, w)
    new = dict(zip("abcd", "zyxw", strict=True))
    order = np.random.default_rng(0).permutation(len(y))
    for renamed, rows in (([new[v] for v in who], np.arange(len(y))), (list(who[order]), order)):
        again, of_again = measured(renamed, y[rows], pred[rows], None)
        base, plain = measured(list(who), y, pred, None)
        one, two = found_of(base, plain), found_of(again, of_again)
        assert {k: (m.value, m.interval) for k, m in one.items()} == {k: (m.value, m.interval) for k, m in two.items()}
    turned = found_of(groups[::-1], of)
    for k, m in found_of(groups, of).items():
        assert (m.value, m.interval, m.se) == (turned[k].value, turned[k].interval, turned[k].se), k


def test_undefined_groups_are_named_where_fairlearn_says_zero() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert fm.true_positive_rate([0, 0, 0, 0], [1, 0, 0, 0], pos_label=1) == 0.0
    groups, of = measured(list("aaaabbbbcc"), [1, 0, 1, 0, 1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 1, 1, 0, 0, 1, 0])
    found = found_of(groups, of)
    opportunity = found["equal_opportunity_difference"]
    assert (opportunity.value, opportunity.reason) == (0.5, "without c: true positive rate undefined there")
    assert found["recall_score_group_min"].reason == "in a; without c: undefined there"
    assert "without c: " in (found["equalized_odds_difference"].reason or "")
    two, of_two = measured(list("aaaabb"), [1, 0, 1, 0, 0, 0], [1, 0, 0, 0, 1, 0])
    assert found_of(two, of_two)["equal_opportunity_difference"].status == "undefined"


def test_one_group_compares_nothing_and_nobody_selected_has_no_ratio() -> None:
    alone = found_of(*measured(["a"] * 4, [1, 0, 1, 0], [1, 0, 0, 0]))
    assert {m.status for k, m in alone.items() if not k.endswith(("_min", "_max"))} == {"undefined"}
    none = found_of(*measured(list("aabb"), [1, 0, 1, 0], [0, 0, 0, 0]))
    assert none["demographic_parity_difference"].value == 0.0
    assert (none["demographic_parity_ratio"].value, none["demographic_parity_ratio"].reason) == (
        None, "the largest rate is 0")
    assert none["precision_score_group_min"].status == "undefined"


def test_missing_and_empty_groups_stay_outside() -> None:
    groups, of = measured(["a", "a", "b", "b", None, None], [1, 0, 1, 0, 1, 0], [1, 0, 1, 0, 0, 0])
    groups.append(Group("g4", WHO, ("nobody",), 0, 0, 0))
    of["g4", None] = Counts("g4", 0, 0, 0, 0, 0)
    found = found_of(groups, of)
    assert found["demographic_parity_difference"].value == 0.0
    assert found["accuracy_score_group_min"].value == 1.0
    assert {m.group for m in shortfalls({WHO: groups}, of, favourable_is_positive=True)} <= {"g1", "g2"}


@pytest.mark.parametrize("true", [[0.5, 0.5, 0.5], [0.5, 0.4, 0.3]])
def test_intervals_cover_the_truth(true: list[float]) -> None:
    """At most 5 % of seeded samples miss the true largest gap or smallest ratio (a bootstrap misses 0 always)."""
    rng = np.random.default_rng(11)
    gap, least = max(true) - min(true), min(true) / max(true)
    missed = {"difference": 0, "ratio": 0}
    runs = 200
    for _ in range(runs):
        x = [int(rng.binomial(300, p)) for p in true]
        pairs = [((a, 300), (b, 300)) for a, b in permutations(x, 2)]
        one, two = _largest_gap(pairs), _smallest_ratio(pairs)
        missed["difference"] += not one.low - 1e-12 <= gap <= one.high
        missed["ratio"] += not two.low <= least <= two.high + 1e-12
        assert one.low <= (max(x) - min(x)) / 300 <= one.high and two.low <= min(x) / max(x) <= two.high
    assert max(missed.values()) <= 0.05 * runs


@pytest.mark.parametrize("seed", range(10))
def test_interval_is_the_best_of_the_pairs_own(seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples = [(int(rng.integers(0, n + 1)), int(n)) for n in rng.integers(1, 80, 5)]
    pairs = list(permutations(samples, 2))
    gap, few = _largest_gap(pairs), 0.025 / len(pairs)
    of = [(Share(*a), Share(*b)) for a, b in pairs]
    assert gap == Interval.reading(max(0.0, max(difference_bounds(a, b, few)[0] for a, b in of)),
                                   max(difference_bounds(a, b, 0.025)[1] for a, b in of), 0.95, gap.method)
    least = _smallest_ratio(pairs)
    best = Interval.reading(min(ratio_bounds(a, b, 0.025)[0] for a, b in of if b.x),
                            min(1.0, *(ratio_bounds(a, b, few)[1] for a, b in of if b.x)), 0.95, least.method)
    assert (least.low, least.high) == pytest.approx((best.low, best.high), abs=1e-9)


def variance_of(selected: list[int], n: int) -> Measurement:
    groups = [Group(f"g{i}", WHO, (str(i),), n, 0, 0) for i in range(len(selected))]
    of: Of = {(g.id, None): Counts(g.id, 0, x, 0, n - x, x) for g, x in zip(groups, selected, strict=True)}
    found: Any = list(disparities({WHO: groups}, of, favourable_is_positive=True))
    return next(m for m in found if m.metric == "between_group_variance")


def test_a_bootstrap_of_the_variance_between_groups_would_miss_equal_groups() -> None:
    """Two groups of 200 at one rate, nominal 95 %: a BCa interval lies wholly below the true 0 in a fifth of samples,
    the stored one never does."""
    rng, runs, n = np.random.default_rng(3), 200, 200

    def corrected(x: Any) -> Any:
        p = x / n
        return ((p - p.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1) - (p * (1 - p) / (n - 1)).mean(axis=-1)

    missed = np.zeros(2)
    for _ in range(runs):
        x = rng.binomial(n, 0.3, 2)
        # Without one of ten equal parts of each group, as rows in any order make them.
        parts = np.stack([rng.multivariate_hypergeometric([v, n - v], n // 10, 40)[:, 0] for v in x], axis=1)
        without = np.concatenate([corrected((x - parts * own) * (1 + own / 9)) for own in (np.array([1, 0]),
                                                                                         np.array([0, 1]))])
        ends, _ = bca(float(corrected(x)), corrected(rng.binomial(n, x / n, (800, 2))), without, 0.025)
        stored = variance_of([int(v) for v in x], n).interval
        assert stored is not None and stored.high is not None
        missed += (ends is not None and ends[1] < 0), stored.high < 0
    assert missed[0] > 0.12 * runs and missed[1] == 0


def test_between_group_variance_by_hand_and_without_bias() -> None:
    m = variance_of([40, 50, 60], 100)
    chance = (0.24 + 0.25 + 0.24) / 99 / 3
    assert m.value == pytest.approx(0.01 - chance, abs=1e-15)
    # The standard error by matrices: 4 pᵀAVAp + 2 tr(AVAV).
    p, a = np.array([0.4, 0.5, 0.6]), (np.eye(3) - 1 / 3) / 2
    v = np.diag([(x + 0.5) * (100.5 - x) / (101**2 * 100) for x in (40, 50, 60)])
    assert m.se == pytest.approx(np.sqrt(4 * p @ a @ v @ a @ p + 2 * np.trace(a @ v @ a @ v)), rel=1e-12)
    nothing = variance_of([50, 50, 50], 100)
    assert (nothing.value, nothing.reason) == (0.0, "chance alone explains more than was seen: given as 0")
    assert nothing.interval is not None and nothing.interval.low == 0 < nothing.interval.high
    true, rng = np.array([0.2, 0.3, 0.5, 0.6]), np.random.default_rng(3)
    seen = [variance_of(rng.binomial(200, true).tolist(), 200) for _ in range(1000)]
    values, truth = [m.value or 0.0 for m in seen], float(np.var(true, ddof=1))
    assert np.mean(values) == pytest.approx(truth, abs=3 * np.std(values) / 1000**0.5)
    assert np.mean([m.se for m in seen]) == pytest.approx(np.std(values), rel=0.1)
    covered = [m.interval is not None and m.interval.low <= truth <= m.interval.high for m in seen]
    assert np.mean(covered) >= 0.93


def test_extreme_covers_and_names_its_group() -> None:
    who, y, pred, _, _ = data(2)
    found = found_of(*measured(list(who), y, pred))
    worst = min("abcd", key=lambda g: sk.f1_score(y[who == g], pred[who == g]))
    assert found["f1_score_group_min"].reason == f"in {worst}"
    rng, true = np.random.default_rng(6), [0.8, 0.8, 0.7, 0.9]
    hit = 0
    for _ in range(300):
        x = [int(rng.binomial(200, p)) for p in true]
        groups = [Group(f"g{i}", WHO, (str(i),), 200, 0, 0) for i in range(4)]
        of: Of = {(g.id, None): Counts(g.id, v, 200 - v, 0, 0, 200) for g, v in zip(groups, x, strict=True)}
        m = found_of(groups, of)["accuracy_score_group_min"]
        assert m.interval is not None
        hit += m.interval.low <= 0.7 <= m.interval.high
    assert hit >= 285


def shortfall(x: int, n: int, best_x: int, best_n: int) -> Measurement:
    groups = [Group("g1", WHO, ("few",), n, 0, 0), Group("g2", WHO, ("best",), best_n, 0, 0)]
    of: Of = {("g1", None): Counts("g1", 0, x, 0, n - x, x),
              ("g2", None): Counts("g2", 0, best_x, 0, best_n - best_x, best_x)}
    (m,) = shortfalls({WHO: groups}, of, favourable_is_positive=True)
    assert (m.group, m.reference) == ("g1", "g2")
    return m


def test_shortfall_is_the_smallest_number_that_reaches_four_fifths() -> None:
    assert shortfall(44, 100, 55, 100).value == 0  # exactly four fifths, though 0.44 / 0.55 < 0.8 in floats
    assert shortfall(43, 100, 55, 100).value == 1
    rng = np.random.default_rng(0)
    for _ in range(300):
        n, best_n = (int(v) for v in rng.integers(1, 60, 2))
        best_x = int(rng.integers(1, best_n + 1))
        x = int(rng.integers(0, n + 1))
        if Fraction(x, n) >= Fraction(best_x, best_n):
            continue
        k = next(k for k in range(n + 1) if 5 * (x + k) * best_n >= 4 * best_x * n)
        assert shortfall(x, n, best_x, best_n).value == k


def test_the_interval_of_the_shortfall_holds_the_persons_the_true_rates_ask_for() -> None:
    """Three groups, nominal 95 %; 1,500 samples."""
    rng, sizes, runs = np.random.default_rng(5), {"g1": 120, "g2": 300, "g3": 300}, 1500
    for true in ((0.30, 0.50, 0.50), (0.40, 0.50, 0.45), (0.02, 0.10, 0.10)):
        lacking, missed = max(0.0, 120 * (0.8 * max(true[1:]) - true[0])), 0
        for _ in range(runs):
            x = {g: int(rng.binomial(n, p)) for (g, n), p in zip(sizes.items(), true, strict=True)}
            groups = [Group(g, WHO, (g,), n, 0, 0) for g, n in sizes.items()]
            of: Of = {(g, None): Counts(g, 0, x[g], 0, n - x[g], x[g]) for g, n in sizes.items()}
            found = [m for m in shortfalls({WHO: groups}, of, favourable_is_positive=True) if m.group == "g1"]
            if found and found[0].value is not None and found[0].interval is not None:
                low, high = found[0].interval.low or 0.0, found[0].interval.high or 0.0
                assert low == int(low) and high == int(high) and low <= found[0].value <= high
                missed += not low - 1 < lacking <= high
        assert missed / runs <= 0.06


def test_one_selection_flip() -> None:
    """3 of 10 against 7 of 10: .43, moved to 4 of 10 against 6: .67; 5 of 10 against 7 moved to 6 and 6."""
    flip = "moving one selection between the groups changes the side of four fifths"
    assert shortfall(3, 10, 7, 10).reason is None
    assert shortfall(5, 10, 7, 10).reason == flip
    assert shortfall(8, 10, 10, 10).reason is None  # nobody is left in the best group to be selected besides
    assert shortfall(8, 10, 9, 10).reason == flip  # 7 of 10 against 10 of 10 is below
    assert shortfall(80, 100, 90, 100).reason is None


def test_shortfall_of_nobody_and_of_weights() -> None:
    groups, of = measured(list("aabb"), [1, 0, 1, 0], [0, 0, 0, 0])
    (m,) = shortfalls({WHO: groups}, of, favourable_is_positive=True)
    assert (m.value, m.status, m.reason) == (None, "undefined", "nobody is selected")
    assert list(shortfalls({WHO: groups}, of, favourable_is_positive=True, label="x")) == []
    w = np.array([1.0, 3.0, 2.0, 2.0])
    groups, of = measured(list("aabb"), [1, 0, 1, 0], [1, 0, 1, 0], w)
    (m,) = shortfalls({WHO: groups}, of, favourable_is_positive=True)
    assert (m.group, m.value, m.reason) == ("g1", pytest.approx(0.8 * 0.5 * 4 - 1), "in the unit of the weights")
