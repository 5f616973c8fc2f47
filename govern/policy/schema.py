"""Policy files read and checked: every field is declared once, in `fields.py` and the modules of the kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Annotated, Any, Literal, Self, Union

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator, model_validator

from govern.errors import MAX_LINE, InputError, nearest, printable
from govern.metrics import Metric
from govern.policy.fields import DECLARED, Defaults, Fields, Relative, Rule, Texts
from govern.policy.rules import KINDS
from govern.policy.when import When, problem
from govern.verdict import Change, PolicyInfo
from govern.yamlcheck import Place, ProblemAt, first_problem
from govern.yamlfile import MAX_DIGITS, YamlDoc, validate

POLICY_SCHEMA = "govern.policy/1"
Status = Literal["in_force", "guidance", "proposed", "in_flux", "superseded"]


class Head(Fields):
    """What a policy file says before and beside its rules."""

    schema_: Literal["govern.policy/1"] = Field(alias="schema", description="the format of this file")
    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,59}$", description="short, in lower case; qualifies the rule ids"
    )
    version: str = Field(description="of this policy, in quotes")
    title: Texts | str = Field(description="what people call it")
    status: Status = Field(description="in_force, guidance, proposed, in_flux or superseded")
    as_of: str = Field(description="the day of the state of its sources: 2026-11-03")
    applies_from: str | None = Field(None, description="the first day on which its sources apply: 2027-12-02")
    sunset: str | None = Field(None, description="the last day on which its sources apply")
    applies_when: When | None = Field(
        None, description="the policy applies where all of this holds; see when of rules, without rule and outcome"
    )
    waiver_days: int = Field(90, ge=1, le=3660, description="how many days ahead a waiver of its rules may expire")
    extends: list[str] = Field(
        default_factory=list, description="packs or paths (from this file) whose rules are taken over"
    )
    defaults: Defaults = Field(
        default_factory=lambda: Defaults.model_validate({}),
        description="values for the rules of this file that do not say otherwise",
    )
    rules: list[dict[str, Any]] = Field(default_factory=list, description="rules, and overrides of extended ones")

    @field_validator("as_of", "applies_from", "sunset")
    @classmethod
    def _is_day(cls, value: str | None) -> str | None:
        try:
            return None if value is None else date.fromisoformat(value).isoformat()
        except ValueError:
            raise ValueError(f'"{printable(value)}" is not a day; write it as 2026-11-03') from None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.applies_from and self.sunset and self.sunset < self.applies_from:
            raise ProblemAt("sunset", f"{self.sunset} lies before applies_from {self.applies_from}; exchange them")
        return self


class OverrideFields(Fields):
    """Other values for fields of a rule that was taken over, and why."""

    id: str = Field(description="the rule that is changed")
    override: dict[str, Any] = Field(min_length=1, description="its fields that change, with their new values")
    reason: str = Field(min_length=1, description="why; shown beside the rule")


@dataclass(frozen=True)
class Policy:
    """A policy in force: what it is, its rules after extending and overriding, the policies it extends, and how many
    days ahead a waiver of its rules may expire."""

    info: PolicyInfo
    rules: tuple[Rule, ...]
    extended: tuple[PolicyInfo, ...] = ()
    waiver_days: int = 90


@dataclass(frozen=True)
class Draft:
    """A rule as written: its keys, and for each the document and place it comes from."""

    raw: Mapping[str, Any]
    origin: Mapping[str, tuple[YamlDoc, Place]]
    doc: YamlDoc
    place: Place
    terms: Defaults
    changes: tuple[Change, ...] = ()
    conditions: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def find(self, path: Place) -> tuple[YamlDoc, Place]:
        """The document and the place in it of a key or item of the rule."""
        if path and path[0] in self.origin:
            doc, start = self.origin[str(path[0])]
            return doc, (*start, *path[1:])
        return self.doc, self.place


def read_head(doc: YamlDoc) -> Head:
    """The checked head of a policy file; its rules are still as written. Raises InputError."""
    found = doc.value.get("schema") if isinstance(doc.value, dict) else None
    if found != POLICY_SCHEMA:
        raise doc.error(
            ("schema",),
            f'is not a policy: schema is "{printable(found)}"',
            f"write schema: {POLICY_SCHEMA} and check that this is the right file",
        )
    head = validate(Head, doc)
    wrong = problem(head.applies_when, of_policy=True) if head.applies_when is not None else None
    if wrong is not None:
        key, what, fix = wrong
        raise doc.error(("applies_when", key), f'"{key or "applies_when"}": {what}', fix)
    return head


def read_drafts(doc: YamlDoc, head: Head, own: Mapping[str, Metric]
                ) -> tuple[list[Draft], list[tuple[Place, OverrideFields]]]:
    """The rules that a file defines itself, and the overrides it makes, in the order of the file."""
    drafts: dict[str, Draft] = {}
    overrides: list[tuple[Place, OverrideFields]] = []
    for i, raw in enumerate(head.rules):
        place: Place = ("rules", i)
        rule = str(raw["id"]) if isinstance(raw.get("id"), str) else None
        if "override" in raw:
            overrides.append((place, validate(OverrideFields, doc, place, rule)))
            continue
        draft = Draft(raw, {key: (doc, (*place, key)) for key in raw}, doc, place, head.defaults)
        build(draft, own)
        if rule in drafts:
            raise doc.error((*place, "id"), f'there are two rules "{rule}"', "give one of them another id", rule)
        drafts[str(rule)] = draft
    return list(drafts.values()), overrides


def override(draft: Draft, doc: YamlDoc, place: Place, change: OverrideFields, by: str) -> Draft:
    """The rule with some of its fields changed; what was changed, from what and why is kept with it."""
    for key in ("id", "kind"):
        if key in change.override:
            raise doc.error(
                (*place, "override", key),
                f"{key} of a rule cannot be overridden",
                "add a rule of your own",
                change.id,
            )
    made = tuple(
        Change(
            key,
            _as_written(draft.raw[key], *draft.find((key,))) if key in draft.raw else None,
            _as_written(new, doc, (*place, "override", key)),
            by,
            change.reason,
        )
        for key, new in change.override.items()
    )
    return replace(
        draft,
        raw={**draft.raw, **change.override},
        origin={**draft.origin, **{k: (doc, (*place, "override", k)) for k in change.override}},
        doc=doc,
        place=place,
        changes=draft.changes + made,
    )


def _as_written(value: Any, doc: YamlDoc, place: Place) -> str | None:
    """A value of a rule on one line, its numbers as they are written; None for an empty one."""
    if value is None:
        return None
    if isinstance(value, dict):
        return "{" + ", ".join(f"{printable(k)}: {_as_written(v, doc, (*place, k))}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return ", ".join(str(_as_written(v, doc, (*place, i))) for i, v in enumerate(value))
    return printable(doc.text(place), MAX_LINE)


def build(draft: Draft, own: Mapping[str, Metric]) -> Rule:
    """The rule of a draft, checked against the fields of its kind; `own` are metrics of the user's own that it may
    name. Raises InputError at the first wrong key."""
    raw = dict(draft.raw)
    rule = raw["id"] if isinstance(raw.get("id"), str) else None
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        doc, place = draft.find(("kind",))
        what = 'key "kind" is missing' if "kind" not in raw else f'unknown kind "{printable(kind)}"'
        known = f"known kinds: {', '.join(KINDS)}"
        raise doc.error(place, what, nearest(str(kind or ""), list(KINDS)) or known, rule)
    model = KINDS[kind].fields
    try:
        fields = model.model_validate(raw, context={"own": own})
    except ValidationError as err:
        raise _refused(draft, model, raw, err, rule) from None
    wrong = problem(fields.when) if fields.when is not None else None
    if wrong is not None:
        key, what, fix = wrong
        doc, place = draft.find(("when", key))
        raise doc.error(place, f'"{key or "when"}": {what}', fix, rule)
    line = draft.doc.at(draft.place)[0]
    return Rule(
        fields,
        draft.terms,
        draft.doc.name,
        line,
        _limit(draft, "min"),
        _limit(draft, "max"),
        draft.changes,
        draft.conditions,
        dict(_places(draft)),
    )


def _refused(
    draft: Draft, model: type[BaseModel], raw: dict[str, Any], err: ValidationError, rule: str | None
) -> InputError:
    def where(path: Place) -> tuple[int, int]:
        doc, place = draft.find(path)
        return doc.at(place)

    path, what, fix = first_problem(model, raw, err.errors(), where)
    doc, place = draft.find(path)
    return doc.error(place, what.removeprefix("the file: "), fix, rule)


def _limit(draft: Draft, key: str) -> Decimal | str | Relative | None:
    """The limit as the exact decimal that is written, not the float next to it. Raises InputError for one whose
    digits lie beyond any use."""
    value = draft.raw.get(key)
    if value is None or value == DECLARED:
        return value
    path: Place = (key, "baseline") if isinstance(value, dict) else (key,)
    doc, place = draft.find(path)
    written = doc.text(place)
    try:
        number = Decimal(written)
    except InvalidOperation:
        # Hexadecimal and octal numbers are whole, and read already.
        number = Decimal(str(value))
    if number and (number.adjusted() > MAX_DIGITS or int(number.as_tuple().exponent) < -MAX_DIGITS):
        raise doc.error(place, f'"{key}": {printable(written, 24)} has more digits than a limit can use',
                        f"write at most {MAX_DIGITS} decimal places", str(draft.raw.get("id")))
    return Relative(number) if isinstance(value, dict) else number


def _places(draft: Draft) -> Any:
    for key, value in draft.raw.items():
        steps = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
        inner: list[Place] = [(key, step) for step in steps]
        for path in [(key,), *inner]:
            doc, place = draft.find(path)
            yield path, (doc.name, *doc.at(place))


@cache
def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of policy files, for editors and other tools."""
    kinds: Any = Union[tuple(kind.fields for kind in KINDS.values())]  # noqa: UP007 (built from the registry)
    one: Any = Annotated[kinds, Field(discriminator="kind")]
    entry: Any = Union[one, OverrideFields]  # noqa: UP007
    rules = TypeAdapter(list[entry]).json_schema(ref_template="#/$defs/{model}")
    head = Head.model_json_schema(ref_template="#/$defs/{model}")
    head["$defs"] = {**rules.pop("$defs"), **head["$defs"]}
    head["properties"]["rules"] = {**head["properties"]["rules"], **rules}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **head, "title": POLICY_SCHEMA}
