"""What a regression is measured by in one group, however its rows were kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from govern.stats.estimate import Estimate
from govern.stats.means import Share, Sums
from govern.stats.quantiles import Quantile

QUANTILES: Final = {"residual_p5": Fraction(1, 20), "residual_p25": Fraction(1, 4), "residual_p50": Fraction(1, 2),
                    "residual_p75": Fraction(3, 4), "residual_p95": Fraction(19, 20)}
MEANS: Final = ("mean_prediction", "mean_residual", "mean_absolute_error", "mean_squared_error")
ONE_OUTCOME: Final = "all outcomes are equal"


@dataclass(frozen=True)
class RegressionFit:
    """The metrics of a group of `n` rows.

    `sums` of MEANS and of the shares, by name, give means and shares and, taken from those of everyone, those of the
    rest; `plain`: every row counts once and stands for itself. `r2` is R², `quantiles` are those of the residual;
    `binned` where they, the median of predictions and standard errors come from bins of near values.
    """

    n: int
    plain: bool
    sums: dict[str, Sums]
    r2: Estimate
    quantiles: dict[str, Quantile]
    binned: bool = False

    def share(self, name: str) -> Share:
        """share_above_median, and share_above_threshold where there is a threshold."""
        return self.sums[name].share(plain=self.plain)

    def mean(self, name: str) -> Estimate:
        """One of MEANS in its own unit."""
        return self.sums[name].mean()

    @property
    def root_mean_squared_error(self) -> Estimate:
        """The root of the mean squared error, whose standard error it carries (transform square)."""
        return root(self.mean("mean_squared_error"))


def root(squared: Estimate) -> Estimate:
    """The root of an estimate ≥ 0, on the scale of its square."""
    if squared.value is None:
        return squared
    return Estimate(math.sqrt(squared.value), squared.se, "square", squared.status, squared.reason)
