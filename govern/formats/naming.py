"""What things are called on the card and in the terminal: groups, outcomes, metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from govern.errors import printable
from govern.evidence import MISSING_NAME, OVERALL, REST, Evidence
from govern.formats.numbers import level
from govern.formats.strings import Strings, strings
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
    name = " · ".join(
        t("reason.group_word", feature=printable(f), group=printable(MISSING_NAME if v is None else v))
        for f, v in zip(group.features, group.values, strict=True))
    within = ", ".join(t("reason.group_word", feature=printable(f), group=printable(MISSING_NAME if v is None else v))
                       for f, v in group.within)
    return t("reason.within", group=name, within=within) if within else name


def group_name(evidence: Evidence, id: str | None, t: Strings) -> str:
    """A group without its feature: `25 or less`, `women · 26–35`; REST and everyone in words."""
    if id is not None and id in evidence.groups_by_id and id != OVERALL:
        return printable(evidence.groups_by_id[id].name)
    return group_label(evidence, id, t)


def metric_name(metric: str) -> str:
    """A metric's name for readers; that of a user's own metric is the user's."""
    return METRICS[metric].title if metric in METRICS else printable(metric.replace("_", " "), 60)


def names(items: Iterable[object], t: Strings, shown: int = SHOWN) -> str:
    """`a, b, c and 3 more`."""
    every = [printable(i) for i in items]
    head = ", ".join(every[:shown])
    return f"{head} {t('page1.and_more', n=len(every) - shown)}" if len(every) > shown else head


def reading_level(evidence: Evidence) -> str:
    """The level of the intervals stored for reading, as text."""
    return level(float(evidence.settings.get("intervals", {}).get("level", 0.95)))
