"""What things are called on the card and in the terminal: groups, outcomes, metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from govern.errors import MAX_NAME, printable
from govern.evidence import MISSING_NAME, OVERALL, REST, UNKNOWN_NAME, Evidence, Group
from govern.formats.numbers import level
from govern.formats.strings import BAND, Strings, strings
from govern.metrics import METRICS

SHOWN = 4
# References that are no group of this evidence.
OTHER_REFERENCES = ("baseline", "trivial", "train")


def pick(texts: Mapping[str, str], lang: str) -> str:
    """The text in `lang`, else in English, else any; empty when there is none."""
    return texts.get(lang) or texts.get("en") or next(iter(texts.values()), "")


def favourable(evidence: Evidence, t: Strings | None = None) -> str:
    """What the favourable outcome is called: the card's own word, else `favourable outcome (default = 0)`."""
    data = evidence.settings.get("data", {})
    return _own_word(evidence) or (t or strings())(
        "reason.favourable", target=printable(data.get("target", "")), label=printable(data.get("favourable", "")))


def received(evidence: Evidence, t: Strings, label: str | None = None) -> str:
    """What happened to those who were selected, after a rate: `approved`, `with the favourable outcome (…)`; of a
    class that is not the favourable one, `predicted “C”`."""
    if other_class(evidence, label):
        return t("reason.predicted", label=printable(label))
    return _own_word(evidence) or t("reason.received", outcome=favourable(evidence, t))


def _own_word(evidence: Evidence) -> str:
    given = evidence.card.get("favourable_outcome")
    return printable(given.strip()) if isinstance(given, str) else ""


def other_class(evidence: Evidence, label: str | None) -> bool:
    """Whether `label` is a class that is not the favourable one."""
    return label is not None and label != evidence.settings.get("data", {}).get("favourable")


def group_label(evidence: Evidence, id: str | None, t: Strings) -> str:
    """A group with its feature: `age 25 or less`, `sex women · age 26–35`, `everyone`."""
    if id == REST:
        return t("reason.rest")
    if id in OTHER_REFERENCES:
        return t(f"reason.{id}")
    if id is None or id == OVERALL or id not in evidence.groups_by_id:
        return t("reason.everyone") if id in (None, OVERALL) else printable(id)
    group = evidence.groups_by_id[id]
    name = " · ".join(t("reason.group_word", feature=printable(f), group=value_name(v, t))
                      for f, v in zip(group.features, group.values, strict=True))
    within = t.list(t("reason.group_word", feature=printable(f), group=value_name(v, t))
                    for f, v in group.within)
    return t("reason.within", group=name, within=within) if within else name


def group_name(evidence: Evidence, id: str | None, t: Strings) -> str:
    """A group without its feature: `25 or less`, `women · 26–35`; REST and everyone in words."""
    if id is not None and id in evidence.groups_by_id and id != OVERALL:
        return name_of(evidence.groups_by_id[id], t)
    return group_label(evidence, id, t)


def name_of(group: Group, t: Strings, limit: int = MAX_NAME) -> str:
    """`Group.name` in the language of the catalogue, at most `limit` characters."""
    return printable(" · ".join(value_name(v, t) for v in group.values) or t("reason.everyone"), limit)


def value_name(value: str | None, t: Strings) -> str:
    """A value of a feature: the data's own word; bands and what is missing, which govern names, in the language."""
    named = value is None or value in (MISSING_NAME, UNKNOWN_NAME) or BAND.fullmatch(value)
    return printable(t.phrase(value or MISSING_NAME) if named else value)


def metric_name(metric: str, t: Strings | None = None) -> str:
    """A metric's name for readers; that of a user's own metric is the user's."""
    if metric not in METRICS:
        return printable(metric.replace("_", " "), 60)
    return str(t.get(f"metrics.{metric}.title")) if t and t.has(f"metrics.{metric}") else METRICS[metric].title


def metric_meaning(metric: str, t: Strings) -> str:
    """What a registered metric is, in one clause."""
    known = t.has(f"metrics.{metric}")
    return str(t.get(f"metrics.{metric}.definition")) if known else METRICS[metric].definition


def names(items: Iterable[object], t: Strings, shown: int = SHOWN) -> str:
    """`a, b, c and 3 more`."""
    every = [printable(i) for i in items]
    more = t("page1.and_more", n=len(every) - shown) if len(every) > shown else ""
    return t.text((t.list(every[:shown]), more))


def reading_level(evidence: Evidence) -> str:
    """The level of the intervals stored for reading, as text."""
    return level(float(evidence.settings.get("intervals", {}).get("level", 0.95)))
