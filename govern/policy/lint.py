"""Mistakes in policy files that are not errors: what can be read and judged by, and yet is not what was meant.

A check is a function that yields what it finds in one file; `CHECKS` names them all, and their docstrings say what
they look for. What a file takes over from others is checked where it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from govern.codec import read_bytes
from govern.errors import InputError
from govern.metrics import METRICS, Metric
from govern.policy.calibrated import MOST_SMALLER
from govern.policy.coverage import CATEGORIES
from govern.policy.describe import PHASES, as_text, effective, limit_of
from govern.policy.fields import Rule, as_list, at_phase, texts
from govern.policy.packs import MAX_BYTES, NO_OWN, find, load_policy
from govern.policy.schema import Draft, Head, OverrideFields, Policy, build, read_head
from govern.policy.standing import STALE_DAYS
from govern.policy.testing import prepare, read_tests
from govern.yamlcheck import Place
from govern.yamlfile import YamlDoc, parse_yaml, validate

ERROR = "error"
SOURCES = ("law", "guidance", "standard")
ORDER = ("info", "warn", "review", "block")
# Kinds that hold a metric itself against a limit, on the metric's own scale.
OF_ONE = ("bound", "calibration", "data", "explanation", "compute")


@dataclass(frozen=True)
class Found:
    """Something to mend: where, the check that found it (`error`: it cannot be read), what, and how to mend it."""

    file: str
    line: int | None
    column: int | None
    check: str
    what: str
    fix: str

    def one_line(self) -> str:
        """`file:line:column: check: what; fix`."""
        return InputError(self.what, fix=self.fix, where=self.file, line=self.line, column=self.column,
                          rule=self.check).one_line()


@dataclass(frozen=True)
class Entry:
    """A rule as it stands in the file: its own (`old` None), or the override of one that it takes over."""

    rule: Rule
    place: Place
    old: Rule | None = None

    def says(self, key: str) -> bool:
        """Whether the file itself gives the field."""
        return key in self.rule.fields.model_fields_set and (self.old is None or self.changed(key))

    def changed(self, key: str) -> bool:
        """Whether the override makes another value of the field."""
        return self.old is not None and effective(self.old).get(key) != effective(self.rule).get(key)


@dataclass(frozen=True)
class File:
    """A policy file that could be read: as written, its head, what is in force, its own rules and overrides."""

    doc: YamlDoc
    head: Head
    policy: Policy
    entries: tuple[Entry, ...]
    extended: Mapping[str, Policy]
    today: date

    def found(self, check: str, place: Place, what: str, fix: str) -> Found:
        """What a check found at a key, or at the nearest place above it."""
        return Found(self.doc.name, *self.doc.at(place), check, what, fix)

    def in_rule(self, check: str, entry: Entry, key: str, what: str, fix: str) -> Found:
        """What a check found at a key of a rule."""
        return self.found(check, (*entry.place, key), f"{entry.rule.id}: {what}", fix)


def lint(name: str, *, own: Mapping[str, Metric] = NO_OWN, today: date) -> list[Found]:
    """What is wrong with a policy by name or file, in the order of the file: everything that keeps it from being
    read, else what the checks find. `today` is the day on which its sources are held to be old or not."""
    try:
        path = find(name)
        doc = parse_yaml(read_bytes(path, MAX_BYTES), name)
        head = read_head(doc)
        wrong = list(_refused(doc, head, own))
        if wrong:
            return wrong
        file = _file(name, path, doc, head, own, today)
    except InputError as err:
        return [_as_found(err, name)]
    found = [one for check in CHECKS.values() for one in check(file)]
    return sorted(found, key=lambda f: (f.line or 0, f.column or 0, f.check, f.what))


def lint_tests(path: Path, name: str) -> list[Found]:
    """What keeps a file of policy tests, shown as `name`, or one of its tests from being run; empty when nothing
    does."""
    found: list[Found] = []
    try:
        tests = read_tests(path, name)
        for place in range(len(tests.file.tests)):
            try:
                prepare(tests, place)
            except InputError as err:
                found.append(_as_found(err, name))
    except InputError as err:
        return [_as_found(err, name)]
    return list(dict.fromkeys(found))


def _as_found(err: InputError, name: str) -> Found:
    what = f"{err.rule}: {err.what}" if err.rule else err.what
    return Found(err.where or name, err.line, err.column, ERROR, what, err.fix)


def _refused(doc: YamlDoc, head: Head, own: Mapping[str, Metric]) -> Iterator[Found]:
    """What is wrong with each rule by itself, so that a file is mended in one go."""
    for i, raw in enumerate(head.rules):
        place: Place = ("rules", i)
        rule = str(raw["id"]) if isinstance(raw.get("id"), str) else None
        try:
            if "override" in raw:
                validate(OverrideFields, doc, place, rule)
            else:
                build(Draft(raw, {key: (doc, (*place, key)) for key in raw}, doc, place, head.defaults), own)
        except InputError as err:
            yield _as_found(err, doc.name)


def _file(name: str, path: Path, doc: YamlDoc, head: Head, own: Mapping[str, Metric], today: date) -> File:
    policy = load_policy(name, own=own)
    extended = {given: load_policy(given, base=path.parent, own=own) for given in head.extends}
    before = {rule.id: rule for one in extended.values() for rule in one.rules}
    in_force = {rule.id: rule for rule in policy.rules}
    entries = []
    for i, raw in enumerate(head.rules):
        place: Place = ("rules", i)
        overrides = "override" in raw
        entries.append(Entry(in_force[raw["id"]], (*place, "override") if overrides else place,
                             before[raw["id"]] if overrides else None))
    return File(doc, head, policy, tuple(entries), extended, today)


def _always_passes(file: File) -> Iterator[Found]:
    """A limit that every value meets."""
    for entry, side, limit, (low, high) in _limits(file):
        end = low if side == "min" else high
        if end is not None and (limit <= end if side == "min" else limit >= end):
            yield file.in_rule("always-passes", entry, side,
                               f"{side} {as_text(limit)} is met by every value",
                               f"give a limit that values from {_span(low, high)} can miss, or remove it")


def _never_passes(file: File) -> Iterator[Found]:
    """A limit that no interval can lie within."""
    for entry, side, limit, (low, high) in _limits(file):
        if getattr(entry.rule.fields, "decide", "point") != "interval":
            continue
        end = high if side == "min" else low
        if end is not None and (limit >= end if side == "min" else limit <= end):
            yield file.in_rule("never-passes", entry, side,
                               f"{side} {as_text(limit)} is the end of the scale, and an interval always "
                               "reaches beyond it", "allow a little less, or write decide: point")
    for entry in file.entries:
        low_limit, high_limit = limit_of(entry.rule, "min"), limit_of(entry.rule, "max")
        same = isinstance(low_limit, Decimal) and low_limit == high_limit
        if same and getattr(entry.rule.fields, "decide", "") == "interval" and (entry.says("min") or entry.says("max")):
            yield file.in_rule("never-passes", entry, "min", "min and max are the same, and an interval has a width",
                               "leave room between them, or write decide: point")


def _limits(file: File) -> Iterator[tuple[Entry, str, Decimal, tuple[float | None, float | None]]]:
    """Each limit that is a number, of rules that the file writes, with the ends of the scale it is on."""
    for entry in file.entries:
        scale = _scale(entry.rule)
        for side in ("min", "max"):
            limit = limit_of(entry.rule, side) if scale is not None and entry.says(side) else None
            if scale is not None and isinstance(limit, Decimal):
                yield entry, side, limit, scale


def _scale(rule: Rule) -> tuple[float | None, float | None] | None:
    """The ends of the scale on which every metric of the rule has its limit; None where it cannot be told."""
    fields = rule.fields
    names = as_list(getattr(fields, "metric", None) or [])
    rows = [METRICS[name] for name in names if name in METRICS]
    if fields.kind not in (*OF_ONE, "disparity", "four-fifths") or not rows or len(rows) < len(names):
        return None
    if fields.kind in OF_ONE:
        return _widest([row.low for row in rows], min), _widest([row.high for row in rows], max)
    if fields.kind == "four-fifths" or fields.compare == "ratio":
        return 0.0, 1.0 if fields.kind == "four-fifths" or fields.against == "any" else None
    spans = [row.high - row.low if row.low is not None and row.high is not None else None for row in rows]
    span = _widest(spans, max)
    return (0.0 if fields.against == "any" else None if span is None else -span), span


def _widest(ends: list[float | None], choose: Callable[..., float]) -> float | None:
    known = [end for end in ends if end is not None]
    return choose(known) if len(known) == len(ends) else None


def _span(low: float | None, high: float | None) -> str:
    return f"{'−∞' if low is None else f'{low:g}'} to {'∞' if high is None else f'{high:g}'}"


def _no_two_groups(file: File) -> Iterator[Found]:
    """A share that two groups cannot both have, so that no comparison can count."""
    said = "two groups cannot both have more than half of the rows, so that none could hold up a pass"
    if file.head.defaults.min_share > 0.5:
        yield file.found("no-two-groups", ("defaults", "min_share"), said, "lower min_share")
    for entry in file.entries:
        share = getattr(entry.rule.fields, "min_share", None)
        if share is not None and share > 0.5 and entry.says("min_share"):
            yield file.in_rule("no-two-groups", entry, "min_share", said, "lower min_share")


def _calibrates_nothing(file: File) -> Iterator[Found]:
    """Calibration asked for, of groups larger than it reaches."""
    for entry in file.entries:
        force = effective(entry.rule)
        asked = force.get("calibrate") and (entry.says("calibrate") or entry.says("min_n"))
        if asked and (force.get("min_n") or 0) > MOST_SMALLER:
            key = "calibrate" if entry.says("calibrate") else "min_n"
            yield file.in_rule("calibrates-nothing", entry, key,
                               f"calibrate reaches groups of at most {MOST_SMALLER} rows, and min_n is "
                               f"{force['min_n']}", "lower min_n or remove calibrate")


def _no_cite(file: File) -> Iterator[Found]:
    """Basis law, guidance or standard without cite."""
    for entry in _with_basis(file, SOURCES):
        if not entry.rule.fields.cite:
            yield file.in_rule("no-cite", entry, "basis", f"basis {entry.rule.fields.basis} without cite",
                               "add cite: where the source says it")


def _no_says(file: File) -> Iterator[Found]:
    """Basis law, guidance or standard without says."""
    for entry in _with_basis(file, SOURCES):
        if not texts(entry.rule.fields.says):
            yield file.in_rule("no-says", entry, "basis", f"basis {entry.rule.fields.basis} without says",
                               "add says: what the source says, apart from ours")


def _convention_blocks(file: File) -> Iterator[Found]:
    """A rule that blocks by a convention, and does not cite it."""
    for entry in _with_basis(file, ("convention",)):
        blocks = [phase for phase in PHASES if at_phase(entry.rule.fields.severity, phase) == "block"]
        if blocks and not entry.rule.fields.cite:
            yield file.in_rule("convention-blocks", entry, "severity",
                               f"blocks at {', '.join(blocks)} by a convention without cite",
                               "add cite: whose convention it is, or lower the severity")


def _with_basis(file: File, bases: tuple[str, ...]) -> Iterator[Entry]:
    for entry in file.entries:
        says = entry.old is None or any(map(entry.says, ("basis", "cite", "says", "severity")))
        if says and entry.rule.fields.basis in bases:
            yield entry


def _no_ja(file: File) -> Iterator[Found]:
    """A title without Japanese where the file has others with it."""
    written = [(entry, texts(entry.rule.fields.title)) for entry in file.entries
               if entry.old is None or entry.says("title")]
    if not any("ja" in title for title in (texts(file.head.title), *(t for _, t in written))):
        return
    if "ja" not in texts(file.head.title):
        yield file.found("no-ja", ("title",), "the policy's title has no ja, as others of this file have",
                         "write title: {en: …, ja: …}")
    for entry, title in written:
        if "ja" not in title:
            yield file.in_rule("no-ja", entry, "title", "the title has no ja, as others of this file have",
                               "write title: {en: …, ja: …}")


def _stale(file: File) -> Iterator[Found]:
    """Sources that were last looked at more than 180 days ago."""
    days = (file.today - date.fromisoformat(file.head.as_of)).days
    if days > STALE_DAYS:
        yield file.found("stale", ("as_of",), f"as_of is {days} days before {file.today.isoformat()}",
                         "look at the sources again and write the day on which you did")


def _extends_superseded(file: File) -> Iterator[Found]:
    """A policy taken over whose status is superseded."""
    for i, given in enumerate(file.head.extends):
        if file.extended[given].info.status == "superseded":
            yield file.found("extends-superseded", ("extends", i), f"{given} is superseded",
                             "extend the policy that supersedes it")


def _unknown_tag(file: File) -> Iterator[Found]:
    """A tag that is no category: technology, process or culture."""
    for entry in file.entries:
        for i, tag in enumerate(entry.rule.fields.tags if entry.says("tags") else ()):
            if tag not in CATEGORIES:
                yield file.found("unknown-tag", (*entry.place, "tags", i),
                                 f'{entry.rule.id}: "{tag}" is not one of {", ".join(CATEGORIES)}', "use one of them")


def _no_tag(file: File) -> Iterator[Found]:
    """A rule without a tag, which no category counts."""
    for entry in file.entries:
        if entry.old is None and not entry.rule.fields.tags:
            yield file.in_rule("no-tag", entry, "tags", "has no tag, so that no category counts it",
                               f"add tags: [technology], or one of {', '.join(CATEGORIES)}")


def _no_effect(file: File) -> Iterator[Found]:
    """An override that changes nothing; `insufficient` of a rule that binds at no phase."""
    for i, entry in enumerate(file.entries):
        for key in file.head.rules[i]["override"] if entry.old is not None else ():
            if not entry.changed(key):
                yield file.in_rule("no-effect", entry, key,
                                   f"{key} is {as_text(effective(entry.rule)[key])} without the override too",
                                   "remove it, or give another value")
        binds = any(at_phase(entry.rule.fields.severity, phase) in ("review", "block") for phase in PHASES)
        if entry.says("insufficient") and not binds:
            yield file.in_rule("no-effect", entry, "insufficient",
                               "insufficient counts at severity review and block only, and the rule has neither",
                               "remove it, or raise the severity")


def _falling_severity(file: File) -> Iterator[Found]:
    """A severity that falls from one phase to a later one."""
    for entry in file.entries:
        ranks = [ORDER.index(at_phase(entry.rule.fields.severity, phase)) for phase in PHASES]
        falls = next((i for i in range(1, len(PHASES)) if ranks[i] < ranks[i - 1]), None)
        if falls is not None and entry.says("severity"):
            yield file.in_rule("falling-severity", entry, "severity",
                               f"falls from {ORDER[ranks[falls - 1]]} at {PHASES[falls - 1]} to {ORDER[ranks[falls]]} "
                               f"at {PHASES[falls]}", "keep it at least as severe at later phases")


CHECKS: dict[str, Callable[[File], Iterator[Found]]] = {
    "always-passes": _always_passes,
    "never-passes": _never_passes,
    "no-two-groups": _no_two_groups,
    "calibrates-nothing": _calibrates_nothing,
    "no-cite": _no_cite,
    "no-says": _no_says,
    "convention-blocks": _convention_blocks,
    "no-ja": _no_ja,
    "stale": _stale,
    "extends-superseded": _extends_superseded,
    "unknown-tag": _unknown_tag,
    "no-tag": _no_tag,
    "no-effect": _no_effect,
    "falling-severity": _falling_severity,
}
