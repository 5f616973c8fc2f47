"""The same group and the same number in the evidence of the version in service."""

from __future__ import annotations

from fractions import Fraction

from govern.evidence import Evidence, Group
from govern.policy.asking import exact
from govern.policy.measured import of_group
from govern.policy.quantities import Bound, Difference, Quantity, Rate, Ratio, ScoreDifference


def same_group(baseline: Evidence, group: Group) -> Group | None:
    """The group of `baseline` with the same values of the same features, None when it has none with rows. Ids are
    numbered anew in each evidence, so only names tell."""
    wanted = set(zip(group.features, group.values, strict=True))
    return next((g for g in baseline.groups if not g.within and g.n and len(g.features) == len(group.features)
                 and set(zip(g.features, g.values, strict=True)) == wanted), None)


def value_in(baseline: Evidence, metric: str, group: Group, label: str | None = None) -> Bound | None:
    """The baseline's value of a metric of the same group, exact for ratios of counts; None where it has none."""
    same = same_group(baseline, group)
    found = None if same is None else of_group(baseline, metric, same.id, label)
    return None if found is None else exactly(found)


def exactly(quantity: Quantity) -> Bound | None:
    """An estimate as an exact number: a fraction for ratios of counts and what is compared of them, else the shortest
    decimal of its float; None where it is undefined."""
    if quantity.value is None:
        return None
    if isinstance(quantity, Rate):
        return Fraction(*quantity.exact)
    if isinstance(quantity, Difference | Ratio):
        a, b = Fraction(*quantity.a.exact), Fraction(*quantity.b.exact)
        return a - b if isinstance(quantity, Difference) else a / b
    if isinstance(quantity, ScoreDifference) and quantity.a.value is not None and quantity.b.value is not None:
        return exact(quantity.a.value) - exact(quantity.b.value)
    return exact(quantity.value)
