"""Rates and disparities from counts equal fairlearn's on the rows, and say so where they are undefined."""

from __future__ import annotations

import warnings
from itertools import permutations

import fairlearn.metrics as fm
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_score

from govern.evidence import Counts, Group
from govern.measure.disparities import _largest_gap, _smallest_ratio, disparities
from govern.measure.rates import comparisons, counts_of, fraction, groups_of, overall_group, pairs_of, rates
from govern.stats.cube import Cube, Partition

# The vectors of fairlearn's user guide, "Performing a fairness assessment" (MIT licence).
GUIDE_TRUE = [0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]
GUIDE_PRED = [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0]
GUIDE_GROUPS = list("bbabbccca") + list("acabccbcc")


def partition(groups: list[str | None], y: np.ndarray, pred: np.ndarray) -> Partition:
    texts = sorted({g for g in groups if g is not None})
    cube = Cube(("who",), scored=False)
    codes = np.array([-1 if g is None else texts.index(g) for g in groups], np.int32)
    cube.add([codes], np.asarray(y, bool), np.asarray(pred, bool), None)
    return cube.partition(("who",), {"who": texts}, {"who": list(range(len(texts)))})


def measured(groups: list[str | None], y: list[int] | np.ndarray, pred: list[int] | np.ndarray, *,
             favourable_is_positive: bool = True) -> tuple[list[Group], dict[str, Counts]]:
    found, counts = groups_of(partition(groups, np.asarray(y), np.asarray(pred)), 1, asked=True,
                              favourable_is_positive=favourable_is_positive)
    return found, {c.group: c for c in counts}


def by_metric(items: list) -> dict:
    return {m.metric: m for m in items}


def test_fairlearns_guide_comes_out() -> None:
    groups, counts = measured(GUIDE_GROUPS, GUIDE_TRUE, GUIDE_PRED)
    overall = counts_of("overall", *(sum(getattr(c, k) for c in counts.values()) for k in ("tp", "fp", "fn", "tn")),
                        favourable_is_positive=True)
    seen = by_metric(list(rates([overall])))
    assert seen["true_positive_rate"].value == 0.5
    assert seen["false_positive_rate"].value == pytest.approx(0.666667, abs=1e-6)
    assert seen["selection_rate"].value == pytest.approx(0.555556, abs=1e-6)
    of = {(m.metric, groups[int(m.group[1:]) - 1].name): m.value for m in rates(list(counts.values()))}
    assert [of["true_positive_rate", g] for g in "abc"] == [0.5, 0.6, 0.4]
    assert [of["selection_rate", g] for g in "abc"] == [0.75, 0.5, 0.5]
    found = by_metric(list(disparities({("who",): groups}, counts, favourable_is_positive=True)))
    assert found["demographic_parity_difference"].value == 0.25
    assert found["demographic_parity_ratio"].value == pytest.approx(2 / 3, abs=1e-12)
    assert found["equalized_odds_difference"].value == 1.0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("favourable", [0, 1])
def test_equal_to_fairlearn_on_rows(seed: int, favourable: int) -> None:
    rng = np.random.default_rng(seed)
    n = 600
    who = rng.choice(["a", "b", "c", "d"], n, p=[0.5, 0.3, 0.15, 0.05])
    y, pred = (rng.random(n) < 0.4).astype(int), (rng.random(n) < 0.5).astype(int)
    groups, counts = measured(list(who), y, pred, favourable_is_positive=favourable == 1)
    frame = fm.MetricFrame(metrics={
        "selection_rate": lambda t, p: fm.selection_rate(t, p, pos_label=favourable),
        "true_positive_rate": fm.true_positive_rate, "false_positive_rate": fm.false_positive_rate,
        "false_negative_rate": fm.false_negative_rate, "true_negative_rate": fm.true_negative_rate,
        "accuracy": accuracy_score, "precision": precision_score}, y_true=y, y_pred=pred, sensitive_features=who)
    name = {g.id: g.name for g in groups}
    for m in rates(list(counts.values())):
        assert m.value == pytest.approx(frame.by_group[m.metric][name[m.group]], abs=1e-12)
        assert m.interval is not None and m.interval.low <= m.value <= m.interval.high
    for m in comparisons(groups, counts):
        a, b = (frame.by_group[m.metric][name[i]] for i in (m.group, m.reference))
        assert m.value == pytest.approx(a - b if m.compare == "difference" else a / b, abs=1e-12)
        assert m.interval is not None and m.interval.low <= m.value <= m.interval.high
    found = by_metric(list(disparities({("who",): groups}, counts, favourable_is_positive=favourable == 1)))
    assert found["demographic_parity_difference"].value == pytest.approx(
        frame.difference()["selection_rate"], abs=1e-12)
    for metric, function in (("equalized_odds_difference", fm.equalized_odds_difference),
                             ("equalized_odds_ratio", fm.equalized_odds_ratio),
                             ("equal_opportunity_difference", fm.equal_opportunity_difference),
                             ("equal_opportunity_ratio", fm.equal_opportunity_ratio)):
        assert found[metric].value == pytest.approx(function(y, pred, sensitive_features=who), abs=1e-12)


def test_group_without_positives_is_undefined_not_zero() -> None:
    groups, counts = measured(list("aaaabbbb"), [1, 0, 1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 1, 0, 0, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert fm.true_positive_rate([0, 0, 0, 0], [1, 0, 0, 0], pos_label=1) == 0.0  # what fairlearn says
    b = next(m for m in rates(list(counts.values())) if m.metric == "true_positive_rate" and m.group == "g2")
    assert (b.value, b.status, b.interval) == (None, "undefined", None)
    pair = next(m for m in comparisons(groups, counts)
                if m.metric == "true_positive_rate" and m.compare == "difference")
    assert (pair.value, pair.status) == (None, "undefined")
    found = by_metric(list(disparities({("who",): groups}, counts, favourable_is_positive=True)))
    assert found["equalized_odds_difference"].status == "undefined"
    assert "b" in (found["equalized_odds_difference"].reason or "")
    assert found["demographic_parity_difference"].value == pytest.approx(0.0)


def test_left_out_group_is_named() -> None:
    groups, counts = measured(list("aaaabbbbcc"), [1, 0, 1, 0, 1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 1, 1, 0, 0, 1, 0])
    found = by_metric(list(disparities({("who",): groups}, counts, favourable_is_positive=True)))
    opportunity = found["equal_opportunity_difference"]
    assert opportunity.value == pytest.approx(0.5)
    assert opportunity.reason == "without c: true positive rate undefined there"


def test_one_group_only_compares_nothing() -> None:
    groups, counts = measured(["a"] * 4, [1, 0, 1, 0], [1, 0, 0, 0])
    assert list(comparisons(groups, counts)) == []
    assert all(m.value is None and m.status == "undefined"
               for m in disparities({("who",): groups}, counts, favourable_is_positive=True))


def test_nobody_selected_gives_no_ratio() -> None:
    groups, counts = measured(list("aabb"), [1, 0, 1, 0], [0, 0, 0, 0])
    found = by_metric(list(disparities({("who",): groups}, counts, favourable_is_positive=True)))
    assert found["demographic_parity_difference"].value == 0.0
    assert (found["demographic_parity_ratio"].value, found["demographic_parity_ratio"].status) == (None, "undefined")
    pair = next(m for m in comparisons(groups, counts) if m.metric == "selection_rate" and m.compare == "ratio")
    assert (pair.value, pair.reason) == (None, "the rate of the reference is 0")
    precision = [m for m in rates(list(counts.values())) if m.metric == "precision"]
    assert all(m.status == "undefined" for m in precision)


def test_missing_group_is_shown_and_stays_outside_disparities() -> None:
    groups, counts = measured(["a", "a", "b", "b", None, None], [1, 0, 1, 0, 1, 0], [1, 0, 1, 0, 0, 0])
    assert [g.name for g in groups] == ["a", "b", "(missing)"]
    assert groups[2].missing and groups[2].n == 2
    found = by_metric(list(disparities({("who",): groups}, counts, favourable_is_positive=True)))
    assert found["demographic_parity_difference"].value == 0.0


def test_reference_is_the_larger_group_and_many_groups_are_bounded() -> None:
    groups = [Group(f"g{i}", ("a",), (str(i),), n, 0, 0) for i, n in enumerate([5, 50, 20])]
    assert [(a.n, b.n) for a, b in pairs_of(groups)] == [(20, 50), (5, 50), (5, 20)]
    many = [Group(f"g{i}", ("a",), (str(i),), i, 0, 0) for i in range(40)]
    assert len(pairs_of(many)) == 39
    assert {b.id for _, b in pairs_of(many)} == {"g39"}


def test_favourable_negative_label_selects_predicted_negatives() -> None:
    counts = counts_of("overall", 1, 2, 3, 4, favourable_is_positive=False)
    assert fraction("selection_rate", counts) == (7, 10)
    assert fraction("true_positive_rate", counts) == (1, 4)
    assert overall_group(counts, favourable_is_positive=False).n_favourable == 6


@pytest.mark.parametrize("true", [[0.5, 0.5, 0.5], [0.5, 0.4, 0.3]])
def test_intervals_of_disparities_cover_the_truth(true: list[float]) -> None:
    """At most 5 % of seeded samples miss the true largest gap or smallest ratio (a bootstrap misses 0 always)."""
    rng = np.random.default_rng(11)
    gap, least = max(true) - min(true), min(true) / max(true)
    missed = {"difference": 0, "ratio": 0}
    runs = 200
    for _ in range(runs):
        groups = [Group(f"g{i}", ("who",), (str(i),), 300, 0, 0) for i in range(3)]
        selected = [int(rng.binomial(300, p)) for p in true]
        counts = {g.id: Counts(g.id, 0, x, 0, 300 - x, x) for g, x in zip(groups, selected, strict=True)}
        pairs = [((counts[a.id].selected, 300), (counts[b.id].selected, 300)) for a, b in permutations(groups, 2)]
        one, two = _largest_gap(pairs), _smallest_ratio(pairs)
        missed["difference"] += not one.low - 1e-12 <= gap <= one.high
        missed["ratio"] += not two.low <= least <= two.high + 1e-12
        largest = max(selected) / 300 - min(selected) / 300
        assert one.low <= largest <= one.high and two.low <= min(selected) / max(selected) <= two.high
    assert max(missed.values()) <= 0.05 * runs
