"""Single rows explained: chosen, typical, adverse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from linear_rows import APPROVED, DEFAULTED, NUMBERS, linear, settings

from govern.explain.local import Chosen, decided, local
from govern.explain.reference import reference
from govern.explanations import LocalPart
from govern.inputs.labels import Target

X = {"a": [0, 1, 4, 9, 9, 8], "kind": ["p", "p", "q", "q", "q", None], "c": [1.5, 2, None, 3, 3, 3]}
LEVELS = {"kind": {"p": 0.0, "q": 2.0}}
ROWS = linear(X, [1, 1, 1], 8, levels=LEVELS)


def test_typical_and_adverse_rows_add_up_and_have_their_reasons() -> None:
    compared = reference(ROWS, APPROVED, "all")
    found = local(ROWS, compared, settings(reasons={"a": {"low": "Too few"}}, most_reasons=2), APPROVED)
    # 1.5, 3 and 6 are refused; the second of them is the middle one
    assert [(f.kind, f.name, f.decision) for f in found] == [
        ("typical", "0", "0"), ("typical", "1", "1"), ("adverse", "nearest", "0"), ("adverse", "farthest", "0")]
    refused, approved, nearest, farthest = found
    assert (refused.output, approved.output, nearest.output, farthest.output) == (3, 14, 6, 1.5)
    for f in found:
        assert f.base + sum(p.contribution for p in f.parts) + f.rest == pytest.approx(f.output, abs=1e-12)
        assert f.rest == pytest.approx(0, abs=1e-12)
    assert refused.reasons == ("Too few", "kind") and approved.reasons == ()
    assert {p.feature: p.value for p in refused.parts} == {"a": "1", "kind": "p", "c": "2"}
    assert {p.feature: p.value for p in nearest.parts} == {"a": "4", "kind": "q", "c": ""}  # missing
    sizes = [abs(p.contribution) for p in refused.parts]
    assert sizes == sorted(sizes, reverse=True)


def test_prohibited_features_are_no_reason_here_either() -> None:
    compared = reference(ROWS, APPROVED, "all")
    found = local(ROWS, compared, settings(prohibited=("a",)), APPROVED)
    assert all("a" not in f.reasons for f in found) and found[0].reasons == ("kind", "c")


def test_chosen_rows_are_compared_with_the_sample() -> None:
    compared = reference(ROWS, APPROVED, "all")
    other = linear({"a": [0, 50], "kind": ["q", "q"], "c": [3, 3]}, [1, 1, 1], 8, levels=LEVELS)
    mean = ROWS.outputs[0].base
    x = np.array([[0, 2, 3], [50, 2, 3]], float)
    shifted = replace(other, outputs=(replace(
        other.outputs[0], base=mean, values=x - np.array([31 / 6, 1.0, 12.5 / 6])),))
    found = local(ROWS, compared, settings(), APPROVED, Chosen(("id 7", "id 8"), shifted))
    first, second = found[:2]
    assert (first.kind, first.name, first.decision, first.reasons) == ("chosen", "id 7", "0", ("a",))
    assert (second.decision, second.reasons) == ("1", ())
    assert first.parts[0] == LocalPart("a", "0", pytest.approx(-31 / 6))


def test_many_features_leave_a_rest() -> None:
    rows = linear({f"x{i:02}": [0, i + 1] for i in range(14)}, [1] * 14, 1)
    found = local(rows, reference(rows, APPROVED, "all"), settings(), APPROVED)
    f = found[0]
    assert [p.feature for p in f.parts] == [f"x{i:02}" for i in range(13, 3, -1)]
    assert f.rest == pytest.approx(-(1 + 2 + 3 + 4) / 2)
    assert len(f.reasons) == 4


def test_decisions_of_each_task() -> None:
    assert decided(ROWS, DEFAULTED) == ["1", "1", "1", "0", "0", "0"]
    assert decided(ROWS, NUMBERS) == [""] * 6
    (typical,) = local(ROWS, None, settings(), NUMBERS)
    assert (typical.kind, typical.name, typical.decision, typical.reasons) == ("typical", "", "", ())
    one = ROWS.outputs[0]
    flipped = replace(one, label="b", outputs=10 - one.outputs, base=10 - one.base, values=-one.values)
    several = replace(ROWS, outputs=(replace(one, label="a"), flipped), selected=None)
    classes = Target("multiclass", ("a", "b"))
    assert decided(several, classes) == ["b", "b", "a", "a", "a", "a"]
    found = local(several, None, settings(), classes)
    assert [(f.decision, f.output) for f in found] == [("a", 14.0), ("b", 8.5)]
    assert decided(replace(ROWS, selected=None), APPROVED) == [""] * 6
