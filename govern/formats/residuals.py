"""A regression: residuals, and predictions and errors by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govern.errors import printable
from govern.evidence import Evidence, Group
from govern.formats.cells import Cell, Part, Table, heads, look, row, shown, tall
from govern.formats.counted import status_text
from govern.formats.judged import marked
from govern.formats.naming import metric_name, name_of, reading_level
from govern.formats.numbers import count
from govern.formats.strings import Strings
from govern.verdict import Verdict

QUANTILES = ("residual_p5", "residual_p25", "residual_p50", "residual_p75", "residual_p95")
BY_GROUP = ("mean_prediction", "mean_residual", "mean_absolute_error", "share_above_median", "share_above_threshold")
Features = Mapping[tuple[str, ...], Sequence[Group]]


def performance_parts(evidence: Evidence, t: Strings) -> list[Part]:
    """Quantiles of the residual."""
    found = [m for name in QUANTILES if (m := evidence.find(name)) is not None]
    if not found:
        return []
    titles = [t("residuals.share"), *(t(f"residuals.{m.metric.removeprefix('residual_')}") for m in found)]
    cells = row(t("residuals.residual"), *(tall(m) for m in found))
    return [Part(t("residuals.quantiles"), t("residuals.quantiles_note", level=reading_level(evidence)),
                 (Table(heads(titles), (cells,)),))]


def fairness_parts(evidence: Evidence, verdict: Verdict | None, asked: Features, t: Strings) -> list[Part]:
    """Predictions and errors by group, and disparities."""
    metrics = [m for m in BY_GROUP if evidence.find(m) is not None]
    if not metrics or not asked:
        return []
    note = t("residuals.by_group_note", level=reading_level(evidence))
    parts = [Part(t("residuals.by_group"), note, tuple(_table(evidence, verdict, k, g, metrics, t)
                                                       for k, g in asked.items()))]
    disparities = _disparities(evidence, list(asked), metrics, t)
    if disparities is not None:
        parts.append(disparities)
    return parts


def _table(evidence: Evidence, verdict: Verdict | None, features: tuple[str, ...], groups: Sequence[Group],
           metrics: Sequence[str], t: Strings) -> Table:
    rows = tuple(row(Cell(name_of(g, t), status_text(g, t)), count(g.n),
                  *(marked(evidence, verdict, features, m, g.id, two_lines=True) for m in metrics)) for g in groups)
    titles = [printable(":".join(features)), t("fairness.rows"), *(_title(m, t) for m in metrics)]
    return Table(heads(titles, ("w20", "w8")), rows)


def _title(metric: str, t: Strings) -> str:
    name = metric_name(metric, t)
    return t("unit.percent_of", metric=name) if look(metric) == "percent" else name


def _disparities(evidence: Evidence, asked: Sequence[tuple[str, ...]], metrics: Sequence[str], t: Strings
                 ) -> Part | None:
    of = {(m.metric, str(m.compare), m.features): m for m in evidence.measurements if m.features}
    columns = [(m, kind) for m in metrics for kind in ("difference", "ratio") if any((m, kind, k) in of for k in asked)]
    if not columns:
        return None
    rows = tuple(row(printable(":".join(k)), *(Cell(*shown(of.get((m, kind, k)))) for m, kind in columns))
                 for k in asked)
    titles = [t("fairness.feature"), *(t.list((metric_name(m, t), t(f"fairness.{kind}"))) for m, kind in columns)]
    return Part(t("fairness.disparities"), t("residuals.disparities_note", level=reading_level(evidence)),
                (Table(heads(titles, ("w20",)), rows),))
