"""The threshold question: what the rules would say at other thresholds."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from policy_evidence import evidence
from task_evidence import Scored, swept, swept_weighted

from govern.codec import decode, document, encode
from govern.errors import InputError
from govern.evidence import Evidence
from govern.policy import sweep as module
from govern.policy.packs import load_policy
from govern.policy.rules import KINDS
from govern.verdict import Finding, Sweep, Verdict

Judge = Callable[..., Verdict]
RATIO = ("- {id: R, kind: disparity, title: t, basis: house, severity: review, metric: selection_rate, "
         "compare: ratio, against: any, min: 0.80}\n")
LEAST = ("- {id: A, kind: bound, title: t, basis: house, severity: block, metric: [accuracy, precision], min: 0.55}\n"
         "- {id: T, kind: disparity, title: t, basis: house, severity: warn, metric: true_positive_rate, "
         "compare: difference, against: overall, min: -0.2}\n"
         "- {id: F, kind: disparity, title: t, basis: house, severity: review, metric: f1_score, "
         "compare: difference, against: any, max: 0.15}\n")
GRID = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def people(n: int, shift: float, seed: int) -> Scored:
    """Rows with the positive label and its score, which is lower by `shift`."""
    draw = random.Random(seed)
    labels = [draw.random() < 0.4 for _ in range(n)]
    return [(y, min(1.0, max(0.0, draw.betavariate(5, 3) - (0 if y else 0.25) - shift))) for y in labels]


ROWS: Mapping[str, Scored] = {"men": people(1500, 0.0, 1), "women": people(1500, 0.1, 2)}
FOUND = swept(ROWS, GRID, 0.5)


def of(result: Verdict) -> Sweep:
    assert result.sweep is not None
    return result.sweep


def outcomes(findings: tuple[Finding, ...]) -> list[str]:
    return [f.outcome for f in findings if f.metric not in (None, "support")]


@pytest.mark.parametrize("favourable", ["1", "0"])
def test_every_point_is_what_the_gate_says_at_that_threshold(verdict: Judge, favourable: str) -> None:
    found = swept(ROWS, GRID, 0.5, favourable=favourable)
    rules = RATIO + LEAST
    sweep = of(verdict(found, rules))
    assert [p.threshold for p in sweep.points] == list(GRID)
    assert [(q.rule, q.metric) for q in sweep.questions] == [
        ("R", "selection_rate"), ("A", "accuracy"), ("A", "precision"), ("T", "true_positive_rate"),
        ("F", "f1_score")]
    seen = set()
    for point in sweep.points:
        there = verdict(swept(ROWS, GRID, point.threshold, favourable=favourable), rules)
        assert list(point.outcomes) == outcomes(there.findings)
        assert point.outcome == there.outcome
        counts = swept(ROWS, GRID, point.threshold, favourable=favourable).counts[0]
        assert point.selection_rate == counts.selected / 3000
        tpr, tnr = counts.tp / (counts.tp + counts.fn), counts.tn / (counts.tn + counts.fp)
        assert point.primary == pytest.approx((tpr + tnr) / 2)
        seen.update(point.outcomes)
    assert {"pass", "fail"} <= seen


def test_the_family_is_that_of_the_threshold_in_force(verdict: Judge) -> None:
    """A rule that has nothing to decide at some thresholds makes no other rule's fail easier there."""
    rules = RATIO + LEAST + RATIO.replace("id: R", "id: Q").replace("0.80", "0.70")
    sweep = of(verdict(FOUND, rules))
    none_selected = next(p for p in of(verdict(swept(ROWS, (0.5, 1.5), 0.5), rules)).points if p.threshold == 1.5)
    assert none_selected.outcomes[0] == "insufficient" and none_selected.primary == 0.5
    for point in sweep.points:
        there = verdict(swept(ROWS, GRID, point.threshold), rules)
        assert list(point.outcomes) == outcomes(there.findings)


def test_a_failing_finding_names_the_nearest_threshold_that_passes(verdict: Judge) -> None:
    result = verdict(FOUND, RATIO)
    finding, sweep = result.findings[0], of(result)
    passing = [p.threshold for p in sweep.points if p.outcomes == ("pass",)]
    assert finding.outcome == "fail" and passing
    assert finding.settle and finding.settle.threshold == min(passing, key=lambda t: (abs(t - 0.5), t))
    assert sweep.meets == tuple(passing) and sweep.cheapest in passing
    there = {p.threshold: p for p in sweep.points}
    best = max(p.primary for t, p in there.items() if t in passing and p.primary is not None)
    assert there[sweep.cheapest].primary == best if sweep.cheapest is not None else False
    assert "other rows to confirm" in sweep.notes[0] and sweep.in_force == 0.5
    equal = verdict(swept({"men": ROWS["men"], "women": ROWS["men"]}, GRID, 0.5), RATIO)
    assert equal.findings[0].outcome == "pass"
    assert equal.findings[0].settle is None or equal.findings[0].settle.threshold is None


def test_one_answer_for_everybody_meets_nothing(verdict: Judge) -> None:
    result = verdict(swept(ROWS, (0.0, 0.5), 0.5), RATIO)
    sweep = of(result)
    assert sweep.points[0].outcomes == ("pass",) and sweep.points[0].selection_rate == 1.0
    assert (sweep.meets, sweep.cheapest) == ((), None)
    assert result.findings[0].settle and result.findings[0].settle.threshold is None


def test_the_cost_is_counted_in_the_primary_metric_where_it_follows_from_counts(verdict: Judge) -> None:
    for declared, metric in (({"metric": "f1_score"}, "f1_score"), ({"metric": "roc_auc"}, "balanced_accuracy"),
                             ({"metric": "false_positive_rate"}, "false_positive_rate")):
        sweep = of(verdict(replace(FOUND, declared={"primary": declared}), RATIO))
        assert sweep.metric == metric
        meets = {p.threshold: p.primary for p in sweep.points if p.threshold in sweep.meets and p.primary is not None}
        best = min(meets.values()) if metric == "false_positive_rate" else max(meets.values())
        assert sweep.cheapest is not None and meets[sweep.cheapest] == best


def test_what_does_not_depend_on_the_threshold_is_left_out(verdict: Judge) -> None:
    rules = (RATIO + RATIO.replace("id: R", "id: I").replace("review", "info")
             + "- {id: P, kind: bound, title: t, basis: house, severity: block, metric: prevalence, max: 0.9}\n"
             + "- {id: S, kind: support, title: t, basis: house, severity: review}\n")
    sweep = of(verdict(FOUND, rules))
    assert [q.rule for q in sweep.questions] == ["R"] and len(sweep.notes) == 1
    only = "- {id: S, kind: support, title: t, basis: house, severity: review}\n"
    assert verdict(FOUND, only).sweep is None


def test_rules_without_counts_at_other_thresholds_are_named(verdict: Judge) -> None:
    without = replace(FOUND, threshold_counts=FOUND.threshold_counts[:2])
    sweep = of(verdict(without, RATIO + LEAST))
    assert [(q.rule, q.metric) for q in sweep.questions] == [("A", "accuracy"), ("A", "precision")]
    assert sweep.notes[1:] == ("left out: F, x has no counts at other thresholds",
                               "left out: R, x has no counts at other thresholds",
                               "left out: T, x has no counts at other thresholds")
    calibrated = LEAST.replace("min: 0.55", "min: 0.55, calibrate: true")
    sweep = of(verdict(FOUND, calibrated))
    assert "precision" not in [q.metric for q in sweep.questions] and "precision change" in sweep.notes[1]


def test_rules_that_wait_for_others_and_kinds_that_are_not_swept_are_named(
        verdict: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = LEAST.splitlines(keepends=True)[0].replace("min: 0.55", "min: 0.55, when: {rule: R, outcome: [fail, pass]}")
    words = ("- {id: W, kind: document, title: t, basis: house, severity: review, each: {rule: R}, fields: [harms], "
             "in: card.harms, key: group}\n")
    result = verdict(FOUND, RATIO + waits + words)
    assert [(f.rule, f.outcome) for f in result.findings][-1] == ("W", "fail")
    sweep = of(result)
    assert [q.rule for q in sweep.questions] == ["R"]
    assert sweep.notes[1:] == ("left out: A, whether it applies depends on the outcome of R",)
    # A condition that holds or not whatever the threshold is heeded like any other.
    still = RATIO.replace("0.80}", "0.80, when: {phase: team}}")
    assert of(verdict(FOUND, still)).points == of(verdict(FOUND, RATIO)).points
    assert verdict(FOUND, still.replace("team", "desk")).sweep is None
    monkeypatch.setitem(KINDS, "bound", replace(KINDS["bound"], swept=False))
    notes = of(verdict(FOUND, RATIO + LEAST)).notes
    assert notes[1:] == ("left out: A, kind bound is judged at the threshold in force alone",)


def test_no_sweep_without_thresholds(verdict: Judge) -> None:
    assert verdict(replace(FOUND, thresholds=(), threshold_counts=()), RATIO).sweep is None


def weighing(persons: int) -> dict[str, list[tuple[bool, float, float, int]]]:
    """The rows with weights of 0.5 to 2.5, `persons` rows to a person."""
    return {name: [(y, s, 0.5 + (i * 7 % 5) / 2, i // persons + 10_000 * (name == "men"))
                   for i, (y, s) in enumerate(rows)] for name, rows in ROWS.items()}


@pytest.mark.parametrize("persons", [1, 3])
def test_weights_and_persons_are_swept_as_the_gate_judges_them(verdict: Judge, persons: int) -> None:
    rows, rules = weighing(persons), RATIO + LEAST
    sweep = of(verdict(swept_weighted(rows, GRID, 0.5), rules))
    assert [p.threshold for p in sweep.points] == list(GRID)
    seen = set()
    for point in sweep.points:
        there = verdict(swept_weighted(rows, GRID, point.threshold), rules)
        assert list(point.outcomes) == outcomes(there.findings) and point.outcome == there.outcome
        seen.update(point.outcomes)
    assert {"pass", "fail"} <= seen
    above, every = (sum(w for r in rows.values() for _, s, w, _ in r if s >= t) for t in (0.3, 0.0))
    assert sweep.points[2].selection_rate == pytest.approx(above / every)
    assert sweep.points != of(verdict(FOUND, rules)).points


def test_calibrated_rules_are_swept_where_weights_leave_nothing_to_enumerate(verdict: Judge) -> None:
    rules = LEAST.replace("min: 0.55", "min: 0.55, calibrate: true")
    sweep = of(verdict(swept_weighted(weighing(1), GRID, 0.5), rules))
    assert "precision" in [q.metric for q in sweep.questions]


def test_sums_of_weights_by_threshold_that_contradict_the_counts_are_refused(verdict: Judge) -> None:
    found = swept_weighted(weighing(1), GRID, 0.5)
    first = found.threshold_counts[0]
    tp, *others = first.sums
    more = ((tp[0] * 1.01, *tp[1:]), *others)
    for edited in ({"sums": ()}, {"sums": more}, {"sums": first.sums[:3]}, {"moments": first.moments[:9]},
                   {"moments": ((0.0,) * len(GRID), *first.moments[1:])}, {"moments": ((1.0,), *first.moments[1:])}):
        with pytest.raises(InputError, match="sums of weights by threshold of group overall contradict"):
            verdict(torn(found, **edited), RATIO)
    with pytest.raises(InputError, match="sums of weights by threshold"):
        verdict(torn(FOUND, sums=((1.0,) * len(GRID),) * 4), RATIO)


def test_without_a_threshold_in_force_nothing_is_nearest(verdict: Judge) -> None:
    own = replace(FOUND, settings={"model": {"name": "m"}, "data": {"positive": "1", "favourable": "1"}})
    result = verdict(own, RATIO)
    assert of(result).in_force is None and of(result).meets
    assert result.findings[0].settle is None or result.findings[0].settle.threshold is None


def test_many_comparisons_thin_the_grid_and_say_so(verdict: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_COMPARISONS", 3)
    sweep = of(verdict(FOUND, RATIO))
    assert [p.threshold for p in sweep.points] == [0.1, 0.4, 0.5, 0.7]
    assert sweep.notes[1] == "4 of 9 thresholds, for the number of comparisons at each (1)"


def test_the_sweep_is_stored_and_the_baseline_has_one(verdict: Judge) -> None:
    result = verdict(FOUND, policies=[load_policy("baseline")])
    assert decode(Verdict, encode(result)) == result
    assert document(result) == document(verdict(FOUND, policies=[load_policy("baseline")]))
    assert [(q.rule, q.metric) for q in of(result).questions] == [
        ("BASE-08", "selection_rate"), ("BASE-09", "true_positive_rate"), ("BASE-09", "false_positive_rate")]
    place = GRID.index(0.5)
    in_force = [f.outcome for f in result.findings if f.rule in ("BASE-08", "BASE-09") and f.outcome != "n/a"]
    assert list(of(result).points[place].outcomes) == in_force


def test_at_the_threshold_in_force_the_judged_counts_are_taken(verdict: Judge) -> None:
    """Of binned scores the counts by threshold may be a few rows off."""
    place = GRID.index(0.5)
    off = tuple(replace(c, tp=(*c.tp[:place], c.tp[place] - 1, *c.tp[place + 1:]),
                        fn=(*c.fn[:place], c.fn[place] + 1, *c.fn[place + 1:])) for c in FOUND.threshold_counts)
    assert of(verdict(replace(FOUND, threshold_counts=off), RATIO + LEAST)) == of(verdict(FOUND, RATIO + LEAST))


def torn(found: Evidence, **cells: Any) -> Evidence:
    return replace(found, threshold_counts=(replace(found.threshold_counts[0], **cells), *found.threshold_counts[1:]))


def test_counts_by_threshold_that_contradict_themselves_are_refused(verdict: Judge) -> None:
    first = FOUND.threshold_counts[0]
    moved = (first.tp[0] - 1, *first.tp[1:])
    for edited in (torn(FOUND, tp=first.tp[:-1]), torn(FOUND, tp=moved),
                   torn(FOUND, tp=moved, fn=(first.fn[0] + 1, *first.fn[1:]), fp=tuple(reversed(first.fp))),
                   torn(FOUND, group="g9")):
        with pytest.raises(InputError, match="counts by threshold of group"):
            verdict(edited, RATIO)
    with pytest.raises(InputError, match="the thresholds do not rise"):
        verdict(replace(FOUND, thresholds=tuple(reversed(GRID))), RATIO)


def test_older_evidence_has_no_sweep(verdict: Judge) -> None:
    result = verdict(evidence({"x": {"a": (10, 10, 10, 10), "b": (10, 10, 10, 10)}}), RATIO)
    assert result.sweep is None and not re.search(rb'"sweep"', document(result))


FIFTHS = "- {id: F, kind: four-fifths, title: t, basis: convention, severity: review}\n"


def test_the_four_fifths_convention_is_judged_at_every_threshold(verdict: Judge) -> None:
    sweep = of(verdict(FOUND, FIFTHS))
    assert [(q.rule, q.metric) for q in sweep.questions] == [("F", "selection_rate")]
    for place, point in enumerate(sweep.points):
        there = verdict(swept(ROWS, GRID, GRID[place]), FIFTHS).findings[0]
        assert there.outcome == point.outcomes[0]
    assert len({p.outcomes for p in sweep.points}) > 1


def test_words_tables_and_comparisons_with_other_data_are_no_questions_of_the_threshold(verdict: Judge) -> None:
    rules = (RATIO + "- {id: D, kind: document, title: t, basis: house, severity: warn, fields: [owner]}\n"
             "- {id: T, kind: table, title: t, basis: law, severity: block, of: groups}\n"
             "- {id: C, kind: compare, title: t, basis: house, severity: review, metric: accuracy, against: baseline, "
             "min: -0.05}\n")
    card = replace(FOUND, card={"owner": "A. Owner"})
    sweep = of(verdict(card, rules, baseline=FOUND))
    assert [q.rule for q in sweep.questions] == ["R"]
    assert [n for n in sweep.notes if n.startswith("left out")] == [
        "left out: C, kind compare is judged at the threshold in force alone"]
