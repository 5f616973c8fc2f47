"""How the model is explained: which rows and how many, and what is then asked of them.

The model's process explains and predicts; this one decides and does the arithmetic. How much is asked follows from rows
and evaluations of the model alone, so that every machine and any load gives the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from govern.evidence import Group
from govern.explain import sampling, stability
from govern.explain.attributions import OF_CLASSES, attributions, ranked
from govern.explain.attributions import measurements as of_attributions
from govern.explain.correlated import FEATURES as CORRELATED_FEATURES
from govern.explain.correlated import correlated
from govern.explain.differences import Compared, differences
from govern.explain.explained import ExplainedRows, Output, sizes
from govern.explain.permuted import FEATURES as PERMUTED_FEATURES
from govern.explain.permuted import agreement
from govern.explain.proxies import joined, proxies
from govern.explain.proxies import measurements as of_proxies
from govern.explain.reference import near
from govern.explanations import Attributions, Proxy
from govern.inputs.arrays import indices, whole
from govern.inputs.labels import Target
from govern.inputs.levels import level_text, numbers
from govern.inputs.settings import Settings
from govern.measure.from_cube import Numbers
from govern.measure.passing import Pass
from govern.measure.permuting import start_permuting
from govern.measure.predictions import FromModel, Predicted
from govern.measure.rates import LEVEL
from govern.measure.splits import membership
from govern.worker.client import Pending, Worker
from govern.worker.replies import Described, Explained

Progress = Callable[[str, int, int], None]
Floats = NDArray[np.float64]

STAGE = "checking and explaining"
FIRST: Final = 1000  # rows explained before it is looked whether more are needed
ROWS: Final = 2000  # most rows explained, unless the settings say otherwise
EVALUATIONS: Final = 150  # of the model for each of the most rows; explaining a row may take more
BACKGROUND: Final = 1000
REDRAWN_ROWS: Final = 200
REDRAWN_SHARE: Final = 25  # what one of five other explanations may take of the evaluations
MOST_NUMBERS: Final = 1 << 24
NEAR: Final = "the favourably decided rows of the sample nearest to the cut-off"
NUMERIC = ("int", "uint", "float", "double", "halffloat", "bool")


@dataclass(frozen=True)
class Found:
    """What was found: the attributions, what reveals sensitive features, the explained rows, and notes."""

    attributions: Attributions
    proxies: tuple[Proxy, ...]
    rows: ExplainedRows
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Sample:
    """The sampled rows that may be explained, with what is known of each: predictions, truth, groups, (n_rows,) each.

    `texts` are levels by feature that holds no numbers, `strata` those of features by their place.
    """

    table: Any
    predicted: Predicted
    truth: NDArray[Any]
    numbers: dict[str, Floats]
    texts: dict[str, list[str | None]]
    groups: dict[str, NDArray[np.bool_]]
    strata: dict[int, sampling.Strata]
    weight: Floats | None
    cluster: NDArray[np.uint64] | None


class Explaining:
    """The explanation of a model under way: the first rows are asked for at once."""

    def __init__(self, worker: Worker, done: Pass, settings: Settings, target: Target, described: Described,
                 reader: FromModel) -> None:
        self._worker, self._done, self._settings, self._target = worker, done, settings, target
        self._reader, self._features = reader, done.plan.features
        rows, asked = len(done.sample.table), settings.explain.rows or ROWS
        outputs = max(1, len(described.classes)) if reader.positive is None else 1
        self._most = max(1, min(rows, asked, MOST_NUMBERS // (outputs * max(1, len(self._features)))))
        self._evaluations = EVALUATIONS * max(asked, ROWS)
        self._batch = done.sample.first(max(self._most, min(rows, BACKGROUND)), self._features)
        self._predicting = cache(reader.ask(self._batch.slice(0, self._most)))
        beside = _near_cutoff(self._predicting(), target) if settings.explain.background != "all" else None
        # What outputs are compared with: rows of the sample, or where the cut-off is declared those near it.
        self._behind = self._batch if beside is None else self._batch.take(whole(beside))
        self._declared = beside is not None
        self._background = self._behind.slice(max(0, self._behind.num_rows - BACKGROUND))
        self._first = self._ask(self._batch.slice(0, min(FIRST, self._most)), self._background, settings.seed,
                                self._evaluations // 2)

    def _ask(self, rows: Any, background: Any, seed: int, evaluations: int) -> Pending[Explained]:
        return self._worker.submit_explain(rows, background, self._reader.positive, seed, rows_budget=rows.num_rows,
                                           evaluations_budget=evaluations, declared=self._declared)

    def others(self, batch: Any) -> Callable[[], ExplainedRows]:
        """Other rows of the data under way, explained as those of the sample are and of no group; as many of the first
        as the budget allows."""
        answer = self._ask(batch, self._background, self._settings.seed, self._evaluations)
        predicting = self._reader.ask(batch)

        def read() -> ExplainedRows:
            import pyarrow as pa

            found = answer.result()
            outputs, n, label, target = _outputs(found), found.rows, predicting().label, self._target
            selected = None if label is None or target.favourable is None else \
                label[:n] == target.classes.index(target.favourable)
            table = pa.Table.from_batches([batch]).slice(0, n)
            return ExplainedRows(self._features, outputs, found.space, table, _numeric(table, self._features), {},
                                 selected)

        return read

    def result(self, out: Numbers, progress: Progress) -> Found:
        """What was found; measurements are added to those of `out`."""
        level = LEVEL
        revealing = self._proxies(level)
        sample = self._sample(out.groups)
        outputs, spent, last, stopped, sampled = self._grown(sample, level, progress)
        n = len(outputs[0].outputs)
        rows = self._rows(sample, outputs, last.space, n)
        everyone = sampling.means(sizes(outputs), sampled)
        order = ranked(everyone, self._features)
        named = [self._features[j] for j in order]
        permuting = start_permuting(self._reader.ask, self._batch.slice(0, self._most), named[:PERMUTED_FEATURES])
        redrawn = self._redrawn(last, n) if last.background_rows else []
        alike = correlated(named[:CORRELATED_FEATURES], rows.numbers, _codes(sample.texts, n))
        of_groups = differences(rows, _compared(out.groups), level)
        numbered = {j: rows.numbers[name] for j, name in enumerate(self._features) if name in rows.numbers}
        if last.background_rows:
            stable = stability.over_backgrounds(outputs, [_outputs(p.result()) for p in redrawn], numbered)
        else:
            stable = stability.halves(outputs, numbered, self._settings.seed)
        lost = () if permuting is None else \
            permuting.result(sample.predicted, sample.truth, self._target, sample.weight)
        importance = dict(zip(self._features, everyone.value.tolist(), strict=True))
        several = len(outputs) > 1
        found = Attributions(
            _method(last, sampled), last.space, n, last.background_rows,
            NEAR if self._declared else last.background, self._settings.seed,
            base=None if several else _finite(outputs[0].base), bases=tuple(o.base for o in outputs) if several else (),
            residual=_finite(max(o.residual for o in outputs)), exact=last.exact,
            features=attributions(rows, sampled, level), level=level, error=sampling.error(everyone, order, level),
            settled=sampling.settled(everyone, order, level, self._looks), stopped=stopped, evaluations=spent,
            stability=stable, stability_over="" if stable is None else "backgrounds" if last.background_rows else
            "halves", agreement=agreement(importance, lost), permuted=lost, correlated=alike,
            differences=of_groups.listed)
        out.measurements += of_attributions(found, outputs)
        revealing = joined(revealing, found)
        out.measurements += of_proxies(revealing)
        return Found(found, revealing, rows, tuple(self._notes(found, of_groups, several)))

    def _proxies(self, level: float) -> tuple[Proxy, ...]:
        """How well features predict each sensitive feature: from the data alone, while the model's process explains."""
        done, asked = self._done, self._settings.data.sensitive
        levels = done.sampled_groups()
        weight, cluster = done.sampled_units(len(done.sample.table))
        return proxies(done.sample.table, self._features, {s.role: levels[s.role] for s in asked},
                       {s.role: s.column for s in asked}, seed=self._settings.seed, level=level, weight=weight,
                       cluster=cluster)

    @property
    def _looks(self) -> int:
        """How often it may be looked whether more rows are needed: the sample doubles each time, and where evaluations
        end it first, half of them are spent before the first look."""
        return 1 + max(1, math.ceil(math.log2(self._most / FIRST)))

    def _grown(self, sample: _Sample, level: float, progress: Progress
               ) -> tuple[tuple[Output, ...], int, Explained, str, sampling.Sampled]:
        """The outputs of all explained rows, the evaluations they took, the last answer, why there are no more rows,
        and what they are a sample of."""
        precision, used = self._settings.explain.precision, self._done.used
        answer = self._first.result()
        outputs, spent = _outputs(answer), answer.evaluations
        while True:
            n = len(outputs[0].outputs)
            progress(STAGE, n, self._most)
            sampled = self._sampled(sample, n)
            if n == used:
                return outputs, spent, answer, "all", sampled
            found = sampling.means(sizes(outputs), sampled)
            order = ranked(found, self._features)
            more = n
            if precision is not None:
                times = (sampling.error(found, order, level) or 0.0) / precision
                if times <= 1:
                    return outputs, spent, answer, "precision", sampled
                # The error falls with the root of the rows: not many more than will do.
                more = min(n, math.ceil(n * (1.1 * times * times - 1)))
            elif sampling.settled(found, order, level, self._looks) == sampling.places(found):
                return outputs, spent, answer, "settled", sampled
            if n == self._most:
                return outputs, spent, answer, "rows", sampled
            left = self._evaluations - spent
            if left < spent / n:
                return outputs, spent, answer, "evaluations", sampled
            following = self._batch.slice(n, min(more, self._most - n))
            answer = self._ask(following, self._background, self._settings.seed, left).result()
            spent += answer.evaluations
            outputs = tuple(Output(np.concatenate([a.values, b.values]), a.base,
                                   np.concatenate([a.outputs, b.outputs]), a.label)
                            for a, b in zip(outputs, _outputs(answer), strict=True))

    def _redrawn(self, answer: Explained, n: int) -> list[Pending[Explained]]:
        """Explanations under way of the first rows against other backgrounds, with other seeds."""
        rows, evaluations = min(n, REDRAWN_ROWS), self._evaluations // REDRAWN_SHARE
        there = self._behind.num_rows
        size = max(1, min(answer.background_rows, there // 2))
        random = np.random.default_rng(self._settings.seed)
        draws = [np.sort(random.choice(there, size, replace=False)) for _ in range(stability.DRAWS)]
        return [self._ask(self._batch.slice(0, rows), self._behind.take(whole(drawn)), self._settings.seed + 1 + i,
                          evaluations)
                for i, drawn in enumerate(draws)]

    def _sample(self, groups: Sequence[Group]) -> _Sample:
        table = self._done.sample.table.slice(0, self._most)
        numeric = _numeric(table, self._features)
        texts: dict[str, list[str | None]] = {}
        for name in self._features:
            column = table.column(name).combine_chunks()
            if not str(column.type).startswith(NUMERIC) or str(column.type) == "bool":
                texts[name] = _texts(column)
        values = {role: v[: self._most] for role, v in self._done.sampled_groups().items()}
        asked = [g for g in groups if g.asked and not g.within]
        weight, cluster = self._done.sampled_units(self._most)
        strata = {}
        for j, name in enumerate(self._features):
            facts = self._done.facts.columns[name].result()
            held = numeric.get(name) if facts.kind == "number" else texts.get(name)
            found = None if held is None else sampling.strata(facts, held, self._done.used)
            if found is not None:
                strata[j] = found
        return _Sample(table, self._predicting(), self._done.sampled_truth(self._most), numeric, texts,
                       membership(values, asked), strata, weight, cluster)

    def _sampled(self, sample: _Sample, n: int) -> sampling.Sampled:
        if sample.weight is not None or sample.cluster is not None:
            return sampling.Sampled(self._done.used, {}, sample.weight, sample.cluster).part(slice(n))
        strata = {j: found for j, s in sample.strata.items() if (found := s.merged(n)) is not None}
        return sampling.Sampled(self._done.used, strata)

    def _rows(self, sample: _Sample, outputs: tuple[Output, ...], space: str, n: int) -> ExplainedRows:
        label, target = sample.predicted.label, self._target
        selected = threshold = None
        if label is not None and target.favourable is not None:
            selected = label[:n] == target.classes.index(target.favourable)
        if label is not None and target.task == "binary" and len(outputs) == 1:
            threshold = cut_off(outputs[0].outputs, label[:n] == 1, space, self._settings.data.threshold)
        return ExplainedRows(
            self._features, outputs, space, sample.table.slice(0, n), {k: v[:n] for k, v in sample.numbers.items()},
            {k: v[:n] for k, v in sample.groups.items()}, selected, threshold,
            None if sample.weight is None else sample.weight[:n],
            None if sample.cluster is None else sample.cluster[:n])

    def _notes(self, found: Attributions, of_groups: Compared, several: bool) -> list[str]:
        notes = []
        if self._settings.explain.background != "all" and not self._declared:
            notes.append("No rows are near a cut-off: explanations compare with all of the sample.")
        if found.stopped == "evaluations":
            notes.append(f"{found.rows} of {self._most} sampled rows were explained: the budget allowed no more.")
        if of_groups.survived > len(of_groups.listed):
            notes.append(f"Of {of_groups.survived} differences between groups in how rows are explained the "
                         f"{len(of_groups.listed)} most certain are listed.")
        if several and len(self._features) > OF_CLASSES:
            notes.append(f"Contributions to single classes are listed for the first {OF_CLASSES} features only.")
        return notes


def _near_cutoff(predicted: Predicted, target: Target) -> NDArray[np.int64] | None:
    """The places of the rows near the cut-off; None where no score or no favourable label says which these are, or
    nobody has it."""
    score, label, wished = predicted.score, predicted.label, target.favourable
    if score is None or label is None or wished is None:
        return None
    place = target.classes.index(wished)
    towards = score[:, place] if score.ndim == 2 else score if wished == target.positive else -score
    found = np.flatnonzero(near(towards, label == place))
    return found if len(found) else None


def cut_off(outputs: Floats, positive: NDArray[np.bool_], space: str, threshold: float | None) -> float | None:
    """The output at or above which rows are predicted `positive` (n_rows,), in the unit of `outputs` (n_rows,), where
    that is what decides; `threshold` is the declared one of the score."""
    cut: float | None = threshold
    if threshold is None:
        cut = {"probability": 0.5, "label": 0.5, "log-odds": 0.0, "margin": 0.0}.get(space)
    elif space == "log-odds":
        cut = math.log(threshold / (1 - threshold)) if 0 < threshold < 1 else None
    elif space == "margin":
        cut = None
    if cut is None or not ((outputs >= cut) == positive).all():
        return None
    return cut


def _outputs(answer: Explained) -> tuple[Output, ...]:
    return tuple(Output(o.values, o.base, o.outputs, o.label) for o in answer.outputs)


def _method(answer: Explained, sampled: sampling.Sampled) -> str:
    return answer.method + ("; means over weighted rows" if sampled.weight is not None else "") + (
        "; standard errors of persons" if sampled.cluster is not None else "")


def _numeric(table: Any, features: Sequence[str]) -> dict[str, Floats]:
    """The numbers of a table's features that hold any, (n_rows,) by name."""
    columns = {name: table.column(name).combine_chunks() for name in features}
    return {name: numbers(column, name) for name, column in columns.items() if str(column.type).startswith(NUMERIC)}


def _texts(column: Any) -> list[str | None]:
    """The level of each value, None for a missing one."""
    import pyarrow as pa

    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    texts = [None if v is None else level_text(v) for v in coded.dictionary.to_pylist()] + [None]
    return [texts[i] for i in indices(coded, len(texts) - 1).tolist()]


def _codes(texts: dict[str, list[str | None]], n: int) -> dict[str, NDArray[np.int64]]:
    """Codes of levels by feature, −1 for missing, of the first n rows."""
    found = {}
    for name, values in texts.items():
        code = {text: i for i, text in enumerate(sorted({v for v in values if v is not None}))}
        found[name] = np.array([-1 if v is None else code[v] for v in values[:n]], np.int64)
    return found


def _compared(groups: Sequence[Group]) -> list[list[str]]:
    """Ids of the groups of each sensitive feature and asked intersection that are compared."""
    found: dict[tuple[str, ...], list[str]] = {}
    for g in groups:
        if g.features and g.asked and not g.within and g.status not in ("missing", "unknown", "empty", "unseen"):
            found.setdefault(g.features, []).append(g.id)
    return list(found.values())


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
