"""What else is asked of the explained rows: what becomes `Evidence.explanation`, beside the attributions."""

from __future__ import annotations

from collections.abc import Callable

from govern.evidence import OVERALL
from govern.explain.explained import ExplainedRows
from govern.explain.gaps import gaps
from govern.explain.gapshare import measurements as of_gaps
from govern.explain.local import Chosen
from govern.explain.single import single
from govern.explain.varied import answers
from govern.explanations import Explanation
from govern.inputs.chosen import Cases
from govern.inputs.labels import Target
from govern.inputs.settings import ExplainSettings
from govern.measure.explaining import Explaining, Found
from govern.measure.from_cube import Numbers
from govern.worker.client import Worker
from govern.worker.replies import Described


def explanation(found: Found, explaining: Explaining, cases: Cases | None, worker: Worker, described: Described,
                positive: str | None, settings: ExplainSettings, target: Target, out: Numbers
                ) -> tuple[Explanation, tuple[str, ...]]:
    """All that is found besides the attributions, and notes; measurements are added to those of `out`."""
    others = None if cases is None else explaining.others(cases.batch)
    order = [a.feature for a in found.attributions.features if a.group == OVERALL and a.label is None]
    ask = answers(worker, described, positive, [output.label for output in found.rows.outputs])
    chosen, notes = _chosen(cases, others)
    one = single(found.rows, ask, order, settings, target, chosen)
    asked = [g for g in out.groups if g.features and g.asked and not g.within]
    parted, left_out = gaps(found.rows, asked, found.proxies, level=found.attributions.level,
                            seed=found.attributions.seed)
    out.measurements += [*one.measurements, *of_gaps(parted)]
    return Explanation(parted, found.proxies, one.shapes, one.reason_codes, one.locals), (*notes, *left_out)


def _chosen(cases: Cases | None, others: Callable[[], ExplainedRows] | None) -> tuple[Chosen | None, tuple[str, ...]]:
    """The rows of the cases, explained, and what is to be noted of them."""
    if cases is None or others is None:
        return None, ()
    rows = others()
    left = len(cases.names) - rows.n
    notes = [f"{left} of {len(cases.names)} rows asked for were not explained: the budget allowed no more."] if left \
        else []
    return Chosen(cases.names[: rows.n], rows), (*cases.notes, *notes)
