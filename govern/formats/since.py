"""What changed since the version in service, as the verdict found it: the box of page one, and section 4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from govern.errors import printable
from govern.evidence import Evidence, Measurement
from govern.formats.cells import Table, heads, look, value
from govern.formats.naming import group_label, group_name, metric_name, names
from govern.formats.numbers import DIGITS, amount, count, decimal, digits_of, level, short_digest, with_interval
from govern.formats.strings import Strings
from govern.formats.versions import dumbbells
from govern.metrics import METRICS
from govern.verdict import Since, SinceRow, Verdict

ON_PAGE_ONE = 5
RATIOS_ON_PAGE_ONE = 2
LOOKS = {"better": "within", "worse": "outside", "apart": "unsettled"}
SHOWN = 60
View = dict[str, Any]


def since(evidence: Evidence, verdict: Verdict | None, digests: Mapping[str, str], t: Strings) -> View:
    """Rows of numbers (label, before, now, change, state), lines of what else changed, and the changed settings."""
    found = verdict.since if verdict is not None else None
    if found is None or verdict is None:
        judged = verdict.judged.get("baseline") if verdict is not None else None
        none = t("page1.since", digest=short_digest(judged)) if judged else t("since.none")
        return {"title": t("since.title_plain"), "none": none, "first": "" if judged else t("since.first"), "rows": [],
                "short": [], "lines": [], "level": "", "note": "", "more": "", "baseline": "", "settings": None}
    version = printable(found.version or "", 40)
    rows = [_row(r, evidence, t) for r in found.rows]
    pictures = dumbbells(found.rows, [t("charts.since_title", metric=r["label"], old=r["old"], new=r["new"])
                                      for r in rows])
    short = _short(found.rows)
    more = len(rows) - len(short)
    digest = verdict.judged.get("baseline")
    return {
        "title": t("since.title", version=version) if version else t("since.title_plain"), "none": "", "first": "",
        "rows": [{**r, "picture": p} for r, p in zip(rows, pictures, strict=True)],
        "short": [rows[i] for i in short], "lines": _lines(found, evidence, t),
        "level": t("since.level", level=level(found.rows[0].level)) if found.rows else "",
        "note": t("charts.since_note"),
        "more": t("since.more", n=more) if more else "",
        "baseline": t("since.baseline", created=printable(found.created).replace("T", " ").replace("Z", " UTC"),
                      digest=short_digest(digest)) if digest else "",
        "settings": _settings(found, t),
    }


def _short(rows: tuple[SinceRow, ...]) -> list[int]:
    """The places of the rows for page one: those of a side first among the ratios, else the lowest now."""
    ratios = sorted((i for i, r in enumerate(rows) if r.compare == "ratio"),
                    key=lambda i: (rows[i].state != "worse", rows[i].new or 0.0, i))
    kept = {i for i, r in enumerate(rows) if r.compare != "ratio"} | set(ratios[:RATIOS_ON_PAGE_ONE])
    return sorted(kept)[:ON_PAGE_ONE]


def _row(row: SinceRow, evidence: Evidence, t: Strings) -> View:
    unit = METRICS[row.metric].unit if row.metric in METRICS else ""
    return {"label": _label(row, evidence, t), "old": _value(row, row.old, unit, t),
            "new": _value(row, row.new, unit, t), "change": _change(row, unit),
            "state": t(f"since.{row.state.replace(' ', '_')}"), "look": LOOKS.get(row.state, "none")}


def _label(row: SinceRow, evidence: Evidence, t: Strings) -> str:
    metric = metric_name(row.metric, t)
    if row.compare == "ratio":
        about = {"feature": printable(":".join(row.features)), "group": group_name(evidence, row.group, t),
                 "reference": group_name(evidence, row.reference, t)}
        return t("since.class_ratio", label=printable(row.label), **about) if row.label is not None \
            else t("since.ratio", **about)
    if row.label is not None:
        metric = t("reason.of_class", metric=metric, label=printable(row.label))
    text = t("since.worst", metric=metric, group=group_label(evidence, row.group, t)) if row.group is not None \
        else metric
    return t.capital(text)


def _value(row: SinceRow, number: float | None, unit: str, t: Strings) -> str:
    if number is None:
        return t("since.unknown_value")
    if unit:
        return amount(number, unit)
    return decimal(number) if row.compare == "ratio" else value(Measurement(row.metric, number))


def _change(row: SinceRow, unit: str) -> str:
    """The difference with its interval, never rounded onto or across 0; with a sign."""
    if row.difference is None:
        return ""
    plus = "+" if row.difference > 0 else ""
    if unit:
        return plus + amount(row.difference, unit)
    own = look(row.metric) == "own" and row.compare != "ratio"
    digits = digits_of(row.difference, row.low, row.high) if own else DIGITS
    return plus + with_interval(row.difference, row.low, row.high, (0.0,), digits)


def _lines(found: Since, evidence: Evidence, t: Strings) -> list[tuple[str, str]]:
    """(what, how it changed) of features, data, model file and settings."""
    moved = [t(f"since.{key}", names=names(features, t, 8)) for key, features in
             (("added", found.features_added), ("removed", found.features_removed)) if features]
    now = evidence.model.features if evidence.model is not None else \
        [c for c in evidence.data.columns if c.role == "feature"]
    other = {key: (old, new) for key, old, new in found.settings}
    rows = other.pop("rows", None)
    if found.same_data:
        data = t("since.same_data")
    elif rows is not None and rows[0].isdecimal():
        data = t("since.other_data", old=count(int(rows[0])), new=count(evidence.population.used))
    else:
        data = t("since.rows_only", new=count(evidence.population.used))
    return [
        (t("since.features"), " ".join(moved) or t("since.same_features", n=len(now))),
        (t("since.data"), data),
        (t("since.model"), t("since.same_model" if found.same_model else "since.other_model")),
        (t("since.settings"), t("since.changed_settings", n=len(other), names=names(other, t, 5)) if other
         else t("since.same_settings")),
    ]


def _settings(found: Since, t: Strings) -> Table | None:
    if not found.settings:
        return None
    none = t("since.not_set")
    rows = tuple((printable(key, 80), printable(old, 300) or none, printable(new, 300) or none)
                 for key, old, new in found.settings[:SHOWN])
    return Table(heads([t("since.setting"), t("since.before"), t("since.now")], ("w24",)), rows, left=3)
