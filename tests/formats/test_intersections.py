"""The table of intersections that nobody asked a rule for, derived a second time from the counts and measurements."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample
import task_sample

from govern.evidence import Evidence, Group
from govern.formats.cells import Cell
from govern.formats.intersections import intersections, unasked
from govern.formats.strings import strings
from govern.formats.suppress import suppressed

T = strings()
SHOWN = (("sex", "education"), ("age", "education"))
E = sample.evidence(shown=SHOWN)


def table(e: Evidence) -> list[tuple[Cell, ...]]:
    part = intersections(e, T)
    assert part is not None
    return [tuple(c for c in row if isinstance(c, Cell)) for row in part.tables[0].rows]


def unasked_only(e: Evidence) -> Evidence:
    return replace(e, groups=tuple(replace(g, asked=False) for g in e.groups))


def test_each_has_the_ends_of_its_counts_and_the_smallest_ratio_to_its_largest() -> None:
    counts = {c.group: c for c in E.counts}
    rows = table(E)
    assert [row[0].text for row in rows] == [":".join(k) for k in SHOWN]
    small = 0
    for features, row in zip(SHOWN, rows, strict=True):
        groups = [g for g in E.feature_groups[features] if not g.missing and g.n]
        read = [g for g in groups if g.n >= 30]
        small += len(groups) - len(read)
        rate = {g.id: counts[g.id].selected / g.n for g in groups}
        low, high = min(read, key=lambda g: rate[g.id]), max(read, key=lambda g: rate[g.id])
        largest = max(groups, key=lambda g: g.n)
        near = min((g for g in read if g is not largest), key=lambda g: rate[g.id] / rate[largest.id])
        sizes, lowest, highest, ratio = row[1:]
        assert row[0].under.startswith(f"{len(groups)} groups")
        assert (f"{len(groups) - len(read)} of fewer than 30 rows" in row[0].under) == (len(groups) > len(read))
        lost = sum(g.n for g in E.feature_groups[features] if g.missing)
        assert (f"not known of {lost} rows" in row[0].under) == (lost > 0)
        assert (sizes.text, sizes.under) == (f"{min(g.n for g in groups):,} to {largest.n:,}", largest.name)
        for cell, group in ((lowest, low), (highest, high)):
            m = E.find("selection_rate", group.id)
            assert m is not None and m.interval is not None
            ends = (m.interval.low or 0.0, m.interval.high or 0.0)
            assert cell.text == f"{100 * rate[group.id]:.1f} [{100 * ends[0]:.1f}, {100 * ends[1]:.1f}]"
            assert cell.under == group.name
        text = ratio.text.partition(" [")[0]  # as many digits as keep the interval off 1
        assert text == f"{rate[near.id] / rate[largest.id]:.{len(text) - 2}f}" and ratio.under == near.name
    assert small  # the sample has groups that are counted and not read


def test_nothing_to_list_and_nothing_to_read() -> None:
    assert intersections(sample.evidence(), T) is None
    few = sample.evidence(60, shown=(("age", "education"),))
    groups = few.feature_groups["age", "education"]
    assert max(g.n for g in groups) < 30
    row = table(few)[0]
    assert [c.text for c in row[2:]] == ["–", "–", "–"]
    assert row[0].under == f"{len(groups)} groups, {len(groups)} of fewer than 30 rows"


def test_what_stands_out_beyond_chance_is_looked_for_where_it_was_searched() -> None:
    for e, searched in ((E, False), (task_sample.with_subgroups(E), True)):
        part = intersections(e, T)
        assert part is not None and part.tables[0].after.startswith("Every group is in evidence.json.")
        assert part.tables[0].after.endswith("with a false discovery rate.") == searched


def test_a_regression_has_the_difference_farthest_from_none_and_the_largest_errors() -> None:
    row = table(unasked_only(task_sample.regression()))[0]
    e = task_sample.regression()
    known = [g for g in e.feature_groups["sex",] if not g.missing]
    mean = {g: task_sample.found_of(e.measurements, "mean_prediction", g.id) for g in known}
    ends = min(mean, key=lambda g: mean[g]), max(mean, key=lambda g: mean[g])
    assert (row[2].under, row[3].under) == (ends[0].name, ends[1].name)
    gap = e.find("mean_prediction", "g2", "g1", "difference")
    assert gap is not None and gap.value is not None and gap.value < 0
    assert row[4].text.startswith(f"−{-gap.value:,.0f}"[:4]) and row[4].under == "women"
    errors = {g: task_sample.found_of(e.measurements, "mean_absolute_error", g.id) for g in known}
    assert row[5].under == max(errors, key=lambda g: errors[g]).name


@pytest.mark.parametrize(("favourable", "ratio"), [(None, False), ("low", True)])
def test_several_classes(favourable: str | None, ratio: bool) -> None:
    e = unasked_only(task_sample.multiclass(favourable=favourable))
    part = intersections(e, T)
    assert part is not None
    titles = [text for text, _ in part.tables[0].heads]
    assert titles[2] == ("lowest selection rate, %" if ratio else "lowest accuracy, %")
    assert titles[4] == ("smallest ratio to the largest" if ratio else "widest difference from the largest")
    m = e.find("selection_rate", "g2", "g1", "ratio", label="low") if ratio else \
        e.find("multiclass_accuracy", "g2", "g1", "difference")
    last = part.tables[0].rows[0][4]
    assert m is not None and m.value is not None and isinstance(last, Cell)
    assert last.text.startswith(f"{m.value:.3f}".replace("-", "−")) and last.under == "women"


def test_equal_ends_are_told_apart_by_the_order_of_the_groups() -> None:
    """Equal values choose by id, so that the order of measurements in the document changes nothing."""
    backwards = replace(E, measurements=tuple(reversed(E.measurements)))
    assert table(backwards) == table(E)


def test_hidden_groups_are_in_no_cell() -> None:
    cut = suppressed(E, None, 40, T)
    gone: list[Group] = [*cut.gone, *cut.blurred]
    assert gone and unasked(cut.evidence)
    named = {text for row in table(cut.evidence) for c in row[2:] for text in (c.under,)}
    rates = {g.name for g in gone if cut.evidence.find("selection_rate", g.id) is None}
    assert rates and not rates & named
    sizes = [int(row[1].text.split(" ")[0].replace(",", "")) for row in table(cut.evidence)]
    assert min(sizes) >= 40
