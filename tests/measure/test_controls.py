"""Groups within levels of a control feature, and what is summed up over the levels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from counting import Of, by_group, counts_of

from govern.evidence import UNKNOWN_NAME, Group, Measurement
from govern.measure.controls import ADJUSTED, adjusted
from govern.measure.rates import comparisons
from govern.stats.stratified import risk_difference, risk_ratio

REGIONS = ("north", "south", "east")


def split(seed: int, w: bool = False, levels: tuple[str | None, ...] = REGIONS) -> tuple[list[Group], Of, np.ndarray]:
    """Groups of sex, whole and within regions, of 600 rows drawn at random; east has men only."""
    rng = np.random.default_rng(seed)
    sex, region = rng.choice(["f", "m"], 600), rng.choice(len(levels), 600, p=[0.5, 0.3, 0.2])
    sex[region == 2] = "m"
    y, pred = (rng.random(600) < 0.4).astype(int), (rng.random(600) < 0.3 + 0.2 * region).astype(int)
    weight = rng.gamma(2, 1, 600) if w else None
    groups, of = [], {}
    for within in (None, *range(3)):
        for value in ("f", "m"):
            rows = (sex == value) & (True if within is None else region == within)
            id = f"g{len(groups) + 1}"
            pairs = () if within is None else (("region", levels[within]),)
            groups.append(Group(id, ("sex",), (value,), int(rows.sum()), 0, 0, within=pairs))
            of[id, None] = counts_of(id, y[rows], pred[rows], None if weight is None else weight[rows])
    return groups, of, np.column_stack([sex == "f", region, y, pred]).astype(int)


def by(found: list[Measurement]) -> dict[tuple[str, str | None], Measurement]:
    return {(m.metric, m.compare): m for m in found}


def test_summary_over_levels_is_mantel_haenszel_of_the_rows() -> None:
    groups, of, rows = split(1)
    found = list(adjusted(groups, of, favourable_is_positive=True))
    assert len(found) == len(ADJUSTED) * 2
    female, region, y, pred = rows.T
    for metric, inside in (("selection_rate", y >= 0), ("true_positive_rate", y == 1), ("false_positive_rate", y == 0)):
        strata = [tuple(float(v) for s in (1, 0) for v in (
            (pred * inside)[(female == s) & (region == r)].sum(), inside[(female == s) & (region == r)].sum()))
            for r in range(2)]
        strata = strata if groups[0].n < groups[1].n else [(*s[2:], *s[:2]) for s in strata]
        for compare, summary in (("difference", risk_difference), ("ratio", risk_ratio)):
            m = by(found)[metric, compare]
            e = summary(strata)  # type: ignore[arg-type]
            assert (m.value, m.se, m.transform) == (e.value, e.se, e.transform)
            assert (m.slice, m.group, m.reference) == ("adjusted: region", "g1", "g2")
            assert m.reason == "1 of 3 levels without rows of both groups"
            assert m.interval is not None and m.value is not None
            assert m.interval.low <= m.value <= m.interval.high


def test_difference_that_the_control_explains_goes_away() -> None:
    """Selection depends on the region alone, and women live where fewer are selected."""
    cells = {("f", "north"): (10, 90), ("m", "north"): (1, 9), ("f", "south"): (8, 2), ("m", "south"): (80, 20)}
    groups, of = [], {}
    for i, value in enumerate("fm"):
        x, rest = (sum(c[j] for k, c in cells.items() if k[0] == value) for j in (0, 1))
        for within, (a, b) in ((None, (x, rest)), *((k[1], c) for k, c in cells.items() if k[0] == value)):
            id = f"g{i}{within}"
            groups.append(Group(id, ("sex",), (value,), a + b, 0, 0, within=(("region", within),) if within else ()))
            of[id, None] = counts_of(id, np.zeros(a + b), np.repeat([1, 0], [a, b]))
    raw = by(list(comparisons([g for g in groups if not g.within], by_group(of), favourable_is_positive=True)))
    summary = by(list(adjusted(groups, of, favourable_is_positive=True)))
    assert abs(raw["selection_rate", "difference"].value or 0) > 0.5
    assert summary["selection_rate", "difference"].value == pytest.approx(0, abs=1e-15)
    assert summary["selection_rate", "ratio"].value == pytest.approx(1)
    assert summary["true_positive_rate", "difference"].status == "undefined"  # no row has the positive label
    assert summary["true_positive_rate", "ratio"].reason == (
        "no level has rows of both groups; 2 of 2 levels without rows of both groups")


def test_weighted_rows_enter_as_effective_rows() -> None:
    plain, weighed = (by(list(adjusted(*split(2, w)[:2], favourable_is_positive=True))) for w in (False, True))
    one, two = plain["selection_rate", "difference"], weighed["selection_rate", "difference"]
    assert one.se is not None and two.se is not None and two.se > one.se
    assert (two.reason or "").endswith("from effective rows")


@pytest.mark.parametrize("unknown", [None, UNKNOWN_NAME])
def test_rows_of_unknown_control_value_drop_out(unknown: str | None) -> None:
    groups, of, _ = split(3, levels=("north", unknown, "east"))
    m = by(list(adjusted(groups, of, favourable_is_positive=True)))["selection_rate", "difference"]
    assert m.reason == "1 of 2 levels without rows of both groups; without unknown values"
    north = [g for g in groups if g.within == (("region", "north"),)]
    raw = by(list(comparisons(north, by_group(of), favourable_is_positive=True)))["selection_rate", "difference"]
    assert m.value is not None and raw.value is not None
    assert abs(m.value) == pytest.approx(abs(raw.value), abs=1e-15)  # the larger group may be another one here


def test_no_control_no_summary_and_missing_groups_are_not_summed_up() -> None:
    groups, of, _ = split(4)
    assert list(adjusted([g for g in groups if not g.within], of, favourable_is_positive=True)) == []
    unknown = [replace(g, values=(None,)) if g.values == ("f",) else g for g in groups]
    assert list(adjusted(unknown, of, favourable_is_positive=True)) == []
