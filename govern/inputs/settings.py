"""The typed settings of a run: what `config.py` makes of flags, `govern.yaml` and defaults."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from govern.errors import InputError
from govern.evidence import Task
from govern.inputs.expected import Contract, Decision

CONFIG_NAME = "govern.yaml"
SMALLEST = "data: {path: eval.csv, target: label}"
Source = Literal["flag", "file", "default"]


@dataclass(frozen=True)
class SensitiveFeature:
    """A sensitive feature: its role (the name rules use), column, level names, values that mean unknown."""

    role: str
    column: str
    levels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelSettings:
    """The model file and what may be done to load it; `path` is None in predictions-only mode."""

    path: Path | None
    name: str | None
    version: str | None
    trust: tuple[str, ...]
    path_extra: tuple[Path, ...]


@dataclass(frozen=True)
class OwnMetric:
    """A metric of the user's own: `function` is `module:function`, `low` and `high` bound its values."""

    name: str
    function: str
    better: Literal["higher", "lower", "neither"]
    low: float | None
    high: float | None


@dataclass(frozen=True)
class DataSettings:
    """The evaluation data and the roles of its columns; `features` and `task` None mean: find out.

    `classes` are those of a multiclass target in order, () when not given. `period` are two days, `shares` the
    declared shares of groups by role, `cases` levels by role, `pairs` the columns whose values should all meet.
    """

    path: Path | None
    target: str | None
    positive: str | None
    favourable: str | None
    threshold: float | None
    score: str | None
    prediction: str | None
    features: tuple[str, ...] | None
    sensitive: tuple[SensitiveFeature, ...]
    intersections: tuple[tuple[str, ...], ...]
    bands: Mapping[str, tuple[float, ...]]
    control: tuple[str, ...] = ()
    weight: str | None = None
    cluster: str | None = None
    task: Task | None = None
    classes: tuple[str, ...] = ()
    metrics: tuple[OwnMetric, ...] = ()
    search: tuple[str, ...] = ()
    train: Path | None = None
    date: str | None = None
    period: tuple[str, str] | None = None
    shares: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    cases: tuple[Mapping[str, str], ...] = ()
    pairs: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    contract: tuple[Contract, ...] = ()


@dataclass(frozen=True)
class ExplainSettings:
    """How the model is explained. `rows` is the most rows explained and `precision` the relative half-width at which
    no more are needed, None: the defaults. `directions` are the expected ones by feature (rises, falls), `reasons` the
    sentences of reason codes by feature, `cases` the values by column of the rows to explain one by one."""

    background: str = "all"
    rows: int | None = None
    precision: float | None = None
    directions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    reasons: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    prohibited: tuple[str, ...] = ()
    most_reasons: int = 4
    cases: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class ReportSettings:
    """Where to write, which formats, and how the card looks: language, edition, groups below how many rows are
    suppressed (0: none), name, colour and logo of the organisation, Markdown files of its own sections, paper."""

    out: Path
    formats: tuple[str, ...]
    lang: str
    edition: str = "full"
    suppress_below: int = 0
    organisation: str | None = None
    colour: str | None = None
    logo: Path | None = None
    sections: tuple[Path, ...] = ()
    paper: str = "a4"


@dataclass(frozen=True)
class Settings:
    """Everything a run was told.

    `source` says for each key whether flag, file or default spoke. Policies that are files are relative to
    `policies_base`. `config_sha256` is the settings file's digest, without one that of the merged settings.
    """

    model: ModelSettings
    data: DataSettings
    policies: tuple[str, ...]
    policies_base: Path
    phase: str
    declared: Mapping[str, Any]
    waivers: tuple[Mapping[str, Any], ...]
    report: ReportSettings
    explain: ExplainSettings
    seed: int
    card: Mapping[str, Any]
    source: Mapping[str, Source]
    config_file: Path | None
    config_sha256: str

    @property
    def formats_asked(self) -> bool:
        """Whether the card formats were asked for, so that one that cannot be made is an error."""
        return self.source["report.formats"] != "default"

    def measurable(self) -> tuple[Path, str]:
        """Data file and target column. Raises InputError naming what is missing for a measurement."""
        missing = [flag for flag, value in (("--data", self.data.path), ("--target", self.data.target))
                   if value is None]
        if self.model.path is None and self.data.score is None and self.data.prediction is None:
            missing.insert(0, "MODEL (or --score / --prediction)")
        if missing or self.data.path is None or self.data.target is None:
            them = "it" if len(missing) == 1 else "them"
            raise InputError(f"missing {', '.join(missing)}",
                             fix=f"give {them}, or a {CONFIG_NAME} here that says {SMALLEST}")
        return self.data.path, self.data.target

    def plain(self) -> dict[str, Any]:
        """The settings that change a number, under the keys of `govern.yaml`; of paths only the file's name.

        Left out: output folder, formats and language (they change no number), `declared` and `card` (the
        evidence has a place of its own for them) and waivers (they belong to the verdict).
        """
        m, d, e = self.model, self.data, self.explain
        sensitive: list[Any] = [
            s.role if s == SensitiveFeature(s.role, s.role)
            else {s.role: {"column": s.column, "levels": dict(s.levels), "unknown": list(s.unknown)}}
            for s in d.sensitive
        ]
        return {
            "model": {"path": m.path and m.path.name, "name": m.name, "version": m.version,
                      "trust": list(m.trust), "path_extra": [p.name for p in m.path_extra]},
            "data": {"path": d.path and d.path.name, "target": d.target, "positive": d.positive,
                     "favourable": d.favourable, "threshold": d.threshold, "score": d.score,
                     "prediction": d.prediction, "features": d.features and list(d.features),
                     "sensitive": sensitive + [":".join(i) for i in d.intersections],
                     "bands": {k: list(v) for k, v in d.bands.items()}, "control": list(d.control),
                     "weight": d.weight, "cluster": d.cluster, "task": d.task, "classes": list(d.classes),
                     "metrics": {m.name: {"function": m.function, "better": m.better, "low": m.low,
                                          "high": m.high} for m in d.metrics},
                     "search": list(d.search), "train": d.train and d.train.name, "date": d.date,
                     "period": d.period and "..".join(d.period),
                     "shares": {k: dict(v) for k, v in d.shares.items()}, "cases": [dict(c) for c in d.cases],
                     "pairs": list(d.pairs),
                     "decisions": {x.name: x.plain() for x in d.decisions},
                     "contract": {c.column: c.plain() for c in d.contract}},
            "explain": {"background": e.background, "rows": e.rows, "precision": e.precision,
                        "directions": dict(e.directions), "reasons": dict(e.reasons),
                        "prohibited": list(e.prohibited), "most_reasons": e.most_reasons,
                        "cases": [dict(c) for c in e.cases]},
            "policies": [Path(p).name for p in self.policies],
            "phase": self.phase,
            "seed": self.seed,
        }
