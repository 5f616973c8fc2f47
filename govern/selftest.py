"""Published worked examples computed again, by measuring and judging as any data would be.

`published.yaml` holds the digits as their sources print them. Examples with rows are written to a file, read,
measured and judged; nothing is computed here that the product computes elsewhere.
"""

from __future__ import annotations

import csv
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from govern.evidence import OVERALL, Evidence, Group
from govern.inputs.config import load_settings
from govern.measure.run import measure
from govern.metrics import METRICS
from govern.policy.gate import judge
from govern.policy.packs import load_policy
from govern.stats.intervals import Pair, clopper_pearson, jeffreys, wilson
from govern.verdict import Finding
from govern.yamlfile import read_yaml

PUBLISHED = Path(__file__).with_name("published.yaml")
METHODS: dict[str, Callable[[float, float, float], Pair]] = {
    "Clopper–Pearson": clopper_pearson, "Wilson": wilson, "Jeffreys": jeffreys}
ERROR = 0.025
MOST_DEVIATIONS = 37.0
FOUR_FIFTHS = """\
schema: govern.policy/1
name: selftest
version: "1"
title: Four fifths of the highest rate, by the estimate alone
status: guidance
as_of: 2026-11-22
defaults: {{min_n: 1, min_share: 0}}
rules:
  - {{id: R, kind: disparity, title: ratio, metric: {metric}, by: ["{by}"], compare: ratio, against: best, min: 0.80,
     decide: point, severity: info, basis: convention}}
"""


@dataclass(frozen=True)
class Check:
    """One printed statement and what was computed: a number with more digits, or a word. `but` says why the printed
    digits are at odds with the source's own counts, `part` to which table of the example it belongs."""

    what: str
    printed: str
    computed: float | str
    but: str = ""
    part: str = ""

    @property
    def agrees(self) -> bool:
        """Whether what was computed is printed the same."""
        return self.shown(0) == self.printed

    @property
    def holds(self) -> bool:
        """Whether it comes out as it must: as printed, or otherwise where the source is at odds with itself."""
        return self.agrees != bool(self.but)

    def shown(self, more: int) -> str:
        """What was computed in the form of the printed text, with `more` digits."""
        if isinstance(self.computed, str):
            return self.computed
        digits = self.printed.rstrip("…%")
        places = len(digits.partition(".")[2])
        number = self.computed * (100 if self.printed.endswith("%") else 1)
        if self.printed.endswith("…"):
            cut = f"{number:.15f}"
            return cut[: cut.index(".") + 1 + places + more] + "…"
        return f"{number:.{places + more}f}" + ("%" if self.printed.endswith("%") else "")


@dataclass(frozen=True)
class Example:
    """A worked example: its checks, and where the source does not fit itself, as found and as known before."""

    name: str
    source: str
    checks: tuple[Check, ...]
    disagreements: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every check holds, and the source is at odds with itself exactly where that is known."""
        return all(check.holds for check in self.checks) and self.disagreements == self.known


def examples(path: Path = PUBLISHED) -> Iterator[Example]:
    """Every worked example of the file, computed again, one after the other."""
    for one in read_yaml(path).value["examples"]:
        if "tables" in one:
            yield _tables(one)
            continue
        compute = _rows if "rows" in one else _card if "cells" in one else _deviations
        yield Example(one["name"], one["source"], tuple(compute(one)))


def _tables(one: Mapping[str, Any]) -> Example:
    """Tables of groups with their rates, ratios and outcomes."""
    checks: list[Check] = []
    measured: dict[str, Evidence] = {}
    for table in one["tables"]:
        evidence, finding = _table(table)
        by = ":".join(table["features"])
        measured.setdefault(by, evidence)
        checks += _table_checks(table, by, evidence, finding)
    found = tuple(_disagreements(measured)) if len(measured) > 1 else ()
    return Example(one["name"], one["source"], tuple(checks), found, tuple(one.get("disagrees", ())))


def _table(table: Mapping[str, Any]) -> tuple[Evidence, Finding]:
    """The evidence measured on the rows of a table, and what the gate finds at four fifths."""
    features = table["features"]
    columns: dict[str, list[Any]] = {name: [] for name in (*features, "answer", "truth")}
    for name, (n, counted, *_) in table["groups"].items():
        for feature, value in zip(features, name.split(" · ") if len(features) > 1 else [name], strict=True):
            columns[feature] += [value] * n
        columns["answer"] += [1] * counted + [0] * (n - counted)
    # The truth plays no part in these rates.
    columns["truth"] = columns["answer"]
    by = ":".join(features)
    scored = {} if table["metric"] == "selection_rate" else {"data.score": "answer", "data.threshold": 0.5}
    evidence = measured(columns, [*features, *([by] if len(features) > 1 else [])], **scored)
    with tempfile.TemporaryDirectory(prefix="govern-selftest-") as folder:
        Path(folder, "policy.yaml").write_text(FOUR_FIFTHS.format(metric=table["metric"], by=by), encoding="utf-8")
        policy = load_policy("policy.yaml", base=Path(folder))
    verdict = judge(evidence, judged={"evidence": "0" * 64}, policies=[policy], phase="desk", today=date(2026, 11, 22))
    return evidence, next(f for f in verdict.findings if f.rule == "R")


def _table_checks(table: Mapping[str, Any], by: str, evidence: Evidence, finding: Finding) -> Iterator[Check]:
    metric, part = table["metric"], f"{METRICS[table['metric']].title} by {by}"
    compared = {c.group: c for c in finding.comparisons}
    best = finding.comparisons[0].reference
    for name, (_, _, rate, ratio, *outcome) in table["groups"].items():
        group = next(g for g in evidence.feature_groups[tuple(table["features"])] if g.name == name)
        of = evidence.find(metric, group.id)
        yield _check(f"{name}: rate", rate, of.value if of else None, part)
        # The group with the highest rate is what the others are divided by.
        yield _check(f"{name}: ratio", ratio, 1.0 if group.id == best else compared[group.id].value, part)
        if outcome:
            seen = "pass" if group.id == best else compared[group.id].outcome
            yield _check(f"{name}: at four fifths", outcome[0], seen, part)


def _check(what: str, printed: Any, computed: float | str | None, part: str = "") -> Check:
    text, but = (printed["printed"], printed["but"]) if isinstance(printed, dict) else (printed, "")
    return Check(what, text, "undefined" if computed is None else computed, but, part)


def _disagreements(measured: Mapping[str, Evidence]) -> Iterator[str]:
    """Where tables of one source do not fit each other: in all, and between a feature and its intersection."""
    totals = {by: _counted(e, e.groups_by_id[OVERALL]) for by, e in measured.items()}
    if len(set(totals.values())) > 1:
        yield "in all: " + ", ".join(f"{by} {said}" for by, said in totals.items())
    for by, evidence in measured.items():
        for crossed, both in measured.items():
            if ":" not in by and by in crossed.split(":"):
                yield from _margins(by, evidence, crossed, both)


def _margins(by: str, alone: Evidence, crossed: str, both: Evidence) -> Iterator[str]:
    inside = {g.name: _counted(both, g) for g in both.feature_groups[(by,)]}
    for group in alone.feature_groups[(by,)]:
        said = _counted(alone, group)
        if said != inside.get(group.name):
            yield f"{by} {group.name}: {said} by itself, {inside.get(group.name, 'nobody')} in {crossed}"


def _counted(evidence: Evidence, group: Group) -> str:
    """Rows counted for the rate of a table, of all rows of a group."""
    found = evidence.find("scoring_rate", group.id) or evidence.find("selection_rate", group.id)
    return f"{found.numerator:,} of {found.denominator:,}" if found else "not measured"


def _rows(one: Mapping[str, Any]) -> Iterator[Check]:
    """Rates of everyone and of groups, and disparities, of rows that are given."""
    rows = one["rows"]
    evidence = measured({"group": rows["group"], "answer": rows["prediction"], "truth": rows["truth"]}, ["group"])
    groups = {"everyone": OVERALL} | {g.name: g.id for g in evidence.feature_groups[("group",)]}
    for name, expected in {"everyone": one["everyone"], **one["groups"]}.items():
        for metric, text in expected.items():
            found = evidence.find(metric, groups[name])
            yield _check(f"{name}: {METRICS[metric].title}", text, found.value if found else None)
    for metric, text in one["disparities"].items():
        found = evidence.find(metric, features=("group",))
        yield _check(METRICS[metric].title, text, found.value if found else None)


def _card(one: Mapping[str, Any]) -> Iterator[Check]:
    """Rates of confusion counts with their intervals, and which of the methods prints these digits."""
    cells = one["cells"]
    truth = [1] * (cells["tp"] + cells["fn"]) + [0] * (cells["fp"] + cells["tn"])
    answer = [1] * cells["tp"] + [0] * cells["fn"] + [1] * cells["fp"] + [0] * cells["tn"]
    evidence = measured({"answer": answer, "truth": truth}, [])
    alike = set(METHODS)
    for metric, (rate, *ends) in one["rates"].items():
        found = evidence.find(metric)
        x, n = (found.numerator or 0, found.denominator or 0) if found else (0, 0)
        yield _check(METRICS[metric].title, rate, found.value if found else None)
        for end, text in enumerate(ends):
            word = ("lower", "upper")[end]
            yield _check(f"{METRICS[metric].title}, {word} bound", text, METHODS[one["method"]](x, n, ERROR)[end])
            alike &= {name for name, bounds in METHODS.items() if _check("", text, bounds(x, n, ERROR)[end]).agrees}
    yield Check("method that gives these digits", one["method"], ", ".join(sorted(alike)) or "none")
    shown = evidence.find("true_positive_rate")
    if shown is not None and shown.interval is not None and shown.interval.low is not None:
        ends = f"{100 * shown.interval.low:.2f}% to {100 * (shown.interval.high or 0):.2f}%"
        yield Check("interval of our evidence, by its label", one["ours"], f"{shown.interval.method}: {ends}")


def _deviations(one: Mapping[str, Any]) -> Iterator[Check]:
    """How many standard deviations lie between an observed number and its expectation: those at which the bound of
    Wilson's interval, which turns the score test round, reaches the share of the population."""
    n, x, share = one["drawn"], one["observed"], float(one["share"])
    low, high = 0.0, MOST_DEVIATIONS
    while high - low > 1e-9:
        middle = (low + high) / 2
        reaches = wilson(x, n, math.erfc(middle / math.sqrt(2)) / 2)[1] >= share
        low, high = (low, middle) if reaches else (middle, high)
    expected = n * share
    yield _check("expected number", one["expected"], expected)
    yield _check("standard deviation", one["deviation"], (expected - x) / high)
    yield _check("standard deviations apart", one["deviations"], high)


def measured(columns: Mapping[str, Sequence[Any]], sensitive: Sequence[str], **more: Any) -> Evidence:
    """The evidence of rows whose columns `truth` and `answer` hold the outcome and the stored prediction, or the score
    where `more` names it."""
    with tempfile.TemporaryDirectory(prefix="govern-selftest-") as folder:
        path = Path(folder, "rows.csv")
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        answer = {} if "data.score" in more else {"data.prediction": "answer"}
        flags = {"data.path": path, "data.target": "truth", "data.sensitive": list(sensitive), **answer, **more}
        settings = load_settings(flags, config=None, cwd=Path(folder))
        return measure(settings, None, created="2026-11-22T00:00:00Z", timed=False,
                       progress=lambda stage, done, total: None).evidence
