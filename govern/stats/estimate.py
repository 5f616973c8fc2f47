"""An estimate with its standard error, as every metric without counts of its own is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard error `se` on the scale of `transform` (see intervals.transformed).

    status "ok": value and se are set. "too_few": the value is set but too little data stand behind it for an
    interval. "undefined": no value. `reason` says why, for people, unless "ok".
    """

    value: float | None
    se: float | None = None
    transform: str = "identity"
    status: Literal["ok", "too_few", "undefined"] = "ok"
    reason: str | None = None


def undefined(reason: str) -> Estimate:
    """An estimate without a value."""
    return Estimate(None, status="undefined", reason=reason)
