"""Policies found by name or path, read, extended and overridden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from govern.codec import read_bytes
from govern.errors import InputError, nearest, printable
from govern.metrics import Metric
from govern.policy.fields import texts
from govern.policy.order import check_references
from govern.policy.schema import Draft, Head, Policy, build, override, read_drafts, read_head
from govern.resources import resource
from govern.verdict import PolicyInfo
from govern.yamlfile import YamlDoc, parse_yaml

MAX_BYTES = 1_000_000
MAX_EXTENDS = 16
SUFFIXES = (".yaml", ".yml")
TESTS = ".test.yaml"
NO_OWN: Mapping[str, Metric] = {}


@dataclass(frozen=True)
class PackInfo:
    """A shipped policy."""

    name: str
    version: str
    status: str
    as_of: str
    title: Mapping[str, str]
    path: Path


def _files() -> list[Path]:
    """The files of the shipped policies; those of their tests stand beside them."""
    return [p for p in sorted(resource("policies").glob("*.yaml")) if not p.name.endswith(TESTS)]


@lru_cache
def shipped() -> tuple[PackInfo, ...]:
    """The policies that come with govern, by name."""
    found = []
    for path in _files():
        head = read_head(parse_yaml(path.read_bytes(), path.stem))
        found.append(PackInfo(head.name, head.version, head.status, head.as_of, texts(head.title), path))
    return tuple(found)


def find(name_or_path: str, *, base: Path | None = None) -> Path:
    """The file of a shipped policy by name, or of a path relative to `base` (default: the working folder).

    What holds a slash or ends in .yaml or .yml is a path. Raises InputError for an unknown name.
    """
    if "/" in name_or_path or name_or_path.endswith(SUFFIXES):
        return (base or Path()) / name_or_path
    path = next((p for p in _files() if p.stem == name_or_path), None)
    if path is None:
        known = [p.stem for p in _files()]
        said = nearest(name_or_path, known) or f"shipped: {', '.join(known)}; a path ends in .yaml or holds a slash"
        raise InputError(f'no policy "{printable(name_or_path)}"', fix=said)
    return path


def load_policy(name_or_path: str, *, base: Path | None = None, own: Mapping[str, Metric] = NO_OWN) -> Policy:
    """A policy with everything it extends, checked; `own` are metrics of the user's own that its rules may name.

    Raises InputError with file, line, column and rule.
    """
    found = _resolve(name_or_path, base or Path(), own, (), {})
    rules = tuple(build(d, own) for d in found.drafts.values())
    if not rules:
        raise found.doc.error(("rules",), "the policy has no rules", "write rules, or extend a policy that has some")
    check_references(rules)
    return Policy(found.info, rules, found.extended, found.head.waiver_days)


@dataclass(frozen=True)
class _Resolved:
    head: Head
    doc: YamlDoc
    drafts: dict[str, Draft]
    extended: tuple[PolicyInfo, ...]

    @property
    def info(self) -> PolicyInfo:
        head = self.head
        extends = tuple(f"{p.name}@{p.sha256}" for p in self.extended)
        return PolicyInfo(head.name, head.version, self.doc.sha256, head.status, head.as_of, texts(head.title),
                          extends, head.applies_from, head.sunset)


def _resolve(
    given: str,
    base: Path,
    own: Mapping[str, Metric],
    trail: tuple[Path, ...],
    known: dict[Path, _Resolved],
    near: Path = Path(),
    asked: tuple[YamlDoc, int] | None = None,
) -> _Resolved:
    """A policy and those it extends. `base` is where paths start, `near` the same as people see it; `trail`
    are the files on the way here, `known` those read already, `asked` the place that extends this one."""
    is_path = "/" in given or given.endswith(SUFFIXES)
    shown = (Path(given).name if Path(given).is_absolute() else str(near / given)) if is_path else given
    try:
        path = find(given, base=base)
        if path.resolve() in trail:
            raise InputError(f'"{printable(given)}" extends itself in a circle', fix="remove one of the extends")
        if len(trail) > MAX_EXTENDS:
            raise InputError(f"more than {MAX_EXTENDS} policies extend each other", fix="extend fewer at a time")
        if path.resolve() in known:
            return known[path.resolve()]
        data = read_bytes(path, MAX_BYTES)
    except InputError as err:
        if asked is None:
            raise InputError(err.what, where=shown if err.where else None, fix=err.fix) from None
        what = f'extends "{printable(given)}": {err.what}' if err.where else err.what
        raise asked[0].error(("extends", asked[1]), what, err.fix) from None
    doc = parse_yaml(data, shown)
    head = read_head(doc)
    drafts: dict[str, Draft] = {}
    extended: list[PolicyInfo] = []
    for i, name in enumerate(head.extends):
        inner = _resolve(name, path.parent, own, (*trail, path.resolve()), known, Path(shown).parent, (doc, i))
        extended += [p for p in (inner.info, *inner.extended) if p not in extended]
        for rule, draft in inner.drafts.items():
            if rule in drafts and (drafts[rule].raw, drafts[rule].conditions) != (draft.raw, draft.conditions):
                raise doc.error(
                    ("extends", i),
                    f'"{rule}" comes from two policies and differs',
                    "extend only one of them",
                    rule,
                )
            drafts.setdefault(rule, draft)
    _merge(doc, head, drafts, own)
    if head.applies_when is not None:
        condition = (head.name, head.applies_when)
        drafts = {rule: replace(d, conditions=(*d.conditions, condition)) for rule, d in drafts.items()}
    return known.setdefault(path.resolve(), _Resolved(head, doc, drafts, tuple(extended)))


def _merge(doc: YamlDoc, head: Head, drafts: dict[str, Draft], metrics: Mapping[str, Metric]) -> None:
    """Adds a file's own rules and overrides to those it took over."""
    own, overrides = read_drafts(doc, head, metrics)
    for draft in own:
        rule = str(draft.raw["id"])
        if rule in drafts:
            raise doc.error(
                (*draft.place, "id"),
                f'"{rule}" was taken over already',
                f"write {{id: {rule}, override: {{…}}, reason: …}}",
                rule,
            )
    for place, change in overrides:
        if change.id not in drafts:
            what = f'no extended policy has a rule "{printable(change.id)}"'
            raise doc.error(
                (*place, "id"),
                what,
                nearest(change.id, list(drafts)) or "extend the policy that has it",
                change.id,
            )
        drafts[change.id] = override(drafts[change.id], doc, place, change, head.name)
        build(drafts[change.id], metrics)
    drafts.update({str(d.raw["id"]): d for d in own})
