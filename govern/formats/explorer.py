"""What the page is given to explore thresholds with: counts of the evidence, outcomes of the verdict.

The page divides counts and looks outcomes up; it never holds a number against a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from govern.errors import printable
from govern.evidence import OVERALL, Counts, Evidence, Group, Measurement, ThresholdCounts
from govern.formats.cells import value
from govern.formats.exploring import threshold_text
from govern.formats.naming import metric_name, name_of, pick
from govern.formats.numbers import percent
from govern.formats.strings import Strings
from govern.formats.words import MARKS
from govern.verdict import Sweep, Verdict

View = dict[str, Any]
# Sums of weights are for rates of three or four digits.
DIGITS = 7


def explorer(evidence: Evidence, verdict: Verdict | None, t: Strings) -> View | None:
    """The thresholds of the verdict's sweep with, at each, what the rules say and every group's counts; None where
    no threshold was tried.

    Of each group `p` and `q` are its rows with and without the positive label, `tp` and `fp` those of them that are
    predicted positive at each threshold; with weights their sums stand beside as `w`.
    """
    swept = verdict.sweep if verdict else None
    if verdict is None or swept is None or not swept.points:
        return None
    place = {x: i for i, x in enumerate(evidence.thresholds)}
    at = {c.group: c for c in evidence.threshold_counts}
    if OVERALL not in at or any(p.threshold not in place for p in swept.points):
        return None
    places = [place[p.threshold] for p in swept.points]
    grid = [p.threshold for p in swept.points]
    force = grid.index(swept.in_force) if swept.in_force in grid else None

    def drawn(groups: Sequence[Group]) -> list[View]:
        return [_group(name_of(g, t), g, at[g.id], evidence.counts_by_group.get(g.id), places, force)
                for g in groups if g.id in at]

    data = evidence.settings.get("data", {})
    wished = data.get("favourable")
    return {
        "thresholds": [threshold_text(x) for x in grid],
        "force": force,
        "cheapest": grid.index(swept.cheapest) if swept.cheapest in grid else None,
        "metric": metric_name(swept.metric, t),
        "primary": [value(Measurement(swept.metric, p.primary)) for p in swept.points],
        "selected": ["–" if p.selection_rate is None else percent(p.selection_rate) for p in swept.points],
        "together": [p.outcome for p in swept.points],
        "questions": _questions(verdict, swept, t),
        "outcomes": [[MARKS[o] for o in p.outcomes] for p in swept.points],
        # Whether those predicted positive are the ones who receive the favourable outcome.
        "positive": wished is None or wished == data.get("positive"),
        "everyone": drawn([evidence.groups_by_id[OVERALL]]),
        "features": [{"name": printable(":".join(k)), "groups": made} for k, groups in evidence.feature_groups.items()
                     if (made := drawn(groups))],
    }


def _questions(verdict: Verdict, swept: Sweep, t: Strings) -> list[View]:
    titles = {(f.policy, f.rule): printable(pick(f.title, t("lang")), 200) for f in verdict.findings}
    return [{"rule": printable(q.rule), "title": titles.get((q.policy, q.rule), ""),
             "policy": printable(q.policy), "of": printable(":".join(q.features)), "metric": metric_name(q.metric, t)}
            for q in swept.questions]


def _group(name: str, group: Group, at: ThresholdCounts, judged: Counts | None, places: Sequence[int],
           force: int | None) -> View:
    """A group's counts at the places; at the threshold in force those that were judged."""
    tp, fp = ([of[i] for i in places] for of in (at.tp, at.fp))
    out: View = {"name": name, "known": not group.missing, "p": at.tp[0] + at.fn[0],
                 "q": at.fp[0] + at.tn[0], "tp": tp, "fp": fp}
    if at.sums:
        sums = [[_short(of[i]) for i in places] for of in at.sums[:2]]
        out["w"] = {"p": _short(at.sums[0][0] + at.sums[2][0]), "q": _short(at.sums[1][0] + at.sums[3][0]),
                    "tp": sums[0], "fp": sums[1]}
    if force is not None and judged is not None:
        tp[force], fp[force] = judged.tp, judged.fp
        if at.sums and judged.sampling is not None:
            out["w"]["tp"][force], out["w"]["fp"][force] = _short(judged.sampling.tp), _short(judged.sampling.fp)
    return out


def _short(weight: float) -> float:
    return float(f"{weight:.{DIGITS}g}")
