"""What is known of why a model decides so: the part of the evidence about explanations. Standard library only.

Intervals are two-sided at the `level` of what holds them; an end is None where it is not known.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attribution:
    """SHAP of one feature in one group of `n` explained rows: mean |value| with its standard error and interval, mean
    value with its standard error, direction: the rank correlation (−1 to 1) of the feature's value with its
    contribution, None for features that are not numbers. Where rows have weights all of these are weighted, and where
    they repeat persons the errors are those of persons; `Attributions.method` says so.

    `label` is the class whose output is explained; in a task of several classes an attribution without one has the
    mean over the classes of the mean |value|, 0 as its mean, and no direction.
    """

    feature: str
    group: str
    n: int
    mean_abs: float
    se: float | None
    mean: float
    direction: float | None = None
    low: float | None = None
    high: float | None = None
    mean_se: float | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Permuted:
    """Permutation importance of a feature: by how much `metric` gets worse (an accuracy falls, an error rises) when its
    values are exchanged between `n` rows."""

    feature: str
    metric: str
    value: float
    se: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Correlated:
    """Two features so alike that how a contribution is split between them is arbitrary: `value` is the absolute rank
    correlation, or Cramér's V where one of them is no number."""

    first: str
    second: str
    value: float
    measure: str


@dataclass(frozen=True, slots=True)
class AttributionDifference:
    """What survived false-discovery control: a group whose rows are explained otherwise than all others' rows.

    `what` is size (difference of mean |value|) or direction (difference of mean value); `q_value` is the p-value after
    Benjamini and Hochberg over all that was compared.
    """

    feature: str
    group: str
    what: str
    value: float
    low: float | None
    high: float | None
    p_value: float
    q_value: float
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Attributions:
    """SHAP values of a sample of rows, drawn by their content whatever their weight; `base` is that of the background
    as the method takes it, unweighted (in a task of several classes `bases` holds one for each); `residual` is the
    largest |sum + base − output| in the output's unit.

    Means of everyone are those of all rows of the data, as the explained rows and the distribution of each feature tell
    them; their standard errors and intervals say what other rows like these would give. `error` says how far the ten
    largest may be from what explaining all rows would give, as a share of each, at `level` for all of them together.
    `settled` is how many of the first places are settled at `level`, `stopped` why no more rows were explained:
    settled, precision, rows (no more were asked for), evaluations (of the model) or all (there are no more).
    `stability` is the mean share of the five largest features that stay among the five largest, with their direction,
    over other backgrounds and seeds or over halves of the rows: `stability_over` is backgrounds or halves. `agreement`
    is the rank correlation of mean |value| with permutation importance.
    """

    method: str
    output: str
    rows: int
    background_rows: int
    background: str
    seed: int
    base: float | None
    residual: float | None
    exact: bool
    features: tuple[Attribution, ...] = ()
    bases: tuple[float, ...] = ()
    level: float = 0.95
    error: float | None = None
    settled: int | None = None
    stopped: str = ""
    evaluations: int | None = None
    stability: float | None = None
    stability_over: str = ""
    agreement: float | None = None
    permuted: tuple[Permuted, ...] = ()
    correlated: tuple[Correlated, ...] = ()
    differences: tuple[AttributionDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class GapPart:
    """What a feature contributes to a gap; the parts of a gap add up to it."""

    feature: str
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Gap:
    """The difference group − reference in the mean output or in the selection rate, over the explained rows, split
    into features. `of` is output or selection, `method` says how it was split, `label` is the class. The largest
    `parts` come by falling size; with `others`, what the further `others_n` features contribute together, and
    `residual`, what the contributions leave of the outputs, they add up to `value`. `revealing` is the share of the
    sum of all |parts| that belongs to features that predict the sensitive feature."""

    of: str
    method: str
    group: str
    reference: str
    n: int
    reference_n: int
    value: float
    low: float | None
    high: float | None
    level: float
    parts: tuple[GapPart, ...]
    revealing: float | None = None
    label: str | None = None
    others: GapPart | None = None
    others_n: int = 0
    residual: float = 0.0


@dataclass(frozen=True, slots=True)
class Proxy:
    """How well `column`, or all features together where it is None, predicts the sensitive feature `sensitive`:
    `value` is the cross-validated area under the ROC curve (for several groups: the largest of one group against all
    others, `group`), ½ by chance. `revealing` says that it is large and not by chance, `used` is the feature's share of
    all mean |values|, `listed` whether it is used and revealing at once. The sensitive feature's own column reveals it
    without a value."""

    sensitive: str
    column: str | None
    value: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    method: str
    group: str | None = None
    balanced_accuracy: float | None = None
    used: float | None = None
    listed: bool = False
    reason: str | None = None
    revealing: bool = False


@dataclass(frozen=True, slots=True)
class ShapeLine:
    """Mean output `y` of the rows of a group (overall: all explained rows) at each point of a shape."""

    group: str
    n: int
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """Partial dependence of the output on a feature: explained rows with the feature set to each point. `at` are
    numbers as text or levels; `output` says what the model answers: probability, label (its share) or number.
    `expected` is the declared direction (rises, falls) and `against` the share of the `steps`, of a row from one point
    to the next, that go the other way; None where it cannot be told."""

    feature: str
    numeric: bool
    at: tuple[str, ...]
    lines: tuple[ShapeLine, ...]
    output: str
    expected: str | None = None
    against: float | None = None
    label: str | None = None
    steps: int = 0


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How often a feature is the first and any of the principal reasons of an adverse decision; `text` is the sentence
    that the dictionary gives for it, empty without one."""

    feature: str
    text: str
    first: int
    any: int


@dataclass(frozen=True, slots=True)
class ReasonCodes:
    """Principal reasons of the adverse decisions among the explained rows: `rows` of them, `explained` with at least
    one reason, at most `most` each, from features that are not `prohibited`.

    A reason is a feature whose contribution falls short of its mean over the `background_rows` of `background`: all
    explained rows, or near-cutoff, those decided favourably whose output is nearest to the others'. `dropped` counts
    decisions of which a prohibited feature would have been among the reasons, `covered` those with a reason whose
    reasons all have a sentence (None without a dictionary); `without_text` are features that were a reason without one,
    `generic` those whose sentence names no reason. `agreement` is the mean share of reasons that a direct method gives
    too, over `compared` of the decisions.
    """

    method: str
    background: str
    rows: int
    explained: int
    most: int
    reasons: tuple[ReasonCount, ...] = ()
    prohibited: tuple[str, ...] = ()
    dropped: int = 0
    agreement: float | None = None
    without_text: tuple[str, ...] = ()
    background_rows: int = 0
    covered: int | None = None
    generic: tuple[str, ...] = ()
    compared: int = 0


@dataclass(frozen=True, slots=True)
class LocalPart:
    """What a feature with this value contributes to the output of one row; a missing value is empty."""

    feature: str
    value: str
    contribution: float


@dataclass(frozen=True, slots=True)
class Local:
    """The explanation of one row. `kind` is chosen (asked for by the user; `name` is the case), typical (nearest to the
    middle of those with its decision) or adverse (`name` is nearest, to the cut-off, or farthest from it). `decision`
    is the predicted label, empty in a task of numbers, and the output is that of the positive label, with several
    classes that of the decision. Parts come by falling |contribution|; with `rest`, what all others contribute, and
    `base` they add up to the output. `reasons` are the principal reasons of an adverse decision: their sentences, or
    features without one."""

    kind: str
    name: str
    decision: str
    output: float
    base: float
    parts: tuple[LocalPart, ...]
    rest: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that was found besides the attributions themselves."""

    gaps: tuple[Gap, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    shapes: tuple[Shape, ...] = ()
    reason_codes: ReasonCodes | None = None
    locals: tuple[Local, ...] = ()
