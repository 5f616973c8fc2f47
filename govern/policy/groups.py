"""Which features and groups a rule compares."""

from __future__ import annotations

from decimal import Decimal

from govern.errors import nearest
from govern.evidence import Evidence, Group
from govern.policy.fields import Rule

Features = tuple[str, ...]

SHOWN = 5  # names listed in a reason
_NAMED = {
    "unseen": "not among the declared levels",
    "empty": "without rows",
    "tiny": "fewer than 30 rows",
    "one_class": "all rows with one label",
}

# Role names that shared policies use; one that this evidence lacks is absent, not a slip for another name.
ROLES = (
    "age",
    "disability",
    "ethnicity",
    "gender",
    "marital_status",
    "nationality",
    "race",
    "race_ethnicity",
    "religion",
    "sex",
)


def gated(rule: Rule, evidence: Evidence) -> list[tuple[Features, str | None]]:
    """The features and intersections the rule judges, each with the reason when it is not in the evidence.

    Without `by`: every sensitive feature and asked intersection. A name in `by` that is not in the evidence
    but nearly so is a slip and an InputError; any other is a feature that this evidence does not have.
    """
    groups = evidence.feature_groups
    if not rule.fields.by:
        return [(features, None) for features, of in groups.items() if of[0].asked]
    found: list[tuple[Features, str | None]] = []
    for i, name in enumerate(rule.fields.by):
        wanted = tuple(name.split(":"))
        match = next((f for f in groups if sorted(f) == sorted(wanted)), None)
        if match is None:
            single = [f[0] for f in groups if len(f) == 1]
            slip = next(
                (
                    nearest(part, single)
                    for part in wanted
                    if part not in single and part not in ROLES and nearest(part, single)
                ),
                "",
            )
            if slip:
                raise rule.error(("by", i), f'by: "{name}" is not a sensitive feature of the evidence', slip)
            known = ", ".join(":".join(f) for f in groups) or "none"
            found.append((wanted, f"{name} is not measured as a sensitive feature (measured: {known})"))
        else:
            found.append((match, None))
    return list(dict.fromkeys(found))


def compared(rule: Rule, evidence: Evidence, features: Features) -> list[Group]:
    """The groups of a feature that have rows; those with a missing value only where `missing: include`."""
    include = (rule.fields.missing or rule.terms.missing) == "include"
    return [g for g in evidence.feature_groups[features] if g.n and (include or not g.missing)]


def left_out(rule: Rule, evidence: Evidence, features: Features) -> str | None:
    """What is said about groups that stand outside the comparison or are not like the others: rows with a missing
    or unknown value, groups without rows, undeclared, small and of one label; None without any."""
    groups = evidence.feature_groups[features]
    said = []
    if (getattr(rule.fields, "missing", None) or rule.terms.missing) != "include":
        apart = [(kind, sum(g.n for g in groups if g.missing and (g.status == "unknown") == (kind == "unknown")))
                 for kind in ("missing", "unknown")]
        counted = [f"{n:,} {'row' if n == 1 else 'rows'} with {'a' if kind == 'missing' else 'an'} {kind} value"
                   for kind, n in apart if n]
        said += [" and ".join(counted) + " not compared"] if counted else []
    for status, words in _NAMED.items():
        names = [g.name for g in groups if g.status == status]
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            said.append(f"{words}: {', '.join(names[:SHOWN])}{more}")
    return "; ".join(said) or None


def joined(first: str, second: str | None) -> str:
    """Two parts of a reason, or the first alone."""
    return f"{first}; {second}" if second else first


def is_exempt(rule: Rule, denominator: int, rows: int, all_rows: int) -> bool:
    """Whether a group is too small to hold up a pass: denominator below min_n, or rows below min_share."""
    min_n = rule.fields.min_n if rule.fields.min_n is not None else rule.terms.min_n
    share = rule.fields.min_share if rule.fields.min_share is not None else rule.terms.min_share
    return denominator < min_n or rows < Decimal(str(share)) * all_rows
