"""Metrics over all classes as measurements: everyone, each group, pairs, the rest of each group, features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from govern.evidence import OVERALL, REST, Group, Measurement
from govern.measure.compared import Found, difference, largest_difference, measured, ratio
from govern.measure.rates import pairs_of
from govern.stats.cube import Cube, Partition
from govern.stats.entries import Column
from govern.stats.estimate import Estimate, undefined
from govern.stats.means import Share, Sums, sums_of
from govern.stats.multiclass import ClassFit, Floats, class_fit, log_losses, loss_sums, macro_roc_auc

COMPARED = ("multiclass_accuracy", "macro_f1", "macro_roc_auc")
METHODS = {"logit": "linearised, logit", "fisher": "linearised, Fisher z", "identity": "mean"}
NOT_PROBABILITIES = "the scores are not probabilities"
AUC_METHOD = "DeLong of the classes, logit"


@dataclass(frozen=True)
class GroupClasses:
    """The metrics over all classes of a group (`own`) and of all rows outside it (`rest`)."""

    own: ClassFit
    rest: ClassFit


def fits(cube: Cube, partition: Partition, classes: Sequence[str], columns: Sequence[Column] = ()
         ) -> list[GroupClasses]:
    """The metrics of the confusion matrices of the groups of a partition and of their rests; multiclass_log_loss too
    where the cube's `columns` of scores are given, one for each class."""
    k = len(classes)
    rows = cube.confusion(partition, k)
    everyone = rows.sum(axis=0)
    losses = _losses(cube, partition, columns) if columns else None
    probable = all(len(c.score) == 0 or (c.score.min() >= 0 and c.score.max() <= 1) for c in columns)
    found = []
    for g in range(len(partition)):
        inside = partition.of_cell == g
        own, rest = _fit(cube, rows[g], inside, classes), _fit(cube, everyone - rows[g], ~inside, classes)
        if losses is not None:
            own, rest = (with_score_metrics(fit, multiclass_log_loss=sums.mean() if probable else undefined(
                NOT_PROBABILITIES)) for fit, sums in zip((own, rest), losses[g], strict=True))
        found.append(GroupClasses(own, rest))
    return found


def _fit(cube: Cube, rows: NDArray[np.int64], inside: NDArray[np.bool_], classes: Sequence[str]) -> ClassFit:
    if not cube.weighted and not cube.clustered:
        return class_fit(rows, classes)
    k, true, predicted = len(classes), cube.table[:, -2], cube.table[:, -1]
    sums = cube.sums_at(np.where(inside, true * k + predicted, k * k), k * k + 1)[:-1].reshape(k, k)
    return class_fit(rows, classes, sums,
                     lambda gradient: cube.variance(np.where(inside, gradient[true, predicted], 0.0)))


def with_score_metrics(fit: ClassFit, **estimates: Estimate) -> ClassFit:
    """The fit with further estimates, such as macro_roc_auc."""
    return replace(fit, estimates={**fit.estimates, **estimates})


def with_macro_auc(found: GroupClasses, own: Sequence[Estimate], rest: Sequence[Estimate], classes: Sequence[str]
                   ) -> GroupClasses:
    """The fits with macro_roc_auc, from the ROC AUC of each class in the group and in its rest."""
    return GroupClasses(with_score_metrics(found.own, macro_roc_auc=macro_roc_auc(own, classes)),
                        with_score_metrics(found.rest, macro_roc_auc=macro_roc_auc(rest, classes)))


def of_group(fit: ClassFit, group: str = OVERALL) -> Iterator[Measurement]:
    """Every metric over all classes of one group, with its interval."""
    yield measured("multiclass_accuracy", fit.accuracy, group)
    for metric, found in fit.estimates.items():
        yield measured(metric, found, group, method=_method(metric, found))


def comparisons(groups: Sequence[Group], found: Sequence[GroupClasses]) -> Iterator[Measurement]:
    """Differences of the compared metrics, of accuracy also ratios, between the groups of one feature (or of one
    within each level of a control feature), and of each group from all rows outside it; these too."""
    of = {g.id: f for g, f in zip(groups, found, strict=True)}
    for metric in COMPARED:
        if not all(metric in f.own.estimates or metric == "multiclass_accuracy" for f in found):
            continue
        for g in groups:
            rest = _one(metric, of[g.id].rest)
            if g.within or rest is None:
                continue
            method = "" if isinstance(rest, Share) else _method(metric, rest)
            yield measured(metric, rest, g.id, reference=REST, method=method)
            if g.asked:
                yield from _compared(metric, g.id, _one(metric, of[g.id].own), REST, rest)
        for group, reference in pairs_of(groups):
            yield from _compared(metric, group.id, _one(metric, of[group.id].own), reference.id,
                                 _one(metric, of[reference.id].own))


def disparities(groups: Sequence[Group], found: Sequence[GroupClasses]) -> Iterator[Measurement]:
    """The largest difference of the compared metrics over the groups of one feature; nothing within controls."""
    if not groups or groups[0].within:
        return
    for metric in COMPARED:
        each = [_one(metric, f.own) for f in found]
        known = [f for f in each if f is not None]
        if len(known) == len(each):
            yield largest_difference(metric, groups[0].features, groups, known)


def _one(metric: str, fit: ClassFit) -> Found | None:
    return fit.accuracy if metric == "multiclass_accuracy" else fit.estimates.get(metric)


def _method(metric: str, found: Estimate) -> str:
    return AUC_METHOD if metric == "macro_roc_auc" else METHODS[found.transform]


def _compared(metric: str, group: str, a: Found | None, reference: str, b: Found | None) -> Iterator[Measurement]:
    if a is None or b is None:
        return
    yield difference(metric, group, a, reference, b)
    if isinstance(a, Share) and isinstance(b, Share):
        yield ratio(metric, group, a, reference, b)


def _losses(cube: Cube, partition: Partition, columns: Sequence[Column]) -> list[tuple[Sums, Sums]]:
    """The sums of the log losses of each group and of its rest."""
    of_face, true = cube.of_face(partition), cube.faces[:, -1]
    if cube.clustered:
        return _clustered_losses(cube, of_face, columns, len(partition))
    parts: list[list[Sums]] = [[] for _ in range(len(partition))]
    for c, column in enumerate(columns):
        own = np.flatnonzero(true[column.face] == c)
        group = of_face[column.face[own]]
        for g in range(len(partition)):
            here = own[group == g]
            if column.losses is not None and not cube.weighted:
                n = int(column.n[here].sum())
                loss, squares = column.losses[np.flatnonzero((true == c) & (of_face == g)), 2:].sum(axis=0).tolist()
                parts[g].append(Sums(n, n, loss, n, loss, squares))
            elif cube.weighted and column.w is not None and column.w2 is not None:
                parts[g].append(loss_sums(column.score[here], column.n[here], column.w[here], column.w2[here]))
            else:
                parts[g].append(loss_sums(column.score[here], column.n[here]))
    each = [_added(p) for p in parts]
    everyone = _added(each)
    return [(own, everyone.without(own)) for own in each]


def _clustered_losses(cube: Cube, of_face: NDArray[np.int64], columns: Sequence[Column], k: int
                      ) -> list[tuple[Sums, Sums]]:
    """As `_losses`, where rows repeat persons and each is an entry."""
    true = cube.faces[:, -1]
    own = [np.flatnonzero(true[column.face] == c) for c, column in enumerate(columns)]
    group = np.concatenate([of_face[c.face[i]] for c, i in zip(columns, own, strict=True)])
    loss = np.concatenate([log_losses(c.score[i]) for c, i in zip(columns, own, strict=True)])
    person = np.concatenate([c.cluster[i] for c, i in zip(columns, own, strict=True) if c.cluster is not None])
    w = np.concatenate([c.w[i] if cube.weighted and c.w is not None else np.ones(len(i))
                        for c, i in zip(columns, own, strict=True)])
    return [(_clustered(group == g, loss, w, person), _clustered(group != g, loss, w, person)) for g in range(k)]


def _clustered(which: NDArray[np.bool_], loss: Floats, w: Floats, person: NDArray[np.uint64]) -> Sums:
    order = np.flatnonzero(which)
    # Within a person by value, so that the order of the rows changes no bit.
    order = order[np.lexsort((w[order], loss[order], person[order]))]
    unit = np.unique(person[order], return_inverse=True)[1].astype(np.int64)
    return sums_of(loss[order], w[order], unit)


def _added(parts: Sequence[Sums]) -> Sums:
    fields = zip(*((p.n, p.w, p.wx, p.uu, p.uv, p.vv) for p in parts), strict=True)
    n, *others = (sum(sorted(f)) for f in fields)
    return Sums(int(n), *others)
