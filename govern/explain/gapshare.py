"""How much of a gap between groups runs through one feature, as rules judge it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from govern.evidence import Measurement
from govern.explanations import Gap


def measurements(gaps: Sequence[Gap]) -> Iterator[Measurement]:
    """gap_share of each gap in the mean output that is beyond chance (its interval leaves out 0): the largest |part| as
    a share of the sum of all |parts|, with the feature that it is of.

    Parts that point against each other do not shrink the sum, so that the share stays within 0 to 1; what all further
    features contribute together counts as one part.
    """
    for gap in gaps:
        total = sum(abs(part.value) for part in (*gap.parts, *([gap.others] if gap.others else [])))
        beyond = gap.low is not None and gap.high is not None and (gap.low > 0 or gap.high < 0)
        if gap.of != "output" or not beyond or not total > 0:
            continue
        largest = max(gap.parts, key=lambda part: abs(part.value))
        yield Measurement("gap_share", abs(largest.value) / total, group=gap.group, reference=gap.reference,
                          slice=f"column: {largest.feature}", label=gap.label)
