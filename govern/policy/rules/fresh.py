"""Whether a date is recent enough: the last day of the data, or a day that the card names.

How it is computed: the days from that day to the day of the decision, held against `max_days`. `of: data` is the last
day of the date column (`--date`) or, without one, the end of the declared period (`--period`); `of: card.FIELD` a day
that the card gives. A day that lies after the decision fails, one day of time zones allowed, and so does a text that is
no day.

How to read it: a pass holds until its last good day, which the verdict's `valid_until` heeds.

Strengths: the same evidence, judged again later, says by itself that it has become old.

Limits: a recent date says nothing about what the data are of; a day in the card is what its author wrote.

Source: a default of this tool unless the rule cites one.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from pydantic import Field, field_validator

from govern.errors import printable
from govern.evidence import OVERALL, Evidence
from govern.policy.asking import Answer, Documents, Question, settled
from govern.policy.fields import Rule, RuleFields
from govern.policy.words import in_card, inside, there
from govern.verdict import Comparison, RuleOutcome

ZONES = 1  # the day may have begun already where the data were written


class FreshFields(RuleFields):
    """Whether a date is recent enough: the last day of the data, or a day that the card names."""

    kind: Literal["fresh"]
    of: str = Field(description="data: the last day of the date column or of the period; or card.FIELD")
    max_days: int = Field(ge=0, le=36_600, description="the greatest number of days up to the day of the decision")

    @field_validator("of")
    @classmethod
    def _names_a_date(cls, value: str) -> str:
        if value != "data" and not in_card(value):
            raise ValueError(f'"{printable(value)}" names no date; write data or card.FIELD')
        return value


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question."""
    of = rule.fields.of
    found = _given(documents.evidence, of)
    if found is None:
        why = "the data have no date column and no declared period" if of == "data" else f"{of} is not given"
        return [settled("n/a", why)]
    day = _day(found)
    if day is None:
        return [settled("fail", f'{of} "{printable(found, 40)}" is not a day (2026-11-03)')]
    return [Question(partial(_judge, rule, day, documents.today))]


def _given(evidence: Evidence, of: str) -> Any:
    """The date as it was given, None when it was not."""
    if of == "data":
        return evidence.data.period[-1] if evidence.data.period else None
    value = inside(evidence.card, of.removeprefix("card."))
    return value if there(value) else None


def _day(value: Any) -> date | None:
    """The day of a date or time as text, None for any other value."""
    text = str(value).strip()
    try:
        return date.fromisoformat(text[:10]) if text[10:11] in ("", "T", " ") else None
    except ValueError:
        return None


def _judge(rule: Rule, day: date, today: date, _family: int) -> Answer:
    days, most = (today - day).days, rule.fields.max_days
    outcome: RuleOutcome = "pass" if -ZONES <= days <= most else "fail"
    seen = Comparison(OVERALL, outcome, float(days))
    reason = f"{rule.fields.of}: {day.isoformat()}"
    if days < -ZONES:
        reason += f", {-days} days after the day of the decision"
    last = day + timedelta(days=most) if outcome == "pass" and day.toordinal() + most <= date.max.toordinal() else None
    return Answer(outcome, reason, (seen,), seen, maximum=Decimal(most), decide="point", valid_until=last)
