"""What the rows themselves are like: missing and repeated values, rows seen in training, conflicting labels, a column
that gives the target away, what the feature contract and the period allow, who is in the data and how often.

How it is computed: each number is counted over the rows used (of `split: train` over the training data) and compared
with the limit, ratios of counts in whole numbers. A metric of columns is judged for every column (or those of
`columns`), one of groups for every group of every sensitive feature (or those of `by`), cases one by one; the worst
decides and all are listed.

How to read it: the finding names the column, group or case that decided, with its counts, and how many rows or values
would have to be mended. Numbers that need something optional (--train, data.contract, data.period, data.shares,
data.cases, data.pairs) do not apply without it.

Strengths: it describes these very rows, so nothing is uncertain; it costs no further pass and opens nothing again.

Limits: because it describes these rows it says nothing about others: no interval is drawn, and a share of 4.9 % in 100
rows passes `max: 0.05`. Repeated rows are found by their content: persons who are alike count as repeated. One column
alone that predicts the target well may be a leak or simply a good feature; a person must look.

Source: a description of counts; limits are the policy's own. The tie share and the unknown rows belong to 6 RCNY
5-301(c) and (d); coverage of cases and of pairs of values to the AIST Machine Learning Quality Management Guideline,
internal qualities B-1 and B-2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from govern.errors import nearest
from govern.evidence import Evidence, Measurement
from govern.metrics import METRICS
from govern.policy.asking import Answer, Documents, Question, limits_of, settled
from govern.policy.decide import Judged, Levels, Limits, combine, judge_one
from govern.policy.fields import Limit, MetricNames, Rule, RuleFields, as_list, check_limits
from govern.policy.groups import gated
from govern.policy.measured import named
from govern.policy.quantities import Bound, Rate, Score
from govern.policy.tasks import setting
from govern.verdict import RuleOutcome, Settle
from govern.yamlcheck import ProblemAt

OF_COLUMNS = ("missing_share", "contract_break_share", "unseen_value_share", "single_feature_auc")
OF_GROUPS = ("group_share", "group_share_gap", "group_share_stability")
OF_ROWS = ("duplicate_share", "label_conflict_share", "train_overlap_share", "out_of_period_share")
# Metrics that are the ratio of the counts they carry; the gap of a share carries the counts of the share.
RATIOS = ("missing_share", "contract_break_share", "unseen_value_share", *OF_ROWS, "group_share", "median_tie_share",
          "pair_coverage")
DATA = (*OF_COLUMNS, *OF_ROWS, *OF_GROUPS, "median_tie_share", "case_rows", "pair_coverage")
# The setting without which a number does not exist, and what is said then.
NEEDS = {
    "train_overlap_share": ("train", "no --train was given"),
    "unseen_value_share": ("train", "no --train was given"),
    "contract_break_share": ("contract", "no data.contract was given"),
    "out_of_period_share": ("period", "no data.period was given"),
    "group_share_gap": ("shares", "no data.shares were given"),
    "group_share_stability": ("shares", "no data.shares were given"),
    "case_rows": ("cases", "no data.cases were given"),
    "pair_coverage": ("pairs", "no data.pairs were given"),
}
# Levels are not used where the number itself decides.
POINT = Levels(0.05, 0.05)


class DataFields(RuleFields):
    """What the rows themselves are like, held against a limit: shares of missing and repeated values, overlap with the
    training data, the feature contract, representation of groups, coverage of cases."""

    kind: Literal["data"]
    metric: Annotated[str | list[str], MetricNames(("data",), "data", only=DATA)] = Field(
        description="a metric of the data, or a list of metrics"
    )
    min: Limit | None = Field(None, description="the least allowed value: a number, or declared")
    max: Limit | None = Field(None, description="the greatest allowed value: a number, or declared")
    columns: list[str] = Field(
        default_factory=list, description="columns that are judged; omitted: all for which it was measured"
    )
    by: list[str] = Field(
        default_factory=list, description="features whose groups are judged; omitted: all for which it was measured"
    )
    split: Literal["eval", "train"] = Field("eval", description="the rows: eval, or train for the training data")

    @model_validator(mode="after")
    def _limited(self) -> Self:
        names = as_list(self.metric)
        for name in names:
            check_limits(self.min, self.max, METRICS[name].low, METRICS[name].high)
        if self.columns and not set(names) & set(OF_COLUMNS):
            raise ProblemAt("columns", f"columns are for the metrics {', '.join(OF_COLUMNS)}; remove columns")
        if self.by and not set(names) & set(OF_GROUPS):
            raise ProblemAt("by", f"by is for the metrics {', '.join(OF_GROUPS)}; remove by")
        return self


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question for each metric, and for each feature where it is one of groups."""
    return [q for name in as_list(rule.fields.metric) for q in _of_metric(rule, documents, name)]


def _of_metric(rule: Rule, documents: Documents, metric: str) -> list[Question]:
    evidence, split = documents.evidence, rule.fields.split
    limits = limits_of(rule, metric, evidence)
    if not limits.tails:
        return [settled("n/a", f"no limit is declared for {METRICS[metric].title}", metric=metric)]
    found = [m for m in evidence.measurements
             if m.metric == metric and m.split == split and m.reference is None and m.decision is None]
    if not found:
        return [settled(*_not_there(documents, metric, split), metric=metric)]
    if metric in OF_GROUPS:
        return _of_groups(rule, documents, metric, found, limits)
    asked: list[Question] = []
    if metric in OF_COLUMNS and rule.fields.columns:
        found, asked = _of_columns(rule, evidence, metric, found)
    if found:
        asked = [Question(partial(_judge, documents, metric, found, limits), metric), *asked]
    return asked


def _not_there(documents: Documents, metric: str, split: str) -> tuple[RuleOutcome, str]:
    """What it means that a number is not in the evidence: what it needs was not given, the task has no such number,
    or it was not measured."""
    evidence, title = documents.evidence, METRICS[metric].title
    need, why = ("train", "no --train was given") if split == "train" else NEEDS.get(metric, (None, ""))
    if need is not None and not setting(evidence, need):
        return "n/a", why
    if metric == "single_feature_auc" and evidence.task != "binary":
        return "n/a", f"a {evidence.task} task has no ranking of two labels"
    if metric == "median_tie_share" and not documents.scored:
        return "n/a", "there are no scores, only predicted labels"
    return "not_run", f"{title} was not measured"


def _of_columns(rule: Rule, evidence: Evidence, metric: str, found: list[Measurement]
                ) -> tuple[list[Measurement], list[Question]]:
    """The measurements of the columns the rule names, and a question for each that has none."""
    by_name = {named(m): m for m in found}
    known = [*dict.fromkeys([*by_name, *(c.name for c in evidence.data.columns)])]
    absent = []
    for i, name in enumerate(rule.fields.columns):
        if name not in known and nearest(name, known):
            raise rule.error(("columns", i), f'columns: "{name}" is not a column of the data', nearest(name, known))
        if name not in by_name:
            what = f"column {name} " + (f"has no {METRICS[metric].title}" if name in known else "is not in the data")
            absent.append(settled("n/a", what, metric=metric))
    return [by_name[name] for name in rule.fields.columns if name in by_name], absent


def _of_groups(rule: Rule, documents: Documents, metric: str, found: list[Measurement], limits: Limits
               ) -> list[Question]:
    evidence = documents.evidence
    of: dict[tuple[str, ...], list[Measurement]] = {}
    for m in found:
        group = evidence.groups_by_id[m.group]
        if not group.missing and not group.within:
            of.setdefault(m.features or group.features, []).append(m)
    asked = []
    for features, why in gated(rule, evidence):
        if features in of:
            judge = partial(_judge, documents, metric, of[features], limits)
            asked.append(Question(judge, metric, features))
        elif rule.fields.by:
            named_so = f"{METRICS[metric].title} of {':'.join(features)} was not measured"
            asked.append(settled("n/a", why or named_so, metric=metric, features=features))
    return asked or [settled("n/a", "no sensitive feature was given", metric=metric)]


def _judge(documents: Documents, metric: str, found: Sequence[Measurement], limits: Limits, _family: int) -> Answer:
    judged = [_one(documents, m, limits) for m in found]
    outcome, worst, presses = combine(judged)
    seen = worst.comparison
    return Answer(
        outcome,
        seen.reason,
        tuple(j.comparison for j in judged),
        seen,
        presses,
        limits.minimum,
        limits.maximum,
        decide="point",
        settle=_settle(documents.evidence, metric, worst, limits) if documents.settling and outcome == "fail" else None,
    )


def _one(documents: Documents, m: Measurement, limits: Limits) -> Judged:
    """A number that does not exist (of a constant column, say) is listed and holds up nothing."""
    quantity: Rate | Score
    if m.status != "ok" or m.value is None:
        quantity = Score(None, reason=m.reason or m.status.replace("_", " "))
    elif m.metric in RATIOS and m.numerator is not None and m.denominator:
        quantity = Rate(m.numerator, m.denominator)
    else:
        quantity = Score(m.value)
    return judge_one(quantity, limits, POINT, point=True, exempt=m.status == "undefined", group=named(m),
                     rows=documents.rows if m.split == "eval" else None)


def _settle(evidence: Evidence, metric: str, worst: Judged, limits: Limits) -> Settle | None:
    """How far outside the worst number lies, and how many rows or values would have to be other ones."""
    if worst.margin is None:
        return None
    return Settle(worst.comparison.group, gap=-worst.margin, text=_mend(evidence, metric, worst, limits))


def _mend(evidence: Evidence, metric: str, worst: Judged, limits: Limits) -> str | None:
    quantity, name = worst.quantity, worst.comparison.group
    low, high = limits.minimum, limits.maximum
    if metric == "case_rows" and low is not None and quantity.value is not None:
        return f"{_rows(math.ceil(low) - int(quantity.value), 'more row')} of {name} would meet it."
    if not isinstance(quantity, Rate) or not isinstance(quantity.x, int) or not isinstance(quantity.n, int):
        return None
    x, n = quantity.x, quantity.n
    if high is not None and quantity.side(high) > 0:
        if metric in OF_COLUMNS:
            return f"{_rows(x - math.floor(Fraction(high) * n), 'value')} of {name} would have to be mended."
        if metric in OF_ROWS and high < 1:
            return f"Without {_to_remove(x, n, high):,} of these rows it would be met."
    if low is not None and quantity.side(low) < 0:
        if metric == "pair_coverage":
            return f"{_rows(math.ceil(Fraction(low) * n) - x, 'more pair')} would have to occur."
        if metric == "group_share" and low < 1:
            share = Fraction(low)
            group = evidence.groups_by_id[name].name
            return f"{_rows(math.ceil((share * n - x) / (1 - share)), 'more row')} of {group} would meet it."
    return None


def _to_remove(x: int, n: int, high: Bound) -> int:
    """The fewest k with (x − k) / (n − k) ≤ high."""
    return math.ceil((x - Fraction(high) * n) / (1 - Fraction(high)))


def _rows(k: int, what: str) -> str:
    return f"{k:,} {what}{'' if k == 1 else 's'}"
