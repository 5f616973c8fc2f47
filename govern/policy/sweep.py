"""The threshold question: what the rules would say at other thresholds, from the counts in the evidence.

Every rule is judged by its own kind on evidence that holds the counts at that threshold, with the family of
the threshold in force, so the outcomes are those `judge` would give. Exploratory: a threshold chosen on these
rows needs other rows to confirm it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from govern.evidence import OVERALL, Evidence, ThresholdCounts
from govern.metrics import METRICS, own
from govern.policy.answering import Put
from govern.policy.asking import Answer, Documents, Question, calibrates
from govern.policy.fields import Rule, as_list
from govern.policy.measured import at_threshold, of_group
from govern.policy.rules import KINDS
from govern.policy.tasks import primary_of, row_of, setting
from govern.verdict import Finding, Outcome, Settle, Sweep, SweepPoint, SweptQuestion

# Denominators that are the same at every threshold: rows, and rows by true label.
FIXED = (("tp", "fp", "fn", "tn"), ("tp", "fn"), ("fp", "tn"))
# About 0.25 s of comparisons at 20 µs each; beyond them the grid is thinned.
MOST_COMPARISONS = 12_000
EXPLORATORY = ("for exploring: thresholds were tried on the rows they are judged by, so a threshold chosen here needs "
               "other rows to confirm it")

Effect = Callable[[Rule, Answer], Outcome]


def sweep(documents: Documents, puts: Sequence[Put], effect: Effect) -> Sweep | None:
    """The outcomes of the rules that depend on the threshold, at every threshold of the evidence.

    `effect` says what an answer makes of the verdict. Rules of severity info, and rules whose answer needs more
    than the counts at a threshold, are left out; the notes say which. None without thresholds, and where no rule
    depends on the threshold.
    """
    evidence = documents.evidence
    if evidence.task != "binary" or not evidence.thresholds:
        return None
    at = {c.group: c for c in evidence.threshold_counts}
    found = [(put, _why_not(evidence, put, set(at))) for put in puts if not put.shown and _depends(evidence, put)]
    asked = [put for put, why in found if why is None]
    if not asked or OVERALL not in at:
        return None
    in_force = setting(evidence, "threshold")
    places, thinned = _grid(evidence.thresholds, in_force, sum(max(1, len(p.answer.comparisons)) for p in asked))
    metric = _cost(evidence)
    points = tuple(_point(documents, at, i, asked, metric, effect) for i in places)
    meets = [p for p in points if _decides(p) and all(o == "pass" for o in p.outcomes)]
    left_out = sorted({f"left out: {put.rule.id}, {why}" for put, why in found if why})
    return Sweep(
        metric,
        in_force,
        tuple(SweptQuestion(p.rule.id, p.policy, p.metric, p.question.features) for p in asked),
        points,
        tuple(p.threshold for p in meets),
        _cheapest(meets, metric, in_force),
        (EXPLORATORY, *thinned, *left_out),
    )


def with_thresholds(findings: Sequence[Finding], swept: Sweep | None) -> list[Finding]:
    """The findings, those that fail with the nearest threshold at which they would pass."""
    if swept is None or swept.in_force is None:
        return list(findings)
    in_force = swept.in_force
    nearest: dict[SweptQuestion, float] = {}
    for i, question in enumerate(swept.questions):
        passing = [p.threshold for p in swept.points if _decides(p) and p.outcomes[i] == "pass"]
        if passing:
            nearest[question] = min(passing, key=lambda t: (abs(t - in_force), t))
    out = []
    for f in findings:
        threshold = nearest.get(SweptQuestion(f.rule, f.policy, f.metric or "", f.features))
        if f.outcome == "fail" and threshold is not None and f.decision is None:
            settle = f.settle or Settle(f.seen.group if f.seen else None)
            f = replace(f, settle=replace(settle, threshold=threshold))
        out.append(f)
    return out


def _decides(point: SweepPoint) -> bool:
    """Whether some rows are selected and some are not: one answer for everybody has no gaps and decides nothing."""
    return point.selection_rate is not None and 0 < point.selection_rate < 1


def _depends(evidence: Evidence, put: Put) -> bool:
    """Whether the question was answered from predictions that change with the threshold. What has no limit (a table
    that must be published) has the same answer at each."""
    row = METRICS.get(put.metric) or own(evidence.settings).get(put.metric)
    return (
        row is not None
        and (put.answer.minimum is not None or put.answer.maximum is not None)
        and put.question.decision is None
        and put.answer.outcome in ("pass", "fail", "insufficient")
        and row.family in ("count", "derived", "custom")
        and row.name != "prevalence"
    )


def _why_not(evidence: Evidence, put: Put, swept: set[str]) -> str | None:
    """Why the question cannot be answered at other thresholds, None when it can."""
    row, features = row_of(put.metric, evidence), put.question.features
    if not KINDS[put.rule.fields.kind].swept:
        return f"kind {put.rule.fields.kind} is judged at the threshold in force alone"
    if "rule" in (put.rule.fields.when or {}):
        return f"whether it applies depends on the outcome of {' and '.join(as_list(put.rule.fields.when['rule']))}"
    if row.family == "custom":
        return f"{row.title} is a function of the user's own, measured at the threshold in force alone"
    plain = evidence.counts_by_group[OVERALL].sampling is None
    if plain and calibrates(put.rule) and row.family == "count" and row.denominator not in FIXED:
        return f"the denominators of {row.title} change with the threshold, each with an enumeration of its own"
    groups = evidence.feature_groups[features] if features else (evidence.groups_by_id[OVERALL],)
    if any(g.n and g.id not in swept for g in groups):
        return f"{':'.join(features) or 'the sample'} has no counts at other thresholds"
    return None


def _grid(thresholds: tuple[float, ...], in_force: float | None, comparisons: int) -> tuple[list[int], list[str]]:
    """Places of the thresholds to judge, and what is said when they are not all: every k-th and the one in force."""
    step = -(-len(thresholds) * comparisons // MOST_COMPARISONS)
    places = [i for i, t in enumerate(thresholds) if i % step == 0 or t == in_force]
    if step == 1:
        return places, []
    why = f"for the number of comparisons at each ({comparisons:,})"
    return places, [f"{len(places)} of {len(thresholds)} thresholds, {why}"]


def _cost(evidence: Evidence) -> str:
    """The metric the cost of a threshold is counted in: the primary one where it follows from the counts."""
    primary = primary_of(evidence).get("metric")
    row = METRICS.get(str(primary))
    return row.name if row is not None and row.family in ("count", "derived") else "balanced_accuracy"


def _point(swept: Documents, at: dict[str, ThresholdCounts], place: int, asked: Sequence[Put], metric: str,
           effect: Effect) -> SweepPoint:
    evidence = swept.evidence
    wished = setting(evidence, "favourable")
    positive = wished is None or wished == setting(evidence, "positive")
    counts = tuple(at_threshold(c, place, favourable_is_positive=positive) for c in at.values())
    if evidence.thresholds[place] == setting(evidence, "threshold"):
        # The counts that are judged; those by threshold come from binned scores where there are many rows.
        counts = tuple(c for c in evidence.counts if c.group in at)
    documents = replace(swept, evidence=replace(evidence, counts=counts, measurements=()), settling=False)
    rules = {id(p.rule): p.rule for p in asked}
    questions = {key: {_key(q): q for q in KINDS[rule.fields.kind].questions(rule, documents)}
                 for key, rule in rules.items()}
    answers = [questions[id(p.rule)][_key(p.question)].answer(p.family) for p in asked]
    effects = {effect(p.rule, a) for p, a in zip(asked, answers, strict=True)}
    outcome: Outcome = "BLOCK" if "BLOCK" in effects else "REVIEW" if "REVIEW" in effects else "PASS"
    cost, selected = (of_group(documents.evidence, name) for name in (metric, "selection_rate"))
    return SweepPoint(evidence.thresholds[place], outcome, tuple(a.outcome for a in answers),
                      cost.value if cost else None, selected.value if selected else None)


def _key(question: Question) -> tuple[object, ...]:
    """What tells the questions of a rule apart, the same at every threshold."""
    return question.metric, question.features, question.label, question.decision


def _cheapest(meets: Sequence[SweepPoint], metric: str, in_force: float | None) -> float | None:
    sign = -1 if METRICS[metric].better == "lower" else 1
    ranked = [(-sign * p.primary, abs(p.threshold - in_force) if in_force is not None else 0.0, p.threshold)
              for p in meets if p.primary is not None]
    return min(ranked)[2] if ranked else None
