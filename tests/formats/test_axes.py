from __future__ import annotations

import pytest

from govern.formats.axes import COLOURS, DASHES, Line, figure, fitted, line, tick_text, ticks, unit_square, upper
from govern.formats.beams import beam, beams_scale, dumbbell
from govern.formats.charts import Scale
from govern.formats.points import evenly, places, points, shares


def test_a_line_turns_upside_down_and_leaves_out_what_cannot_be_told_apart() -> None:
    on, up = Scale(0.0, 1.0, 100), Scale(0.0, 2.0, 50)
    drawn = line([(0.0, 0.0), (0.001, 0.01), (0.5, 2.0), (1.0, 1.0)], 0, on, up)
    assert drawn.path == "0,50 50,0 100,25"


def test_steps_hold_each_value_up_to_the_next() -> None:
    on = Scale(0.0, 2.0, 100)
    assert line([(0.0, 0.5), (1.0, 1.0), (2.0, 1.0)], 1, on, Scale(0.0, 1.0, 40), steps=True).path \
        == "0,20 50,20 50,0 100,0 100,0"


def test_the_last_point_is_kept_however_near() -> None:
    on = Scale(0.0, 1.0, 100)
    assert line([(0.0, 0.0), (0.999, 0.5), (1.0, 0.5)], 0, on, on).path.endswith(" 100,50")


def test_lines_differ_by_dashes_as_well_as_by_colour() -> None:
    assert len(set(DASHES)) == len(set(COLOURS)) == len(DASHES) == len(COLOURS)
    assert [(Line("", i).dash, Line("", i).colour) for i in (0, 1)] == list(zip(DASHES, COLOURS, strict=True))[:2]


@pytest.mark.parametrize(("low", "high", "texts"), [
    (0.0, 1.0, ["0.00", "0.25", "0.50", "0.75", "1.00"]),
    (0.03, 0.8, ["0.2", "0.4", "0.6", "0.8"]),
    (-1.2, 3.1, ["0", "2"]),
    (0.0, 83_000.0, ["0", "25k", "50k", "75k"]),
    (-0.02, 0.02, ["−0.02", "−0.01", "0.00", "0.01", "0.02"]),
])
def test_ticks_are_round_numbers_inside_the_scale(low: float, high: float, texts: list[str]) -> None:
    found = ticks(Scale(low, high, 100))
    assert [text for _, text in found] == texts
    assert all(0 <= at <= 100 for at, _ in found)


def test_ticks_upwards_count_from_above() -> None:
    assert ticks(Scale(0.0, 1.0, 50), 2, upwards=True) == ((50.0, "0.0"), (25.0, "0.5"), (0.0, "1.0"))


@pytest.mark.parametrize(("value", "text"), [(1500.0, "1500"), (20_000.0, "20k"), (-1_500_000.0, "−1.5M"), (-0.0, "0")])
def test_tick_text(value: float, text: str) -> None:
    assert tick_text(value, 0) == text


def test_upper_is_round_and_shows_every_height() -> None:
    assert upper([0.18, 0.31], 80).high == 0.5
    assert upper([0.0], 80).high > 0
    assert upper([], 80).high == 1.0
    assert upper([-1.0, 0.2], 80, floor_at=-1.0).high == 1.0


def test_plots_stand_abreast_and_none_on_another() -> None:
    square = unit_square("t", "x", "y", [[(0.0, 0.0), (1.0, 1.0)], None], 100)
    assert [x.number for x in square.lines] == [0]
    drawn = figure([square] * 5, ["a", "b"], "h", "title", abreast=2)
    corners = [(p.at_x, p.at_y) for p in drawn.plots]
    assert len(set(corners)) == 5
    for i, (x, y) in enumerate(corners):
        assert x + 100 <= drawn.legend[0] < drawn.width
        assert y + 100 < drawn.height
        assert all(abs(x - u) >= 100 or abs(y - v) >= 100 for u, v in corners[:i])
    assert [name for _, name in drawn.keys] == ["a", "b"]


def test_a_long_legend_makes_the_picture_higher() -> None:
    square = unit_square("t", "x", "y", [[(0.0, 0.0)]], 20)
    assert figure([square], ["a"] * 20, "", "").height > figure([square], ["a"], "", "").height


def test_names_are_cut_by_their_width() -> None:
    assert fitted("short") == "short"
    assert fitted("x" * 40) == "x" * 33 + "…"
    assert fitted("長" * 20) == "長" * 16 + "…"


def test_points_are_some_of_those_given() -> None:
    assert evenly(100, 5) == [0, 25, 50, 74, 99]
    assert evenly(2, 6) == [0, 1]
    assert evenly(1) == [0]
    assert evenly(0) == []
    assert points([(0.0, 0.1), (0.5, 0.2), (1.0, 0.9)], 2) == "0 10, 100 90"
    assert shares([(0.1, 0.2), (0.5, 0.996)], (0.1, 0.4, 0.5)) == "20 · – · 100"
    assert places((0.1, 0.257)) == "0.10 · 0.26"


def test_a_beam_starts_where_it_is_told_and_says_which_way_it_goes() -> None:
    on = beams_scale([0.0, 0.5, -0.25], 75)
    assert (on.low, on.high) == (-0.25, 0.5)
    up, down = beam(0.25, on, "u", low=0.0, high=0.5), beam(-0.5, on, "d", start=0.25)
    assert (up.zero, up.start, up.end, up.adds, up.line_from, up.line_to) == (25.0, 25.0, 50.0, True, 25.0, 75.0)
    assert (down.start, down.end, down.adds, down.line_from) == (50.0, 0.0, False, None)
    assert beam(0.4, on, "size", adds=False).adds is False
    assert beams_scale([]).high > beams_scale([]).low


def test_a_dumbbell_draws_what_is_known() -> None:
    on = Scale(0.0, 1.0, 100)
    d = dumbbell(0.25, 0.5, on, "t", "outside")
    assert (d.old, d.new, d.mark) == (25.0, 50.0, "outside")
    assert dumbbell(None, 0.5, on, "t").old is None
