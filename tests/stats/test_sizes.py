from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from govern.stats.intervals import compare_difference, compare_rate, compare_ratio, newcombe, ratio, wilson
from govern.stats.sizes import detectable_gap, rows_to_settle, selections_to_meet

LIMIT = Decimal("0.8")


def _settled(x: float, n: int, x2: int, n2: int, alpha: float) -> bool:
    low, high = ratio(x, n, x2, n2, alpha)
    return low >= 0.8 or high < 0.8


@pytest.mark.parametrize("cells", [(14, 40, 480, 1000), (18, 40, 480, 1000), (0, 2, 50, 100), (3, 3, 38, 40)])
def test_rows_are_the_fewest_that_decide(cells: tuple[int, int, int, int]) -> None:
    x1, n1, x2, n2 = cells
    more = rows_to_settle(*cells, compare="ratio", minimum=LIMIT, maximum=None, alpha_pass=0.05,
                          alpha_fail=0.05)
    assert more is not None
    assert not _settled(x1, n1, x2, n2, 0.05)
    assert _settled(x1 * (n1 + more) / n1, n1 + more, x2, n2, 0.05)
    assert not _settled(x1 * (n1 + more - 1) / n1, n1 + more - 1, x2, n2, 0.05)


def test_rows_for_a_gap_and_for_one_rate() -> None:
    more = rows_to_settle(45, 100, 500, 1000, compare="difference", minimum=Decimal("-0.1"),
                          maximum=Decimal("0.1"), alpha_pass=0.05, alpha_fail=0.01)
    assert more
    p1 = 0.45
    assert newcombe(p1 * (100 + more), 100 + more, 500, 1000, 0.05)[0] >= -0.1
    assert newcombe(p1 * (99 + more), 99 + more, 500, 1000, 0.05)[0] < -0.1
    alone = rows_to_settle(85, 100, None, None, compare=None, minimum=LIMIT, maximum=None, alpha_pass=0.05,
                           alpha_fail=0.05)
    assert alone
    assert wilson(0.85 * (100 + alone), 100 + alone, 0.05)[0] >= 0.8 > wilson(0.85 * (99 + alone), 99 + alone,
                                                                             0.05)[0]


def test_a_stricter_level_of_failing_takes_more_rows() -> None:
    def needed(alpha_fail: float) -> int | None:
        return rows_to_settle(12, 40, 480, 1000, compare="ratio", minimum=LIMIT, maximum=None,
                              alpha_pass=0.05, alpha_fail=alpha_fail)

    loose, strict = needed(0.05), needed(0.0005)
    assert loose is not None and strict is not None
    assert loose < strict


def test_no_number_of_rows() -> None:
    def needed(*cells: int) -> int | None:
        return rows_to_settle(*cells, compare="ratio", minimum=LIMIT, maximum=None,  # type: ignore[call-arg]
                              alpha_pass=0.05, alpha_fail=0.05)

    assert needed(40, 100, 50, 100) is None  # on the limit
    assert needed(10, 20, 5, 10) is None  # the other group is too small
    assert needed(0, 0, 5, 10) is None
    assert needed(1, 2, 0, 10) is None
    assert needed(500, 1000, 500, 1000) == 0


def test_wrong_questions_are_errors() -> None:
    with pytest.raises(ValueError, match="odds"):
        rows_to_settle(1, 2, 1, 2, compare="odds", minimum=LIMIT, maximum=None, alpha_pass=0.05,
                       alpha_fail=0.05)
    with pytest.raises(ValueError, match="odds"):
        selections_to_meet(1, 2, 1, 2, compare="odds", minimum=LIMIT, maximum=None)
    with pytest.raises(ValueError, match="3 of 2"):
        selections_to_meet(3, 2, 1, 2, compare="ratio", minimum=LIMIT, maximum=None)
    with pytest.raises(ValueError, match="power"):
        detectable_gap(10, 10, 1.5, alpha=0.05)


def test_selections_worked_by_hand() -> None:
    """12 of 40 against 48 of 80 at four fifths: 0.6 · 0.8 · 40 = 19.2, so 20 are needed, 8 more."""
    def more(x1: int, n1: int, x2: int, n2: int) -> int | None:
        return selections_to_meet(x1, n1, x2, n2, compare="ratio", minimum=LIMIT, maximum=None)

    assert more(12, 40, 48, 80) == 8
    assert more(44, 100, 55, 100) == 0
    assert more(43, 100, 55, 100) == 1
    assert more(0, 10, 0, 10) is None
    assert more(0, 0, 5, 10) is None
    too_high = selections_to_meet(9, 10, 5, 10, compare="difference", minimum=None, maximum=Decimal("0.1"))
    assert too_high is None


@given(st.integers(1, 30), st.integers(1, 30), st.data(), st.sampled_from(["difference", "ratio", None]),
       st.sampled_from([Fraction(4, 5), Fraction(-1, 10), Fraction(1, 20), None]),
       st.sampled_from([Fraction(5, 4), Fraction(1, 10), None]))
@settings(max_examples=200, deadline=None)
def test_selections_equal_trying_each(n1: int, n2: int, data: st.DataObject, compare: str | None,
                                      minimum: Fraction | None, maximum: Fraction | None) -> None:
    x1, x2 = data.draw(st.integers(0, n1)), data.draw(st.integers(1, n2))

    def side(x: int, limit: Fraction) -> int:
        if compare is None:
            return compare_rate(x, n1, limit)
        return (compare_ratio if compare == "ratio" else compare_difference)(x, n1, x2, n2, limit)

    tried = [k for k in range(n1 - x1 + 1) if (minimum is None or side(x1 + k, minimum) >= 0)
             and (maximum is None or side(x1 + k, maximum) <= 0)]
    ours = selections_to_meet(x1, n1, x2, n2, compare=compare, minimum=minimum, maximum=maximum)
    assert ours == (tried[0] if tried else None)


@pytest.mark.parametrize(("n1", "n2", "p"), [(100, 100, 0.3), (40, 400, 0.5), (200, 60, 0.8), (99, 300, 0.0)])
def test_the_detectable_gap_is_seen_in_four_of_five_samples(n1: int, n2: int, p: float) -> None:
    gap = detectable_gap(n1, n2, p, alpha=0.05)
    assert gap is not None
    p1 = p + gap if p <= 0.5 else p - gap
    weight = np.outer(oracle.binom.pmf(range(n1 + 1), n1, p1), oracle.binom.pmf(range(n2 + 1), n2, p))
    seen = [[(lambda b: b[0] > 0 or b[1] < 0)(newcombe(a, n1, b, n2, 0.05)) for b in range(n2 + 1)]
            for a in range(n1 + 1)]
    assert weight[np.array(seen)].sum() == pytest.approx(0.8, abs=0.06)


def test_the_detectable_gap_shrinks_with_rows_and_can_be_out_of_reach() -> None:
    gaps = [detectable_gap(n, n, 0.3, alpha=0.05) for n in (30, 100, 1000)]
    assert all(g is not None for g in gaps)
    assert gaps == sorted(gaps, reverse=True)  # type: ignore[type-var]
    assert detectable_gap(2, 2, 0.5, alpha=0.01) is None
