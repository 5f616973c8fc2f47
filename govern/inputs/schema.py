"""The pydantic model of `govern.yaml`, built from the table of options so that no key is named twice.

Only the shapes that a flat table cannot say are written out here: sensitive features in their long form,
bands, declared limits and waivers. Every key may be null, which means "not set".
"""

from __future__ import annotations

import datetime
import functools
import itertools
import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from govern.inputs.options import BY_NAME, KEYED, Option
from govern.metrics import (
    CLASSES_METRICS,
    COMPUTE_METRICS,
    COUNT_METRICS,
    DERIVED_METRICS,
    DISPARITY_METRICS,
    METRICS,
    REGRESSION_METRICS,
    SCORE_METRICS,
    SHARE_METRICS,
)

PRIMARY_METRICS = (*COUNT_METRICS, *DERIVED_METRICS, *SCORE_METRICS, *CLASSES_METRICS, *SHARE_METRICS,
                   *REGRESSION_METRICS, *DISPARITY_METRICS)
_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def label_text(value: Any) -> Any:
    """A label as the text it has everywhere after reading: 1 and 1.0 → "1", true → "true"; else unchanged."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return value


Label = Annotated[str, BeforeValidator(label_text), WithJsonSchema({"type": ["string", "number", "boolean"]})]
# `version: 3.10` is read as it is written (`texts_as_written`).
Written = Annotated[str, WithJsonSchema({"type": ["string", "number"]})]


def _rising(cuts: list[float]) -> list[float]:
    if not cuts or any(a >= b for a, b in itertools.pairwise(cuts)):
        raise ValueError("cut points must rise; write them as [25, 35, 45]")
    return cuts


def _role(name: str) -> str:
    parts = name.split(":")
    if "" in parts or len(set(parts)) < len(parts):
        raise ValueError(f'"{name}" does not name different features; write an intersection as sex:age')
    return name


def _single_roles(features: dict[str, Any]) -> dict[str, Any]:
    for name, long in features.items():
        if ":" in name and long is not None:
            raise ValueError(f'"{name}" is an intersection and takes no value; name a role without a colon')
    return features


def _free_name(name: str) -> str:
    if name in METRICS:
        raise ValueError(f'"{name}" is a metric that is measured anyway; choose another name')
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f'"{name}" does not name a metric; write small letters, digits and _')
    return name


def _python_place(text: str) -> str:
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*", text):
        raise ValueError(f'"{text}" does not name a function; write it as module:function')
    return text


def _date(text: str) -> str:
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f'"{text}" is not a date; write it as 2026-11-03') from None


def _period(text: str) -> str:
    first, dots, last = text.partition("..")
    if not dots or _date(first) > _date(last):
        raise ValueError(f'"{text}" is not a period; write it as 2026-01-01..2026-06-30')
    return text


def _shares(shares: dict[str, float]) -> dict[str, float]:
    total = math.fsum(shares.values())
    if any(not 0 < s <= 1 for s in shares.values()) or abs(total - 1) > 0.01:
        raise ValueError(f"shares must be above 0 and add up to 1, not to {total:g}; "
                         "write them as {women: 0.51, men: 0.49}")
    return shares


def _case(case: dict[str, str]) -> dict[str, str]:
    if not case:
        raise ValueError("a case names no value; write it as {sex: women, age: 26–35}")
    return case


def _decision_name(name: str) -> str:
    if name in ("all", "none", ""):
        raise ValueError(f'"{name}" cannot name a decision; choose another name')
    return name


class SensitiveLong(BaseModel):
    """A sensitive feature whose role, levels or unknown values differ from its column."""

    model_config = _STRICT
    column: str | None = Field(None, description="Column that holds it; default: the role's name.")
    levels: dict[str, Label] = Field({}, description="Value in the data → name of the group.")
    unknown: list[Label] = Field([], description="Values that mean the group is not known.")


class DecisionLong(BaseModel):
    """A decision that was taken, and which of its values says that a person was selected."""

    model_config = _STRICT
    column: str
    selected: Label | None = None


class ContractLong(BaseModel):
    """What a column may hold."""

    model_config = _STRICT
    kind: Literal["number", "boolean", "text", "date"] | None = None
    low: float | None = None
    high: float | None = None
    levels: list[Label] | None = None
    missing: bool = True


class ReasonLong(BaseModel):
    """Sentences for a reason: `low` where the feature's value is below the background's mean, `high` where above,
    `missing` where there is none."""

    model_config = _STRICT
    low: str | None = None
    high: str | None = None
    missing: str | None = None


class OwnMetricLong(BaseModel):
    """A metric of the user's own: a Python function, which side is better, and the range of its values."""

    model_config = _STRICT
    function: Annotated[str, AfterValidator(_python_place)]
    better: Literal["higher", "lower", "neither"] = "neither"
    low: float | None = None
    high: float | None = None


class Primary(BaseModel):
    """The metric the owner stands for, with its limit."""

    model_config = _STRICT
    metric: str
    min: float | None = None
    max: float | None = None


class Waiver(BaseModel):
    """A decision of named people not to heed one rule for one subject until a date."""

    model_config = _STRICT
    rule: str
    owner: str
    reason: str
    approver: str
    expires: Annotated[str, AfterValidator(_date)] = Field(json_schema_extra={"format": "date"})
    subject: str | None = None
    lineage: str | None = None


class DeclaredLimit(BaseModel):
    """The least and the greatest value that the owner commits to."""

    model_config = _STRICT
    min: float | None = None
    max: float | None = None


class _Declared(BaseModel):
    """Limits by the name of what is limited; `metrics.declarable` knows the names, and `config.py` looks."""

    model_config = ConfigDict(**{**_STRICT, "extra": "allow"})
    __pydantic_extra__: dict[str, float | DeclaredLimit]
    primary: Primary | None = None


_LIMITS: dict[str, Any] = {name: (float | None, Field(None, gt=0)) for name in COMPUTE_METRICS}
Declared = create_model("Declared", __base__=_Declared, **_LIMITS)

def _said(contract: ContractLong) -> ContractLong:
    ranged = contract.low is not None or contract.high is not None
    if contract.kind is None and contract.levels is None and not ranged and contract.missing:
        raise ValueError("says nothing of the column; give kind, low, high, levels or missing: false")
    if ranged and (contract.levels is not None or contract.kind not in (None, "number")):
        raise ValueError("low and high are for numbers alone; leave them or the rest out")
    if contract.low is not None and contract.high is not None and contract.low > contract.high:
        raise ValueError(f"low {contract.low:g} is above high {contract.high:g}; swap them")
    if contract.levels == []:
        raise ValueError("no level is allowed; name some")
    return contract


_Role = Annotated[str, AfterValidator(_role)]
_Sensitive = Annotated[dict[_Role, SensitiveLong | str | None], AfterValidator(_single_roles)]
_SHAPES: dict[str, Any] = {
    "data.sensitive": list[_Role | _Sensitive] | _Sensitive,
    "data.bands": dict[str, Annotated[list[float], AfterValidator(_rising)]],
    "data.period": Annotated[str, AfterValidator(_period)],
    "data.shares": dict[str, Annotated[dict[str, float], AfterValidator(_shares)]],
    "data.cases": list[Annotated[dict[str, Label], AfterValidator(_case)]],
    "data.decisions": dict[Annotated[str, AfterValidator(_decision_name)], DecisionLong | str],
    "data.contract": dict[str, Annotated[ContractLong, AfterValidator(_said)]],
    "data.metrics": dict[Annotated[str, AfterValidator(_free_name)], OwnMetricLong],
    "explain.directions": dict[str, Literal["rises", "falls"]],
    "explain.reasons": dict[str, str | ReasonLong],
    "explain.cases": list[Annotated[dict[str, Label], AfterValidator(_case)]],
    "declared": Declared,
    "waivers": list[Waiver],
    "card": dict[str, Any],
}


def _not_later(option: Option) -> Any:
    def check(value: str) -> str:
        if value in option.choices_later:
            raise ValueError(f'"{value}" arrives in a later version; use {" or ".join(option.choices)}')
        return value

    return BeforeValidator(check)


def _type_of(option: Option) -> Any:
    if option.key in _SHAPES:
        return _SHAPES[option.key]
    kinds: dict[str, Any] = {"int": Annotated[int, Field(ge=0, lt=2**32)], "float": float, "label": Label}
    kind: Any = kinds.get(option.kind, Written)
    if option.choices:
        kind = Annotated[Literal[option.choices], _not_later(option)]
    return list.__class_getitem__(kind) if option.repeatable else kind


@functools.lru_cache
def config_model() -> type[BaseModel]:
    """The model of a whole `govern.yaml`, one field for each key of the table of options."""
    sections: dict[str, dict[str, Any]] = {}
    for option in KEYED:
        section, _, name = option.key.rpartition(".")
        info = Field(None, description=option.help, examples=[option.default] if option.default else None)
        sections.setdefault(section, {})[name] = (_type_of(option) | None, info)
    top = sections.pop("")
    for section, fields in sections.items():
        inner: Any = create_model(section.capitalize(), __config__=_STRICT, **fields)
        top[section] = (inner | None, Field(None, description=f"Settings of the {section}."))
    # a field called `schema` would hide a method of pydantic's
    top["schema_"] = (Literal["govern.config/1"] | None,
                      Field(None, alias="schema", description="Name of this schema."))
    model: type[BaseModel] = create_model("Config", __config__=_STRICT, **top)
    return model


def config_schema() -> dict[str, Any]:
    """The JSON Schema of `govern.yaml`, for editors and the documentation."""
    schema = config_model().model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "govern.config/1",
            **schema, "title": "govern.yaml"}


def texts_as_written(plain: Any, written: Any, path: tuple[str | int, ...] = ()) -> Any:
    """`plain` with the scalars of text keys as they are written: `version: 3.10` is text, not a number.

    `written(path)` gives a scalar's text. Labels are left: they have a rule of their own (`label_text`).
    """
    if isinstance(plain, dict):
        return {k: texts_as_written(v, written, (*path, k)) for k, v in plain.items()}
    if isinstance(plain, list):
        return [texts_as_written(v, written, (*path, i)) for i, v in enumerate(plain)]
    option = BY_NAME.get(".".join(s for s in path if isinstance(s, str)))
    textual = option is not None and option.kind in ("text", "path")
    return written(path) if textual and isinstance(plain, int | float) else plain


def bands_from_flags(values: list[str]) -> dict[str, list[float]]:
    """`["age=25,35"]` as `{"age": [25.0, 35.0]}`. Raises ValueError `what; how to mend it`."""
    bands: dict[str, list[float]] = {}
    for text in values:
        name, sign, cuts = text.rpartition("=")
        if not sign or not name or not re.fullmatch(r"[^,]+(,[^,]+)*", cuts):
            raise ValueError(f'"{text}" is not COLUMN=CUTS; write it as age=25,35,45')
        try:
            bands[name] = [float(c) for c in cuts.split(",")]
        except ValueError:
            raise ValueError(f'"{cuts}" are not numbers; write it as {name}=25,35,45') from None
    return bands
