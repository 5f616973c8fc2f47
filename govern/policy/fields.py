"""The fields a rule may have, each declared once, and the rule as the gate sees it.

A kind's own module adds its own fields to these sets; `schema.py` reads files against them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema, model_validator

from govern.errors import InputError, nearest, printable
from govern.metrics import METRICS, Metric
from govern.policy.when import OUTCOMES, When
from govern.verdict import Change, Phase, Severity
from govern.yamlcheck import ProblemAt

T = TypeVar("T")
PRIMARY = "primary"
DECLARED = "declared"

Insufficient = Literal["lean", "review", "block"]
Absent = Literal["n/a", "review", "fail"]
Basis = Literal["law", "guidance", "standard", "convention", "house", "govern"]


class Fields(BaseModel):
    """A mapping of a policy file: unknown keys and values of another type are errors."""

    # Built when first used: a policy uses few of the kinds, and `govern check` waits for every one that is built.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class ByPhase(Fields, Generic[T]):
    """One value for each phase."""

    desk: T
    poc: T
    team: T
    company: T


class Texts(Fields):
    """A text in English and, where there is one, in Japanese."""

    en: str
    ja: str | None = None


def texts(value: Texts | str | None) -> dict[str, str]:
    """Texts by language; plain text counts as English, no text as an empty mapping."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {"en": value}
    return {"en": value.en} | ({"ja": value.ja} if value.ja is not None else {})


def at_phase(value: Any, phase: Phase) -> Any:
    """The value in force at `phase`, of one value or one for each phase."""
    return getattr(value, phase) if isinstance(value, ByPhase) else value


def _limit(value: Any) -> Any:
    if isinstance(value, dict):
        raise ValueError("no limit relative to the baseline can be given here; give a number or declared")
    if isinstance(value, str) and value.rstrip().endswith("%"):
        raise ValueError(f"{printable(value, 20)} is a percentage; write shares as fractions, 0.8 for 80 %")
    if isinstance(value, bool) or (not isinstance(value, int | float) and value != DECLARED):
        raise ValueError("a limit is a number or declared; write it without quotes")
    return value


def _limit_or_relative(value: Any) -> Any:
    return value if isinstance(value, dict) else _limit(value)


class Baseline(Fields):
    """A limit relative to the baseline evidence: its value of the same number plus this one."""

    baseline: float = Field(description="added to the baseline's value: -0.02")


# A limit of a kind that is not compared with the baseline, and of one that is.
Limit = Annotated[
    float | Literal["declared"],
    BeforeValidator(_limit),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"const": "declared"}]}),
]
RelativeLimit = Annotated[float | Literal["declared"] | Baseline, BeforeValidator(_limit_or_relative)]


class Each(Fields):
    """What a rule is repeated over: the groups for which other rules came out so, or the items of a card list."""

    rule: str | list[str] | None = Field(None, description="rules whose groups are taken, by id")
    outcome: list[Literal[OUTCOMES]] = Field(  # type: ignore[valid-type]
        default_factory=lambda: ["fail"], min_length=1, description="outcomes of the comparisons whose groups are taken"
    )
    card: str | None = Field(None, description="a list of the card, taken item by item; a.b is the list b inside a")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.rule is None) == (self.card is None):
            raise ValueError("repeats over rule or card, one of the two; write {rule: ID} or {card: NAME}")
        return self


class RuleFields(Fields):
    """What every rule says about itself."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", description="short and stable; unique in the policy")
    title: Texts | str = Field(description="what is judged, in a few words")
    severity: Severity | ByPhase[Severity] = Field(
        description="what a fail does: block, review, warn or info; one value or one for each phase"
    )
    basis: Basis = Field(description="whose bound it is")
    cite: str | None = Field(None, description="where the source says it")
    says: Texts | str | None = Field(None, description="what the source says")
    ours: Texts | str | None = Field(None, description="what was added to the source; empty when nothing")
    tags: list[str] = Field(default_factory=list, description="words to group rules by")
    absent: Absent | ByPhase[Absent] | None = Field(
        None,
        description="what it means that the rule's input was not given or does not exist: n/a, review or fail",
    )
    when: When | None = Field(
        None,
        description="the rule is n/a unless all of this holds: task, phase, settings.*, declared.*, card.*: a value, "
        "a list of values, or true (is there) or false; {rule: ID, outcome: [fail]}: another rule came out so",
    )


class LimitFields(RuleFields):
    """A bound, and how certain a decision about it must be."""

    min: RelativeLimit | None = Field(
        None, description="the least allowed value: a number, declared, or {baseline: -0.02}"
    )
    max: RelativeLimit | None = Field(
        None, description="the greatest allowed value: a number, declared, or {baseline: 0.02}"
    )
    decide: Literal["interval", "point"] = Field(
        "interval",
        description="interval: pass or fail only when sure at the level of error; point: the estimate decides",
    )
    calibrate: bool | None = Field(
        None,
        description="true: levels of rates are shrunk until the error holds at the sizes at hand, by enumeration",
    )
    error: float | None = Field(
        None, gt=0, lt=0.5, description="one-sided chance of a wrong pass and of a wrong fail alike"
    )
    family: Literal["policy", "rule"] | None = Field(
        None,
        description="a fail is corrected for all rules of this policy that bind (policy) or only for its own (rule)",
    )
    min_n: int | None = Field(None, ge=0, description="groups with a smaller denominator do not hold up a pass")
    min_share: float | None = Field(
        None, ge=0, lt=1, description="groups with a smaller share of the rows do not hold up a pass"
    )
    label: str | None = Field(
        None,
        description="a class of a multiclass task, held against all others; omitted: the favourable one where it was "
        "given, else every class",
    )
    insufficient: Insufficient | ByPhase[Insufficient] | None = Field(
        None,
        description="what data that cannot decide does at severity block or review: lean, review or block",
    )

    @model_validator(mode="after")
    def _decided_by_interval(self) -> Self:
        if self.calibrate and self.decide == "point":
            raise ProblemAt("calibrate", "decide: point has no error to calibrate; remove calibrate")
        return self


class Defaults(Fields):
    """Values for the rules of this file that do not say otherwise; rules of extended policies keep theirs."""

    error: float = Field(0.05, gt=0, lt=0.5, description="see rules")
    family: Literal["policy", "rule"] = Field("policy", description="see rules")
    calibrate: bool = Field(False, description="see rules")
    min_n: int = Field(30, ge=0, description="see rules")
    min_share: float = Field(0.02, ge=0, lt=1, description="see rules")
    missing: Literal["show", "include"] = Field("show", description="see rules")
    insufficient: Insufficient | ByPhase[Insufficient] = Field(
        default_factory=lambda: ByPhase[Insufficient](desk="lean", poc="lean", team="lean", company="review"),
        description="see rules",
    )
    absent: Absent | ByPhase[Absent] = Field("n/a", description="see rules")


@dataclass(frozen=True)
class Relative:
    """A limit that is the baseline's value plus `by`."""

    by: Decimal


@dataclass(frozen=True)
class Rule:
    """A rule in force: its own fields, with the file's defaults filled in, and where it stands.

    `minimum` and `maximum` are exact decimals, "declared", relative to the baseline, or None. `changes` are the
    overrides that were made to it, `conditions` when the policies it comes through apply, each with the policy's name.
    `places` holds file, line and column of its keys and items.
    """

    fields: Any
    terms: Defaults
    file: str
    line: int
    minimum: Decimal | str | Relative | None = None
    maximum: Decimal | str | Relative | None = None
    changes: tuple[Change, ...] = ()
    conditions: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    places: Mapping[tuple[str | int, ...], tuple[str, int, int]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The bare id."""
        return str(self.fields.id)

    def error(self, path: tuple[str | int, ...], what: str, fix: str) -> InputError:
        """The error that says `what` is wrong at a key or item of the rule."""
        file, line, column = self.places.get(path, (self.file, self.line, 1))
        return InputError(what, fix=fix, where=file, line=line, column=column, rule=self.id)


def rows_known(info: ValidationInfo) -> dict[str, Metric]:
    """The metrics a file may name: registered ones, and the user's own that its reader was told of."""
    return {**METRICS, **(info.context or {}).get("own", {})}


@dataclass(frozen=True)
class MetricNames:
    """Marks a field that takes one metric name or a list of them: those of `families` (of these `only` some) that
    `kind` can judge."""

    families: tuple[str, ...]
    kind: str
    primary: bool = False
    only: tuple[str, ...] = ()

    def known(self, rows: Mapping[str, Metric] = METRICS) -> list[str]:
        """The names of `rows` that may be given."""
        names = [m.name for m in rows.values() if m.family in self.families and m.name != "calibration_p_value"
                 and (not self.only or m.name in self.only)]
        return [*names, PRIMARY] if self.primary else names

    def check(self, value: Any, info: ValidationInfo) -> Any:
        """`value` when all its names are known. Raises ValueError naming the nearest known one."""
        names = value if isinstance(value, list) else [value]
        if not names or any(names.count(name) > 1 for name in names):
            raise ValueError("is an empty list" if not names else "names a metric twice")
        rows = rows_known(info)
        known = self.known(rows)
        for name in names:
            if name in known:
                continue
            row = rows.get(name) if isinstance(name, str) else None
            if row is None:
                said = nearest(str(name), known) or f"known: {', '.join(known)}"
                raise ValueError(f'unknown metric "{printable(name)}"; {said}')
            if row.family == "disparity":
                raise ValueError(
                    f"{name} is judged from its rates by kind disparity; "
                    "write the rate as metric, with compare and against"
                )
            raise ValueError(
                f"kind {self.kind} does not judge the {row.family} metric {name}; known: {', '.join(known[:8])} …"
            )
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core.core_schema import with_info_before_validator_function

        return with_info_before_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        one = {"enum": self.known()}
        several = {"type": "array", "items": one, "minItems": 1}
        found = handler(schema)
        return several if found.get("type") == "array" else {"anyOf": [one, several]}


def as_list(value: str | list[str]) -> list[str]:
    """One name or several as a list."""
    return [value] if isinstance(value, str) else value


def check_limits(minimum: Any, maximum: Any, low: float | None, high: float | None) -> None:
    """Raises ValueError for no limit at all, for limits that exclude each other, and for one outside `low` to
    `high`, where it would be a percentage or a slip and could never decide."""
    if minimum is None and maximum is None:
        raise ValueError("needs min or max; add one")
    limits = {key: v for key, v in (("min", minimum), ("max", maximum)) if v is not None and v != DECLARED}
    numbers = {key: v for key, v in limits.items() if not isinstance(v, Baseline)}
    for key, v in limits.items():
        if isinstance(v, Baseline) and low is not None and high is not None and abs(v.baseline) > high - low:
            raise ProblemAt(key, f"{v.baseline:g} from the baseline is more than the whole range; "
                            "write shares as fractions, -0.02 for 2 points less")
    if len(numbers) == 2 and minimum > maximum:
        raise ProblemAt("min", f"min {minimum:g} is above max {maximum:g}; exchange them")
    for key, v in numbers.items():
        if (low is not None and v < low) or (high is not None and v > high):
            ends = [f"{word} {end:g}" for word, end in (("from", low), ("to", high)) if end is not None]
            raise ProblemAt(
                key, f"limit {v:g} lies outside the range {' '.join(ends)}; write shares as fractions, 0.8 for 80 %"
            )
