"""What is asked of the rows themselves: missing values, repeated rows, conflicting labels, columns that tell all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from govern.evidence import Measurement
from govern.inputs.labels import Target
from govern.measure.columnfacts import ColumnFacts
from govern.measure.datafacts import Facts
from govern.measure.rowkeys import MOST_KEYS

# Rows in which one of these is missing are not used, or refused, or are a person of their own, or did not reach a step.
NEVER_MISSING = ("target", "weight", "score", "prediction", "cluster", "decision")
TOO_MANY = f"more than {MOST_KEYS:,} rows, of which the keys are not kept"
NO_FEATURES = "no column is known to be a feature; name them with --feature"


def of_rows(facts: Facts, target: Target) -> Iterator[Measurement]:
    """Missing values of every column, repeated rows, conflicting labels, and how well each feature alone tells the
    target of a classification.

    Shares count rows, whatever their weight. Repeated rows and conflicting labels are undefined above about a million
    rows, conflicting labels also without features and in a regression.
    """
    yield from missing_shares(facts.columns.values(), facts.rows)
    yield duplicate_share(facts)
    yield _conflicts(facts, target)
    if target.task != "regression":
        features = list(facts.columns.values())[: facts.features]
        yield from (_alone(column, facts, target) for column in features)


def missing_shares(columns: Iterable[ColumnFacts], rows: int, split: str = "eval") -> Iterator[Measurement]:
    """missing_share of every column that may have missing values."""
    for c in columns:
        if c.role not in NEVER_MISSING:
            yield Measurement("missing_share", c.missing / rows, numerator=c.missing, denominator=rows,
                              slice=f"column: {c.name}", split=split)


def duplicate_share(facts: Facts, split: str = "eval") -> Measurement:
    """duplicate_share: rows equal to an earlier one in every used column."""
    if facts.keys is None:
        return Measurement("duplicate_share", None, "undefined", TOO_MANY, split=split)
    n = facts.keys.duplicates
    return Measurement("duplicate_share", n / facts.rows, numerator=n, denominator=facts.rows, split=split)


def _conflicts(facts: Facts, target: Target) -> Measurement:
    n = None if facts.keys is None or target.task == "regression" else facts.keys.conflicts
    if n is None:
        why = TOO_MANY if facts.features else NO_FEATURES
        why = "a regression has no labels" if target.task == "regression" else why
        return Measurement("label_conflict_share", None, "undefined", why)
    return Measurement("label_conflict_share", n / facts.rows, numerator=n, denominator=facts.rows)


def _alone(column: ColumnFacts, facts: Facts, target: Target) -> Measurement:
    found, name = column.alone(facts.by_class), f"column: {column.name}"
    if isinstance(found, str) or found.value is None or found.label is None:
        why = found if isinstance(found, str) else "all rows have the same label"
        return Measurement("single_feature_auc", None, "undefined", why, slice=name)
    of = f'of the class "{target.classes[found.label]}" against all others' if target.task == "multiclass" else None
    return Measurement("single_feature_auc", found.value, reason=of, slice=name)
