"""What people said in the card, the settings or the declared limits: where it stands, and whether it says anything."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

# Words that stand for "nothing here yet"; a reason after one of the second kind makes it an answer.
NEVER = (
    "todo",
    "tbd",
    "tba",
    "tbc",
    "fixme",
    "xxx",
    "lorem ipsum",
    "more information needed",
    "fill in",
    "to be defined",
    "to be determined",
    "未定",
    "未記入",
    "記入予定",
)
WITHOUT_REASON = (
    "n/a",
    "na",
    "none",
    "null",
    "nil",
    "nothing",
    "not applicable",
    "unknown",
    "なし",
    "無し",
    "該当なし",
    "特になし",
    "不明",
)
_REASON = r"[\W_]*(because|since|reason|due to|理由)?[\W_]*"
_EMPTY = re.compile(rf"[\W_]*({'|'.join(map(re.escape, (*NEVER, *WITHOUT_REASON)))})?{_REASON}")
_STARTS = re.compile(rf"[\W_]*({'|'.join(map(re.escape, NEVER))})(?![a-z])")


def inside(values: Any, path: str) -> Any:
    """The value at a dotted path inside nested mappings, None where there is none."""
    for step in path.split("."):
        values = values.get(step) if isinstance(values, Mapping) else None
    return values


def in_card(path: str) -> bool:
    """Whether a text is `card.` and a dotted path."""
    place, _, rest = path.partition(".")
    return place == "card" and all(rest.split("."))


def filled(value: Any) -> bool:
    """Whether a card field says something: not empty, and not a placeholder without a reason.

    Source: the placeholders of the Hugging Face model card template and of common forms.
    """
    if value is None:
        return False
    if isinstance(value, Mapping):
        return any(filled(v) for v in value.values())
    if isinstance(value, list | tuple):
        return any(filled(v) for v in value)
    if not isinstance(value, str):
        return True
    text = unicodedata.normalize("NFKC", value).casefold().strip()
    return not (_EMPTY.fullmatch(text) or _STARTS.match(text))


def there(value: Any) -> bool:
    """Whether something was said: not missing, not false, not empty, and no placeholder without a reason."""
    return value is not False and filled(value)
