from __future__ import annotations

import pytest

from govern.formats.charts import Scale, glyph, plot, scale, text_glyph


def test_glyph_places_estimate_and_bound() -> None:
    g = glyph(0.5, 0.4, 0.6, minimum="0.8", mark="outside", on=Scale(0.0, 1.0, 100))
    assert (g.line_from, g.at, g.line_to) == (40.0, 50.0, 60.0)
    assert (g.band_from, g.band_to) == (80.0, 100)
    assert g.ticks == ((80.0, "0.8"),)


def test_an_open_side_runs_to_the_edge() -> None:
    g = glyph(0.5, 0.4, None, maximum="0.9", on=Scale(0.0, 1.0, 100))
    assert (g.line_to, g.band_from) == (100, 0.0)


def test_scale_shows_every_value_and_one_value() -> None:
    on = scale([0.2, 0.4], 100)
    assert 0 < on(0.2) < on(0.4) < 100
    assert 0 < scale([0.0], 100)(0.0) < 100
    assert scale([], 100).high > scale([], 100).low
    assert scale([0.0, 1.0], 100, floor=0.0, ceiling=1.0)(1.0) == 100


@pytest.mark.parametrize(("value", "picture"), [(0.85, "──━━✕┃━━─"), (1.0, "──━━━┃●━─")])
def test_text_glyph_keeps_the_mark_on_its_side_of_the_bound(value: float, picture: str) -> None:
    g = glyph(value, 0.5, 1.4, minimum="0.9" if value < 0.9 else "0.99",
              mark="outside" if value < 0.9 else "within", on=Scale(0.0, 1.62, 100))
    assert text_glyph(g, 9) == picture
    assert text_glyph(g, 9, unicode=False).isascii()


def test_plot_turns_the_unit_square() -> None:
    p = plot([0.0, 1.0], [0.0, 1.0], "t", size=100, dots=True, n=[10, 20])
    assert p.path == "0,100 100,0"
    assert p.bars == ((0.0, 8.0), (100.0, 16.0))
