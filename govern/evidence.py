"""The documents of facts: `evidence.json` (deterministic) and `compute.json` (machine and minute).

Frozen dataclasses, standard library only. Fields equal to their default are left out of the file, so one may be
added with a default; renaming or removing one needs a new schema name and a reader for the old one here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from govern.dataset import DataFacts, Population
from govern.explanations import Attributions, Explanation

EVIDENCE_SCHEMA = "govern.evidence/1"
COMPUTE_SCHEMA = "govern.compute/1"
OVERALL = "overall"
REST = "rest"
# What a value of these rows is compared with besides groups: always the same answer, the version in service.
TRIVIAL = "trivial"
BASELINE = "baseline"
MISSING_NAME = "(missing)"
UNKNOWN_NAME = "(unknown)"
DIGITS = 9

Task = Literal["binary", "multiclass", "regression"]
Status = Literal["ok", "undefined", "too_few", "error"]
GroupStatus = Literal["ok", "missing", "unknown", "unseen", "empty", "tiny", "one_class"]
Comparing = Literal["difference", "ratio"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval at `level` (0 to 1), for reading; the gate computes its own bounds."""

    low: float | None
    high: float | None
    level: float
    method: str

    @classmethod
    def reading(cls, low: float | None, high: float | None, level: float, method: str) -> Interval:
        """One whose ends have nine significant digits, rounded outwards, so that it holds what it held: more of them
        would be noise, and half of a large evidence."""
        return cls(_outwards(low, -1), _outwards(high, 1), level, method)


def _outwards(end: float | None, way: int) -> float | None:
    """The number of nine significant digits that is next to `end` and not inside."""
    if end is None or isinstance(end, int) or not math.isfinite(end):
        return end
    near = float(f"{end:.{DIGITS}g}")
    if (near - end) * way >= 0:
        return near
    far = float(f"{near + way * 10.0 ** (math.floor(math.log10(abs(end))) - DIGITS + 1):.{DIGITS}g}")
    return far if math.isfinite(far) else end


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing judged, by role (model, data, config …) and digest; `name` is a file name without folders."""

    role: str
    name: str
    sha256: str
    size: int
    format: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that share values of sensitive features; a None value is the missing group.

    `n` rows, `n_positive` with the positive label, `n_favourable` with the favourable label (0 in a task without
    them). `asked`: a single sensitive feature, or an intersection the user asked to be gated. `within` are the
    (control feature, value) pairs it is restricted to; only groups of one `within` are compared. `status`: why it
    is not like others: its value is missing, declared unknown or not among the declared levels (unseen), nobody
    is in it (empty), its rows are fewer than 30 (tiny) or all have one label (one_class).
    """

    id: str
    features: tuple[str, ...]
    values: tuple[str | None, ...]
    n: int
    n_positive: int
    n_favourable: int
    asked: bool = True
    within: tuple[tuple[str, str | None], ...] = ()
    status: GroupStatus = "ok"

    @property
    def name(self) -> str:
        """The group as people read it: `women`, `women · 26–35`, `(missing)`, `everyone`."""
        return " · ".join(MISSING_NAME if v is None else v for v in self.values) or "everyone"

    @property
    def feature(self) -> str:
        """The feature or intersection as the user asked for it: `sex`, `sex:age`."""
        return ":".join(self.features)

    @property
    def missing(self) -> bool:
        """Whether a sensitive value is missing or unknown in this group: it stands outside disparities."""
        return any(v is None or v == UNKNOWN_NAME for v in self.values)


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sums of row weights in the four confusion cells of a group, and what repeated persons make of them.

    `moments` are the ten sums, over independent units (rows, or the clusters of a cluster column), of the products
    of a unit's cell sums: tp·tp, tp·fp, tp·fn, tp·tn, fp·fp, fp·fn, fp·tn, fn·fn, fn·tn, tn·tn. A metric of the
    cells has the variance gradientᵀ · moments · gradient. Source: Binder 1983, Int. Stat. Rev. 51:279–292.
    """

    tp: float
    fp: float
    fn: float
    tn: float
    moments: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Confusion counts of a group, in rows; `selected` are predicted the favourable label.

    `label` None: for the positive label of a binary task. Else one class against all others, `selected` being
    the rows predicted to have it. `sampling` is None where every row counts once and stands for itself.
    """

    group: str
    tp: int
    fp: int
    fn: int
    tn: int
    selected: int
    label: str | None = None
    sampling: Sampling | None = None


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows of a group by true (first index) and predicted class, in the order of `settings.data.classes`."""

    group: str
    n: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class ThresholdCounts:
    """Confusion counts of a group at each threshold of the evidence's `thresholds`; arrays are equally long.

    Of binned scores those at the threshold in force may be some rows off `counts`, which are what is judged. Where
    rows have weights or repeat persons, `sums` are the four arrays of Σ weight (tp, fp, fn, tn) and `moments` the ten
    of `Sampling`, an empty one where the sum is 0 at every threshold.
    """

    group: str
    tp: tuple[int, ...]
    fp: tuple[int, ...]
    fn: tuple[int, ...]
    tn: tuple[int, ...]
    sums: tuple[tuple[float, ...], ...] = ()
    moments: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Subgroup:
    """A finding of the exploratory search, never gating: rows in which `metric` differs from all other rows.

    `features` may hold columns that are not sensitive. `p_value` is of no difference, `q_value` after Benjamini
    and Hochberg over all that was searched; `covers` counts overlapping findings that were folded into this one.
    """

    features: tuple[str, ...]
    values: tuple[str | None, ...]
    n: int
    metric: str
    value: float
    rest_value: float
    p_value: float
    q_value: float
    interval: Interval | None = None
    covers: int = 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number: a metric of a group, or of the comparison of `group` with `reference`.

    `reference` is a group id or "rest" (all rows outside `group`); then `compare` says difference
    (group − reference) or ratio (group / reference); with "rest" and no `compare` it is the metric of the
    rows outside `group` themselves. `features` is set on a disparity over all groups of a feature. Ratios
    of counts carry `numerator` and `denominator` (and those of the reference), with weights their sums, and with
    weights or repeated persons `effective`, the number of independent rows that would make the rate as sure.
    Other metrics carry `se`, the standard error on the scale of `transform`. `label` is the class that is held
    against all others; `slice` "adjusted: region" the Mantel–Haenszel summary over levels of a control feature.
    """

    metric: str
    value: float | None
    status: Status = "ok"
    reason: str | None = None
    group: str = OVERALL
    reference: str | None = None
    compare: Comparing | None = None
    features: tuple[str, ...] = ()
    numerator: int | float | None = None
    denominator: int | float | None = None
    reference_numerator: int | float | None = None
    reference_denominator: int | float | None = None
    effective: float | None = None
    reference_effective: float | None = None
    se: float | None = None
    transform: str | None = None
    interval: Interval | None = None
    slice: str | None = None
    split: str = "eval"
    decision: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """What the worker found: class, libraries with versions, feature names in order, chosen parameters."""

    type: str
    libraries: Mapping[str, str]
    features: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Containment:
    """How the model file was held: scan result, names trusted beyond the allow-list, layers in force."""

    scan: str
    trusted: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a curve (kind: roc, precision_recall, calibration) of a group; arrays are equally long."""

    kind: str
    group: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    n: tuple[int, ...] = ()
    label: str | None = None


@dataclass(frozen=True, slots=True)
class SmokeCheck:
    """One smoke check: `seen` is the value of `metric`, `limit` what it is held against."""

    metric: str
    passed: bool | None
    seen: float | None
    limit: float
    reason: str | None = None


@dataclass(frozen=True)
class Evidence:
    """Everything measured; the one source of every number shown anywhere.

    `train` describes the training data when they were given, `lock` is the content of the lock file whose digest is
    the subject "policy-lock".
    """

    schema: str
    created: str
    subjects: tuple[Subject, ...]
    settings: Mapping[str, Any]
    containment: Containment | None
    population: Population
    data: DataFacts
    groups: tuple[Group, ...]
    counts: tuple[Counts, ...]
    measurements: tuple[Measurement, ...]
    task: Task = "binary"
    model: Model | None = None
    confusions: tuple[Confusion, ...] = ()
    curves: tuple[Curve, ...] = ()
    thresholds: tuple[float, ...] = ()
    threshold_counts: tuple[ThresholdCounts, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()
    attributions: Attributions | None = None
    explanation: Explanation | None = None
    train: DataFacts | None = None
    lock: Mapping[str, Any] = field(default_factory=dict)
    smoke: tuple[SmokeCheck, ...] = ()
    declared: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @cached_property
    def groups_by_id(self) -> dict[str, Group]:
        """Groups by id, `overall` included."""
        return {g.id: g for g in self.groups}

    @cached_property
    def counts_by_group(self) -> dict[str, Counts]:
        """Confusion counts by group id, for the positive label of a binary task."""
        return {c.group: c for c in self.counts if c.label is None}

    @cached_property
    def counts_by_label(self) -> dict[tuple[str, str | None], Counts]:
        """Confusion counts by group id and class, None for the positive label of a binary task."""
        return {(c.group, c.label): c for c in self.counts}

    @cached_property
    def feature_groups(self) -> dict[tuple[str, ...], tuple[Group, ...]]:
        """Groups of each sensitive feature or intersection, in the order of the evidence, those within levels
        of a control feature left out."""
        found: dict[tuple[str, ...], list[Group]] = {}
        for g in self.groups:
            if g.features and not g.within:
                found.setdefault(g.features, []).append(g)
        return {k: tuple(v) for k, v in found.items()}

    @cached_property
    def _index(self) -> dict[tuple[Any, ...], Measurement]:
        return {(m.metric, m.group, m.reference, m.compare, m.features, m.label, m.slice, m.decision, m.split): m
                for m in self.measurements}

    def find(self, metric: str, group: str = OVERALL, reference: str | None = None,
             compare: Comparing | None = None, features: tuple[str, ...] = (), *, label: str | None = None,
             slice: str | None = None, decision: str | None = None, split: str = "eval") -> Measurement | None:
        """The measurement of exactly this metric, group, comparison, class, slice, decision and split, or None."""
        return self._index.get((metric, group, reference, compare, features, label, slice, decision, split))

    def subject(self, role: str) -> Subject | None:
        """The first subject with this role, or None."""
        return next((s for s in self.subjects if s.role == role), None)


@dataclass(frozen=True)
class Compute:
    """What depends on the machine and the minute; `evidence_sha256` binds it to the facts."""

    schema: str
    evidence_sha256: str
    machine: Mapping[str, Any]
    measurements: tuple[Measurement, ...]
    repeats: Mapping[str, int] = field(default_factory=dict)

    def find(self, metric: str) -> Measurement | None:
        """The measurement with this metric name, or None."""
        return next((m for m in self.measurements if m.metric == metric), None)
