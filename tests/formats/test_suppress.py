"""A card for outside the house: what is hidden cannot be read off, and cannot be computed from what is shown."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import sample
import task_sample

from govern.dataset import Bin, Column, Level
from govern.errors import InputError
from govern.evidence import OVERALL, Counts, Curve, Evidence, Group, Measurement
from govern.explanations import Explanation, Local
from govern.formats.edition import Edition
from govern.formats.hidden import hidden
from govern.formats.html import render_html
from govern.formats.strings import strings
from govern.formats.suppress import suppressed
from govern.verdict import Verdict

T = strings()


def card(e: Evidence, v: Verdict | None, below: int) -> str:
    return render_html(e, v, None, digests=sample.DIGESTS if v else {"evidence": sample.SHA["evidence"]},
                       edition=Edition(suppress_below=below))


def table(cells: dict[tuple[str | None, str | None], tuple[int, int, int, int]]) -> Evidence:
    """Evidence of two features and their intersection with these confusion counts."""
    names = ("a", "b")
    groups, counts = [], []

    def add(features: tuple[str, ...], values: tuple[str | None, ...], found: list[tuple[int, int, int, int]]) -> None:
        tp, fp, fn, tn = (sum(c[i] for c in found) for i in range(4))
        id = OVERALL if not features else f"g{len(groups)}"
        groups.append(Group(id, features, values, tp + fp + fn + tn, tp + fn, fp + tn))
        counts.append(Counts(id, tp, fp, fn, tn, fn + tn))

    add((), (), list(cells.values()))
    for i, name in enumerate(names):
        for value in dict.fromkeys(k[i] for k in cells):
            add((name,), (value,), [c for k, c in cells.items() if k[i] == value])
    for k, c in cells.items():
        add(names, k, [c])
    return replace(sample.evidence(features=()), groups=tuple(groups), counts=tuple(counts))


Cells = st.dictionaries(
    st.tuples(st.sampled_from(["x", "y", "z", None]), st.sampled_from(["1", "2", "3"])),
    st.tuples(*[st.integers(0, 40)] * 4), min_size=4)


@settings(deadline=None, max_examples=150, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(Cells, st.integers(2, 15))
@example({("x", "1"): (0, 0, 0, 0), ("x", "2"): (0, 0, 0, 2), ("x", "3"): (0, 0, 0, 1), ("y", "3"): (0, 0, 0, 2)}, 2)
def test_no_small_count_is_determined_by_what_is_shown(cells: dict[Any, Any], below: int) -> None:
    """Against an independent computation: the unknowns are the cells of the finest table, what is shown are sums of
    them, and a small sum that is hidden must not lie in the space that the shown sums span."""
    e = table(cells)
    out = hidden(e, below)
    assert out.rows <= out.selected <= out.cells
    finest = list(cells)
    columns = {g.id: np.array([all(k[("a", "b").index(f)] == v for f, v in zip(g.features, g.values, strict=True))
                               for k in finest], float) for g in e.groups}
    of = e.counts_by_group
    parts: list[tuple[frozenset[str], list[Callable[[str], int]]]] = [
        (out.rows, [lambda i: e.groups_by_id[i].n]),
        (out.selected, [lambda i: of[i].selected, lambda i: e.groups_by_id[i].n - of[i].selected]),
        (out.cells, [lambda i, k=k: getattr(of[i], k) for k in ("tp", "fp", "fn", "tn")])]
    for gone, amounts in parts:
        shown = np.array([columns[g.id] for g in e.groups if g.id not in gone]).reshape(-1, len(finest))
        rank = np.linalg.matrix_rank(shown) if len(shown) else 0
        for amount in amounts:
            for g in e.groups:
                tells = 0 < amount(g.id) < below
                assert not tells or g.id in gone
                # That the whole sample is small is refused by `suppressed`; nothing can be done about its parts.
                if tells and OVERALL not in gone:
                    assert np.linalg.matrix_rank(np.vstack([shown, columns[g.id]])) > rank, (g, gone)


def test_a_bridge_between_two_hidden_blocks_is_found() -> None:
    """Every row and column of the table hides two cells, and yet one cell is the difference of two sums of totals."""
    big = (50, 50, 50, 50)
    cells = {(a, b): big for a in "uvwx" for b in "1234"}
    for k in (("u", "1"), ("u", "2"), ("v", "1"), ("v", "2"), ("w", "3"), ("w", "4"), ("x", "3"), ("x", "4")):
        cells[k] = (2, 2, 2, 3)
    cells["v", "3"] = (1, 1, 1, 2)
    e = table(cells)
    out = hidden(e, 10)
    small = {g.id for g in e.groups if g.n < 10}
    assert small < out.rows
    assert OVERALL not in out.cells


def test_one_hidden_group_takes_the_smallest_other_with_it() -> None:
    e = table({("x", "1"): (40, 40, 40, 40), ("y", "1"): (90, 90, 90, 90), ("z", "1"): (1, 1, 1, 1)})
    gone = {e.groups_by_id[i].values for i in hidden(e, 10).rows}
    assert {("z",), ("x",)} <= gone and ("y",) not in gone


def test_nothing_small_nothing_hidden() -> None:
    e = table({(a, b): (30, 30, 30, 30) for a in "xyz" for b in "12"})
    assert hidden(e, 10).cells == frozenset()
    # A group nobody is in and an outcome nobody has tell of no person.
    e = table({("x", "1"): (30, 30, 30, 30), ("y", "1"): (0, 0, 60, 60)})
    assert hidden(e, 10).cells == frozenset()


@pytest.mark.parametrize("below", [10, 30])
def test_the_card_is_the_same_whatever_the_hidden_numbers_are(below: int) -> None:
    """What is hidden is changed at random in both documents: not a byte of the card may depend on it."""
    e = sample.evidence()
    v = sample.verdict(e)
    out = hidden(e, below)
    assert out.rows and out.cells > out.rows
    draw = random.Random(3)

    def other(m: Measurement) -> Measurement:
        if not {m.group, m.reference} & out.cells or (
                m.metric == "selection_rate" and not {m.group, m.reference} & out.selected):
            return m
        return replace(m, value=draw.random(), numerator=draw.randrange(9), denominator=9, interval=None)

    def comparison(c: Any) -> Any:
        return replace(c, value=draw.random(), low=0.1, high=0.9, n=draw.randrange(1, 9)) \
            if c is not None and {c.group, c.reference} & out.selected else c

    changed = replace(e, measurements=tuple(other(m) for m in e.measurements),
                      attributions=replace(e.attributions, features=tuple(
                          replace(a, mean=draw.random(), mean_abs=draw.random()) if a.group in out.rows else a
                          for a in e.attributions.features)) if e.attributions else None)
    judged = replace(v, findings=tuple(replace(f, seen=comparison(f.seen), comparisons=tuple(map(
        comparison, f.comparisons))) for f in v.findings))
    assert changed != e and (judged != v) is (below == 30)
    assert card(changed, judged, below) == card(e, v, below)
    assert card(changed, judged, 0) != card(e, v, 0)


def test_the_card_says_what_it_leaves_out_and_keeps_its_verdict() -> None:
    e = sample.evidence()
    v = sample.verdict(e)
    page = card(e, v, 30)
    text = " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<body>"):page.index("<script")]).split())
    assert "no group and no cell of 1 to 29 rows is shown" in text
    assert "left out" in text and "61 or more" in text
    assert " BLOCK " in text and "verdict 7c11 f0d3" in text
    assert "because few rows could be computed from it" in text  # HC-05 was decided by the group of 61 or more
    hidden_rows = [g for g in e.groups if g.id in hidden(e, 30).rows]
    assert hidden_rows
    for g in hidden_rows:
        assert f"<td>{g.name}</td>" not in page
    assert '"explorer":null' in page


def test_single_rows_and_whatever_would_undo_it_are_left_out() -> None:
    e = sample.evidence()
    local = Local("chosen", "row 5", "declined", 0.7, 0.2, (), 0.5)
    levels = Column("purpose", "feature", "text", 0, 3, levels=(Level("car", 900), Level("boat", 4)))
    ages = Column("amount", "feature", "number", 0, None, 250.0, 18_424.0, bins=(Bin(0.0, 5000), Bin(1e4, 1000)))
    sex = Column("sex", "sensitive", "text", 30, 2, levels=(Level("women", 3600), Level("men", 2370)))
    e = replace(e, explanation=Explanation(locals=(local,)), data=replace(e.data, columns=(levels, ages, sex)),
                thresholds=(0.5,), notes=("7 rows have no value.", "The favourable label was given."))
    facts = suppressed(e, sample.verdict(e), 30, T).evidence
    assert facts.explanation is not None and facts.explanation.locals == ()
    by = {c.name: c for c in facts.data.columns}
    assert "sex" not in by  # two of its groups are hidden, and its counts would tell them
    assert by["purpose"].levels == () and by["amount"].low is None and by["amount"].high is None
    assert len(by["amount"].bins) == 2
    assert facts.thresholds == () and facts.subgroups == ()
    assert facts.notes == ("The favourable label was given.",)


def test_points_of_a_curve_are_as_many_rows_apart_as_a_group_must_have() -> None:
    e = sample.evidence()
    c = e.counts_by_group[OVERALL]
    p, q = c.tp + c.fn, c.fp + c.tn
    fine = tuple(i / 2000 for i in range(2001))
    e = replace(e, curves=(Curve("roc", OVERALL, fine, fine), Curve("roc", "g1", fine, fine),
                           Curve("calibration", OVERALL, (0.1, 0.5), (0.1, 0.5), (5990, 10))))
    (left,) = (x for x in suppressed(e, None, 30, T).evidence.curves if x.group == OVERALL)
    chosen = [x * q + y * p for x, y in zip(left.x, left.y, strict=True)]
    assert left.kind == "roc" and (chosen[0], chosen[-1]) == (0, p + q)
    assert all(b - a >= 30 - 1e-9 for a, b in pairwise(chosen)) and len(chosen) > 100


def test_a_sample_with_a_small_cell_of_its_own_is_refused() -> None:
    e = table({("x", "1"): (40, 40, 3, 40), ("y", "1"): (40, 40, 2, 40)})
    with pytest.raises(InputError, match="fewer than 10 rows") as refused:
        suppressed(e, None, 10, T)
    assert refused.value.one_line().startswith("--suppress-below: ")


@pytest.mark.parametrize("make", [task_sample.multiclass, task_sample.regression])
def test_other_tasks_are_suppressed_too(make: Callable[[], Evidence]) -> None:
    e = make()
    page = card(e, None, 20)
    assert "no group and no cell of 1 to 19 rows is shown" in page
    for g in e.groups:
        if 0 < g.n < 20:
            assert f"<td>{g.name}</td>" not in page
