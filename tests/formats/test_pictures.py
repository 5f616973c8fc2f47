"""Parts of the card that are pictures: what they show is in the documents, and stands beside them as text."""

from __future__ import annotations

import random
import re
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample
import task_sample

from govern.dataset import Bin, Column, DataFacts, Level
from govern.evidence import OVERALL, Evidence, Measurement, ThresholdCounts
from govern.explanations import Gap, GapPart, Shape, ShapeLine
from govern.formats.axes import Figure
from govern.formats.beams import Dumbbell, Waterfall
from govern.formats.cells import Cell, Part
from govern.formats.charts import Glyph
from govern.formats.drift import drift
from govern.formats.fairness import fairness
from govern.formats.gaps import waterfall
from govern.formats.html import _environment, render_html
from govern.formats.pairs import pairs
from govern.formats.points import evenly
from govern.formats.shapes import dependence
from govern.formats.since import since
from govern.formats.strings import strings
from govern.formats.sweeps import found_positives, point_mark, selected, sweep_pictures
from govern.verdict import Since, SinceRow

T = strings()
E = sample.evidence()


def drawn(part: Part) -> str:
    """The part as the card has it."""
    text = "{% from 'tables.html.j2' import part with context %}{{ part(p) }}"
    return _environment().from_string(text).render(p=part, t=T)


def check_pictures(part: Part) -> str:
    """Every picture has a text, uses attributes and no style, and no coordinate is missing."""
    html = drawn(part)
    svgs = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert svgs
    for svg in svgs:
        assert re.search(r'role="img"><title>[^<]+</title>', svg)
        assert "style=" not in svg and "None" not in svg and "nan" not in svg
    return html


# Pairs


def test_pairs_show_the_widest_gaps_as_measured() -> None:
    part = pairs(E, sample.verdict(E), [("age",), ("sex",)], T)
    assert part is not None
    assert len(part.tables) == 1  # two sexes are one pair, which the table of groups has
    groups = [g for g in E.feature_groups[("age",)] if not g.missing]
    gaps = {}
    for a in groups:
        for b in groups:
            m = E.find("selection_rate", a.id, b.id, "difference")
            if m is not None:
                gaps[a.name, b.name] = m.value
    shown = [(row[1], row[2]) for row in part.tables[0].rows]
    widest = sorted(gaps, key=lambda k: -abs(gaps[k]))[:6]
    assert {row[0] for row in part.tables[0].rows} == {"age"}
    assert shown[:3] == widest[:3] and set(shown) <= set(widest)
    first = part.tables[0].rows[0]
    assert str(first[4]).startswith(f"{gaps[first[1], first[2]]:.3f}".replace("-", "−")[:5])
    assert f"{len(gaps) - len(shown)} other gaps are in evidence.json." in check_pictures(part)


def test_of_pairs_within_the_bound_the_three_widest_are_shown() -> None:
    def marks(outcome: str) -> list[str]:
        found = sample.findings(E)[0]
        measured = [m for m in E.measurements if m.compare == "ratio" and m.metric == "selection_rate"
                    and E.groups_by_id[m.group].features == ("age",)]
        decided = tuple(replace(found.comparisons[0], group=m.group, reference=m.reference,
                                outcome=outcome) for m in measured)  # type: ignore[arg-type]
        part = pairs(E, sample.verdict(E, found=(replace(found, comparisons=decided),)), [("age",)], T)
        assert part is not None
        return [row[5].mark or "" for row in part.tables[0].rows if isinstance(row[5], Cell)]

    assert marks("pass") == ["within"] * 3
    assert marks("fail") == ["outside"] * 6
    unjudged = pairs(E, None, [("age",)], T)
    assert unjudged is not None and len(unjudged.tables[0].rows) == 6


def test_a_pair_has_the_mark_that_the_policy_gave_it() -> None:
    part = pairs(E, sample.verdict(E), [("age",)], T)
    assert part is not None
    seen = sample.findings(E)[0].seen
    assert seen is not None
    pair = {E.groups_by_id[seen.group].name, E.groups_by_id[str(seen.reference)].name}
    row = next(r for r in part.tables[0].rows if {r[1], r[2]} == pair)
    picture, cell = row[3], row[5]
    assert isinstance(picture, Glyph) and isinstance(cell, Cell)
    assert (picture.mark, cell.mark, cell.text) == ("outside", "outside", "outside")
    unjudged = pairs(E, None, [("age",)], T)
    assert unjudged is not None
    assert {r[5] for r in unjudged.tables[0].rows} == {""}


def test_the_line_of_no_gap_and_the_band_of_a_judged_difference() -> None:
    found = replace(sample.findings(E)[0], compare="difference", bound_min=None, bound_max="0.10")
    part = pairs(E, sample.verdict(E, found=(found,)), [("age",)], T)
    assert part is not None
    picture = part.tables[0].rows[0][3]
    assert isinstance(picture, Glyph)
    assert [text for _, text in picture.ticks] == ["-0.10", "0.10", "0"]
    assert picture.band_from is not None and picture.band_to is not None
    zero = picture.ticks[-1][0]
    assert picture.band_from < zero < picture.band_to


def test_a_line_beside_each_rate_is_where_the_group_would_lie_on_the_bound() -> None:
    judged = sample.findings(E)[0]
    age = fairness(E, sample.verdict(E, found=(judged,)), T)["features"][1]
    assert judged.seen is not None and age["name"] == "age"
    rate = E.find("selection_rate", str(judged.seen.reference))
    assert rate is not None and rate.value is not None
    lines = {row["dot"].ticks for row in age["rows"]}
    ((at, text),) = lines.pop()
    assert not lines and text == ""
    reference = next(row["dot"] for row in age["rows"] if row["word"] == "reference")
    failing = next(row for row in age["rows"] if row["mark"] == "outside")["dot"]
    assert failing.at < at < reference.at
    assert "where a group would lie on this bound: at least 0.92, against 26–35." in age["note"]
    unjudged = fairness(E, None, T)["features"][1]
    assert {row["dot"].ticks for row in unjudged["rows"]} == {()}
    many = replace(judged, comparisons=(judged.comparisons[0], replace(judged.comparisons[1], reference="g9")))
    assert "line beside" not in fairness(E, sample.verdict(E, found=(many,)), T)["features"][1]["note"]


# Thresholds


def _with_thresholds() -> Evidence:
    draw = random.Random(3)
    at = tuple(i / 20 for i in range(1, 20))
    counts = []
    for g in E.groups:
        if len(g.features) <= 1 and g.n >= 30:
            scores = [(draw.random(), draw.random() < 0.3) for _ in range(200)]
            cells = [[sum(y is label and (s >= x) is above for s, y in scores) for x in at]
                     for label, above in ((True, True), (False, True), (True, False), (False, False))]
            counts.append(ThresholdCounts(g.id, *(tuple(c) for c in cells)))
    return replace(E, thresholds=at, threshold_counts=tuple(counts))


def test_shares_at_thresholds_are_those_of_the_counts() -> None:
    counts = ThresholdCounts("g", (3, 1), (1, 0), (0, 2), (6, 7))
    assert selected((0.2, 0.5), counts, positive=True) == [(0.2, 0.4), (0.5, 0.1)]
    assert selected((0.2, 0.5), counts, positive=False) == [(0.2, 0.6), (0.5, 0.9)]
    assert found_positives((0.2, 0.5), counts) == [(0.2, 1.0), (0.5, 1 / 3)]
    weighted = replace(counts, sums=((30.0, 0.0), (0.0, 0.0), (10.0, 0.0), (0.0, 0.0)))
    assert selected((0.2, 0.5), weighted, positive=True) == [(0.2, 0.75)]


def test_the_sweep_is_a_picture_of_everyone_and_of_each_feature() -> None:
    e, swept = _with_thresholds(), task_sample.sweep()
    figures, tables = sweep_pictures(e, swept, T)
    assert [f.heading for f in figures] == ["everyone", "sex", "age"]
    table, = tables
    chosen = [e.thresholds[i] for i in evenly(len(e.thresholds), 9)]
    assert table.heads[1][0] == f"selection rate, %, at {' · '.join(f'{x:.2f}' for x in chosen)}"
    at = {c.group: c for c in e.threshold_counts}
    named = {f"{g.feature} {g.name}": at[g.id] for g in e.groups if g.id in at and g.features and not g.missing}
    assert len(table.rows) == len(named)
    for name, rates, found in table.rows:
        c = named[str(name)]
        cells = [(c.tp[i], c.fp[i], c.fn[i], c.tn[i]) for i in map(e.thresholds.index, chosen)]
        assert rates == " · ".join(f"{100 * ((fn + tn) / (tp + fp + fn + tn)):.0f}" for tp, fp, fn, tn in cells)
        assert found == " · ".join(f"{100 * (tp / (tp + fn)):.0f}" for tp, _, fn, _ in cells)
    everyone = figures[0].plots[0]
    assert len(everyone.marks) == len(swept.points)
    assert {m for _, m in everyone.marks} == {"outside", "within"}
    assert len(everyone.bands) == 1
    low, wide = everyone.bands[0]
    meeting = [p.threshold for p in swept.points if p.threshold in swept.meets]
    inside = [x for (x, m) in everyone.marks if m == "within"]
    assert (min(inside), max(inside)) == (low, pytest.approx(low + wide))
    assert len(meeting) == len(inside)
    assert everyone.uprights[0][1] == "in force"
    check_pictures(Part("t", "", pictures=figures, numbers=tables))


def test_one_threshold_alone_that_meets_is_a_narrow_band() -> None:
    swept = task_sample.sweep()
    alone = replace(swept, meets=swept.meets[:1])
    assert [point_mark(alone, p) for p in alone.points].count("within") == 1
    (figure,), _ = sweep_pictures(E, alone, T)
    ((_, wide),) = figure.plots[0].bands
    assert wide == 3.0
    none = replace(swept, meets=())
    assert sweep_pictures(E, none, T)[0][0].plots[0].bands == ()


# Drift


def _moved(shift: float) -> tuple[Column, Column]:
    draw = random.Random(5)
    made = []
    for by in (0.0, shift):
        values = sorted(round(draw.gauss(by, 1.0), 1) for _ in range(4000))
        bins = tuple(Bin(v, values.count(v)) for v in sorted(set(values)))
        made.append(Column("income", "feature", "number", 0, len(bins), values[0], values[-1], bins=bins))
    return made[0], made[1]


def _drifted() -> Evidence:
    train, here = _moved(0.8)
    before = Column("region", "feature", "text", 0, 2, levels=(Level("north", 700), Level("south", 300)))
    now = Column("region", "feature", "text", 0, 3,
                 levels=(Level("north", 100), Level("south", 100), Level("east", 50)))
    index = tuple(Measurement("population_stability", v, slice=f"column: {c}")
                  for c, v in (("region", 0.4), ("income", 0.5), ("gone", 0.9)))
    return replace(E, data=DataFacts((here, now)), train=DataFacts((train, before), rows=4000),
                   measurements=(*E.measurements, *index))


def test_drift_shows_numbers_as_lines_and_levels_as_rows() -> None:
    (part,) = drift(_drifted(), T)
    (figure,) = part.pictures
    assert isinstance(figure, Figure)
    assert [p.title for p in figure.plots] == ["income"]
    assert figure.plots[0].x_name == "stability index 0.500"
    assert [name for _, name in figure.keys] == ["these data", "training data"]
    rows = part.tables[0].rows
    assert [r[:3] for r in rows] == [("north", "70.0%", "40.0%"), ("east", "0.0%", "20.0%"),
                                     ("south", "30.0%", "40.0%")]
    assert isinstance(rows[0][3], Dumbbell)
    html = check_pictures(part)
    assert "north: 70.0% of the training data, 40.0% of these data" in html


def test_shares_of_cells_add_up_and_lie_where_the_rows_are() -> None:
    (part,) = drift(_drifted(), T)
    _, ends, here, train = (str(c) for c in part.numbers[0].rows[0])
    lows = [float(x.replace("−", "-")) for x in ends.split(" · ")]
    shares = [[float(x.rstrip("%")) for x in cell.split(" · ")] for cell in (here, train)]
    assert lows == sorted(lows)
    for found, middle in zip(shares, (0.8, 0.0), strict=True):
        assert sum(found) == pytest.approx(100, abs=1)
        step = lows[1] - lows[0]
        mean = sum(s * (x + step / 2) for s, x in zip(found, lows, strict=True)) / 100
        assert mean == pytest.approx(middle, abs=0.15)


def test_without_training_data_nothing_is_said_of_drift() -> None:
    assert drift(E, T) == []


# Versions


def test_versions_beside_each_other() -> None:
    rows = (SinceRow("roc_auc", 0.774, 0.781, 0.007, 0.003, 0.011, 0.95, "better"),
            SinceRow("selection_rate", 0.921, 0.896, -0.025, -0.041, -0.009, 0.95, "worse", group="g3", reference="g4",
                     compare="ratio", features=("age",)),
            SinceRow("latency_p95_ms", 3.9, 4.1, 0.2, None, None, 0.95, "unknown"))
    v = replace(sample.verdict(E), since=Since("credit-approval", "3.1.4", "2026-05-01T00:00:00Z", rows))
    auc, ratio, latency = (r["picture"] for r in since(E, v, sample.DIGESTS, T)["rows"])
    assert isinstance(ratio, Dumbbell) and ratio.new < ratio.old  # type: ignore[operator]
    assert auc.title == "ROC AUC: 0.774, now 0.781" and (auc.mark, ratio.mark) == ("within", "outside")
    assert latency.mark == "none" and "3.90 ms" in latency.title
    page = render_html(E, v, None, digests=sample.DIGESTS)
    for picture in (auc, ratio, latency):
        assert f"<title>{picture.title}</title>" in page


# Waterfall and partial dependence


def _gap(n: int) -> Gap:
    parts = tuple(GapPart(f"f{i}", (-1) ** i * 0.1 / (1 + i), -0.01, 0.02) for i in range(n))
    return Gap("output", "SHAP", "g1", "g2", 400, 600, sum(p.value for p in parts), -0.2, 0.3, 0.95, parts)


@pytest.mark.parametrize("n", [1, 4, 14])
def test_a_waterfall_begins_each_part_where_the_last_ended_and_ends_at_the_whole(n: int) -> None:
    gap = _gap(n)
    part = waterfall(gap, E, T, shown=10)
    (picture,) = part.pictures
    assert isinstance(picture, Waterfall)
    beams = [step.bar for step in picture.steps]
    *steps, whole = beams
    assert steps[0].start == steps[0].zero == whole.start
    for before, after in pairwise(steps):
        assert after.start == pytest.approx(before.end, abs=0.11)
    assert steps[-1].end == pytest.approx(whole.end, abs=0.11)
    assert [b.adds for b in steps[:2]] == [True, False][:n]
    assert whole.sum and not any(b.sum for b in steps)
    names = [step.name for step in picture.steps]
    assert names[-1] == "all parts"
    assert ("4 others" in names) == (n == 14)
    html = check_pictures(part)
    assert 'fill="#fff" stroke' in html or n == 1  # what takes away is hollow


def test_a_gap_of_nothing_can_be_drawn() -> None:
    gap = replace(_gap(1), value=0.0, low=None, high=None, parts=(GapPart("f", 0.0, None, None),))
    check_pictures(waterfall(gap, E, T))


def test_partial_dependence_of_numbers_and_levels() -> None:
    lines = (ShapeLine(OVERALL, 1000, (0.1, 0.3, 0.2)), ShapeLine("g1", 600, (0.2, 0.35, 0.25)))
    found = (Shape("income", True, ("0", "10", "100"), lines, "probability", "rises", 0.12),
             Shape("region", False, ("a", "b", "c"), lines, "probability"))
    part = dependence(found, E, T)
    assert part is not None
    number, level = part.pictures[0].plots
    assert number.x_name == "expected: rises; 12.0% of steps do not"
    assert [text for _, text in level.x_ticks] == ["a", "b", "c"]
    assert [len(x.dots) for x in level.lines] == [3, 3]
    assert number.lines[0].path.count(",") == 3
    assert [name for _, name in part.pictures[0].keys] == ["everyone", E.groups_by_id["g1"].name]
    html = check_pictures(part)
    assert "0 0.100 · 10 0.300 · 100 0.200" in html
    assert dependence((), E, T) is None


def test_a_hostile_name_is_text_in_every_picture() -> None:
    bad = "</title><script>alert(1)</script>"
    gap = replace(_gap(2), parts=(GapPart(bad, 0.1, 0.0, 0.2),))
    shape = Shape(bad, False, (bad,), (ShapeLine(OVERALL, 9, (0.1,)),), bad)
    part = dependence((shape,), E, T)
    assert part is not None
    for html in (drawn(waterfall(gap, E, T)), drawn(part)):
        assert "<script" not in html
