"""Whether documents belong together and do not contradict themselves: edited evidence is refused, not judged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

from govern.codec import decode
from govern.errors import InputError, printable
from govern.evidence import OVERALL, Compute, Counts, Evidence, Group, Measurement, Sampling, ThresholdCounts
from govern.lock import Lock, flaw
from govern.policy.measured import at_threshold
from govern.policy.tasks import setting
from govern.stats.effective import CELLS, PLACES

EDITED = "it was edited; measure again"
# Sums are rounded once each: beyond this share of their size they do not belong together.
ROUNDING = 1e-9


def check(evidence: Evidence, judged: Mapping[str, str], compute: Compute | None,
          baseline: Evidence | None = None) -> None:
    """Raises InputError for documents that do not belong together or contradict themselves."""
    _check_evidence(evidence)
    if compute is not None and judged.get("evidence", compute.evidence_sha256) != compute.evidence_sha256:
        raise InputError("was measured with other evidence", where="compute", fix="give the two files of one run")
    if baseline is not None:
        _check_baseline(evidence, baseline)


def _check_baseline(evidence: Evidence, baseline: Evidence) -> None:
    """A baseline must be sound itself, and answer the same question: the same task and labels."""
    try:
        _check_evidence(baseline)
    except InputError as err:
        raise InputError(err.what, where="baseline", fix=err.fix) from None
    fix = "give the evidence of an earlier version of this model"
    if baseline.task != evidence.task:
        what = f"is of a {baseline.task} task, the evidence of a {evidence.task} one"
        raise InputError(what, where="baseline", fix=fix)
    for name in ("positive", "favourable"):
        one, other = setting(baseline, name), setting(evidence, name)
        if one is not None and other is not None and one != other:
            raise InputError(f"has {name} label {printable(one)}, the evidence {printable(other)}", where="baseline",
                             fix=fix)


def _check_evidence(evidence: Evidence) -> None:
    everyone = evidence.groups_by_id.get(OVERALL)
    counted = {label for group, label in evidence.counts_by_label if group == OVERALL}
    needs = {"binary": None in counted, "multiclass": bool(counted - {None}), "regression": True}
    if everyone is None or not needs[evidence.task]:
        raise InputError("has no counts over all rows", where="evidence", fix="measure again")
    for counts in evidence.counts:
        _check_counts(evidence, counts)
    for confusion in evidence.confusions:
        group = evidence.groups_by_id.get(confusion.group)
        sizes = {len(confusion.n), *map(len, confusion.n)}
        if group is None or len(sizes) > 1 or min(map(min, confusion.n), default=0) < 0 \
                or sum(map(sum, confusion.n)) != group.n:
            raise _contradicts("confusion matrix", confusion.group, "rows")
    for m in evidence.measurements:
        _check_ratio(m)
    _check_thresholds(evidence)
    _check_lock(evidence)


def _check_lock(evidence: Evidence) -> None:
    """The lock that was recorded must be what its digest says."""
    recorded = evidence.subject("policy-lock")
    if recorded is None and not evidence.lock:
        return
    try:
        wrong = flaw(decode(Lock, dict(evidence.lock)), recorded.sha256 if recorded else "")
    except ValueError as err:
        wrong = str(err)
    if wrong is not None:
        raise InputError(f"the recorded lock contradicts itself: {wrong}", where="evidence", fix=EDITED)


def _check_counts(evidence: Evidence, c: Counts) -> None:
    group = evidence.groups_by_id.get(c.group)
    if (
        group is None
        or min(c.tp, c.fp, c.fn, c.tn) < 0
        or c.tp + c.fp + c.fn + c.tn != group.n
        or not 0 <= c.selected <= group.n
        or (c.label is not None and c.selected != c.tp + c.fp)
    ):
        raise InputError(f"the counts of group {c.group} contradict its rows", where="evidence", fix=EDITED)
    if c.sampling is None:
        return
    everyone = evidence.counts_by_label.get((OVERALL, c.label))
    if not _possible(c, c.sampling) or everyone is None or everyone.sampling is None \
            or not _part_of(c.sampling, everyone.sampling):
        raise _contradicts("sums of weights", c.group, "counts")


def _possible(counts: Counts, s: Sampling) -> bool:
    """Whether weights of 0 or more have such sums: Σw² ≤ (Σw)² ≤ n·Σw² in each cell, the latter and
    (Σab)² ≤ Σa²·Σb² between two cells by Cauchy and Schwarz."""
    if len(s.moments) != len(PLACES) or not all(math.isfinite(m) and m >= 0 for m in s.moments):
        return False
    for i, cell in enumerate(CELLS):
        total, n, square = getattr(s, cell), getattr(counts, cell), s.moments[PLACES[i, i]]
        squared = total * total
        if not math.isfinite(total) or total < 0 or squared > n * square * (1 + ROUNDING) \
                or square > squared * (1 + ROUNDING):
            return False
    return all(s.moments[place] ** 2 <= s.moments[PLACES[a, a]] * s.moments[PLACES[b, b]] * (1 + ROUNDING)
               for (a, b), place in PLACES.items())


def _part_of(part: Sampling, whole: Sampling) -> bool:
    sums = all(getattr(part, cell) <= getattr(whole, cell) * (1 + ROUNDING) for cell in CELLS)
    return sums and all(p <= w * (1 + ROUNDING) for p, w in zip(part.moments, whole.moments, strict=True))


def _check_ratio(m: Measurement) -> None:
    """Every ratio of counts or sums, and that of its reference, lies from 0 to 1."""
    for top, bottom in ((m.numerator, m.denominator), (m.reference_numerator, m.reference_denominator)):
        if top is not None and bottom is not None and not 0 <= top <= bottom * (1 + ROUNDING):
            what = f"the counts of {m.metric} ({m.slice or m.decision or m.group}) are no ratio: {top:g} of {bottom:g}"
            raise InputError(what, where="evidence", fix=EDITED)


def _check_thresholds(evidence: Evidence) -> None:
    grid = evidence.thresholds
    if any(not one < two for one, two in pairwise(grid)):
        raise InputError("the thresholds do not rise", where="evidence", fix=EDITED)
    for swept in evidence.threshold_counts:
        group = evidence.groups_by_id.get(swept.group)
        if group is None or not _sweeps(swept, group, len(grid)):
            raise _contradicts("counts by threshold", swept.group, "rows")
        own = evidence.counts_by_group.get(swept.group)
        if own is None or not _weighs(swept, own.sampling):
            raise _contradicts("sums of weights by threshold", swept.group, "counts")


def _sweeps(swept: ThresholdCounts, group: Group, length: int) -> bool:
    """Whether the counts are those of the group's rows at a rising threshold: fewer and fewer are positive.

    They need not be the counts that were judged: where scores are binned, rows next to a threshold may lie on its
    other side.
    """
    cells = (swept.tp, swept.fp, swept.fn, swept.tn)
    if any(len(cell) != length or any(v < 0 for v in cell) for cell in cells):
        return False
    falls = all(a >= b for cell in (swept.tp, swept.fp) for a, b in pairwise(cell))
    return falls and all(tp + fn == group.n_positive and tp + fp + fn + tn == group.n
                         for tp, fp, fn, tn in zip(*cells, strict=True))


def _weighs(swept: ThresholdCounts, own: Sampling | None) -> bool:
    """Whether the sums of weights are possible at each threshold and add up to the group's, where it has such sums."""
    if own is None:
        return not swept.sums and not swept.moments
    length, labels = len(swept.tp), (own.tp + own.fn, own.fp + own.tn)
    if len(swept.sums) != len(CELLS) or len(swept.moments) != len(PLACES) \
            or any(len(s) != length for s in swept.sums) or any(len(m) not in (0, length) for m in swept.moments):
        return False
    for place in range(length):
        counts = at_threshold(swept, place)
        s = counts.sampling
        if s is None or not _possible(counts, s) \
                or any(not math.isclose(*pair, rel_tol=ROUNDING) for pair in zip((s.tp + s.fn, s.fp + s.tn), labels,
                                                                                strict=True)):
            return False
    return True


def _contradicts(what: str, group: str, other: str) -> InputError:
    return InputError(f"the {what} of group {group} contradict its {other}", where="evidence", fix=EDITED)
