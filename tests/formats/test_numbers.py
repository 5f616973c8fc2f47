from __future__ import annotations

import pytest

from govern.formats.numbers import (
    amount,
    amount_beside,
    count,
    decimal,
    digits_beside,
    percent,
    short_digest,
    with_interval,
)


@pytest.mark.parametrize(("value", "text"), [
    (0.0, "0.0%"), (1.0, "100.0%"), (0.681, "68.1%"), (0.9999, "99.99%"), (0.00001, "0.001%"), (-0.05, "−5.0%")])
def test_percent(value: float, text: str) -> None:
    assert percent(value) == text


def test_a_rounded_zero_has_no_sign() -> None:
    assert decimal(-0.0001) == "0.000"
    assert decimal(-0.0496) == "−0.050"


def test_interval_texts() -> None:
    assert with_interval(0.896, 0.878, 0.914) == "0.896 [0.878, 0.914]"
    assert with_interval(0.5, 0.4, None) == "0.500 [≥ 0.400]"
    assert with_interval(0.5, None, 0.6) == "0.500 [≤ 0.600]"
    assert with_interval(0.5, None, None) == "0.500"


@pytest.mark.parametrize(("values", "bound", "text"), [
    ((0.9196, 0.90, 0.9199), 0.92, "0.9196 [0.9000, 0.9199]"),
    ((0.92, 0.91, 0.93), 0.92, "0.920 [0.910, 0.930]"),
    ((0.92, 0.9199999, 0.93), 0.92, "0.9200000 [0.9199999, 0.9300000]")])
def test_rounding_never_crosses_the_bound(values: tuple[float, float, float], bound: float, text: str) -> None:
    assert with_interval(*values, [bound]) == text


def test_digits_do_not_grow_without_end() -> None:
    assert digits_beside([0.1 + 0.2], [0.3]) == 12


@pytest.mark.parametrize(("value", "unit", "text"), [
    (4.127, "ms", "4.13 ms"), (82411.3, "rows/s", "82,411 rows/s"), (0, "", "0"), (2.2e-16, "", "2.2e−16"),
    (1e-6, "", "1e−6"), (3.0, "MB", "3 MB")])
def test_amount(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_amount_beside_a_limit() -> None:
    assert amount_beside(50.0004, [50.0], "ms") == "50.0004 ms"
    assert amount_beside(4.127, [50.0], "ms") == "4.13 ms"


def test_counts_and_digests() -> None:
    assert count(24310) == "24,310"
    assert short_digest("41ab09e2ff") == "41ab 09e2"
