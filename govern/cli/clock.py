"""The time recorded in documents and the day on which waivers are looked at."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import Any

from govern.errors import InputError


def created(given: dict[str, Any]) -> str:
    """The time recorded, ISO 8601 in UTC to the second: --timestamp, else SOURCE_DATE_EPOCH, else now."""
    text, epoch = given.get("timestamp"), os.environ.get("SOURCE_DATE_EPOCH")
    if text is not None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise InputError(f'"{text}" is not a time', where="--timestamp",
                             fix="write it as 2026-11-03T09:00:00Z") from None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    elif epoch:
        try:
            moment = datetime.fromtimestamp(int(epoch), UTC)
        except (ValueError, OverflowError, OSError):
            raise InputError(f'"{epoch}" is not a number of seconds', where="SOURCE_DATE_EPOCH",
                             fix="unset it or give seconds since 1970") from None
    else:
        moment = datetime.now(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def today(given: dict[str, Any], recorded: str) -> date:
    """The day of the decision: --today, else the date of the time recorded."""
    text = given.get("today")
    try:
        return date.fromisoformat(text if text is not None else recorded[:10])
    except ValueError:
        raise InputError(f'"{text or recorded}" is not a date', where="--today",
                         fix="write it as 2026-11-03") from None
