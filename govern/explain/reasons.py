"""Principal reasons of adverse decisions: which features fall short, in which words, and whether a method that
explains nothing gives the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from govern.evidence import Measurement
from govern.explain.explained import ExplainedRows, Floats
from govern.explain.reference import Reference, principal
from govern.explain.varied import Answers, Places, features_of, points, varied
from govern.explanations import ReasonCodes, ReasonCount
from govern.inputs.arrays import whole
from govern.inputs.settings import ExplainSettings

METHOD: Final = "contributions below their mean"
COMPARED_ROWS: Final = 100
COMPARED_FEATURES: Final = 30
POINTS: Final = 10
EVALUATIONS: Final = 20_000
NOBODY: Final = "no explained row is decided favourably, so that there is none to compare with"
# What a sentence must not hold in place of a reason. Source: 12 CFR 1002.9(b)(2): that internal standards or policies
# were the ground, or that a qualifying score was not achieved, is insufficient.
GENERIC: Final = ("internal standard", "internal polic", "internal criteria", "qualifying score", "passing score",
                  "minimum score", "score too low", "scoring system", "failed to achieve", "failed to reach",
                  "社内基準", "社内規定", "総合的に判断", "総合的判断")
PLACEHOLDERS: Final = ("", "-", "tbd", "todo", "n/a", "none", "なし", "未定")


class Dictionary:
    """The sentences of reasons, by feature and by the side of the mean on which its value lies."""

    def __init__(self, settings: ExplainSettings, rows: ExplainedRows, compared: Reference) -> None:
        self._said = settings.reasons
        within = compared.rows
        self._means = {name: float(np.nanmean(x[within])) for name, x in rows.numbers.items()
                       if name in self._said and not np.isnan(x[within]).all()}

    def sentence(self, feature: str, value: float) -> str:
        """The sentence for a feature with this value (NaN where it is missing); empty where there is none, and for a
        feature without numbers that has none but by side."""
        said = self._said.get(feature)
        if not isinstance(said, Mapping):
            return said or ""
        if np.isnan(value):
            return said.get("missing") or ""
        mean = self._means.get(feature, np.nan)
        side = "low" if value < mean else "high" if value > mean else ""
        return said.get(side) or ""


def generic(text: str) -> bool:
    """Whether a sentence names no reason: it speaks of internal standards or of a score, or is a placeholder."""
    folded = text.strip().casefold()
    return folded in PLACEHOLDERS or any(word in folded for word in GENERIC)


def reason_codes(rows: ExplainedRows, compared: Reference, settings: ExplainSettings, ask: Answers | None = None, *,
                 evaluations: int = EVALUATIONS) -> ReasonCodes | None:
    """The principal reasons of the adverse decisions among the explained rows, None where there are none.

    With `ask` they are held against a direct method: by how much the output rises on average when a feature alone
    takes the values of the reference rows. It takes at most `evaluations` answers of the model, for the first rows of
    the sample, and of many features the 30 that fall short the most.
    """
    adverse = np.flatnonzero(compared.adverse)
    if not len(adverse):
        return None
    most = settings.most_reasons
    without = [j for j, name in enumerate(rows.features) if name in settings.prohibited]
    if not compared.rows.any():
        return ReasonCodes(METHOD, compared.name, len(adverse), 0, most, prohibited=settings.prohibited)
    short = compared.shortfalls(rows)[adverse]
    chosen = principal(short, most, without)
    dropped = sum(bool(set(any_) & set(without)) for any_ in principal(short, most)) if without else 0
    said = _said(rows, compared, settings, adverse, chosen)
    agreement, asked = (None, 0) if ask is None else \
        _agreement(rows, compared, ask, adverse, chosen, short, most, without, evaluations)
    first = Counter(of[0] for of in said if of)
    every = Counter(reason for of in said for reason in of)
    counts = [ReasonCount(feature, text, first[feature, text], n) for (feature, text), n in every.items()]
    silent = sorted({f for f, text in every if not text}) if settings.reasons else []
    covered = sum(bool(of) and all(text and not generic(text) for _, text in of) for of in said)
    return ReasonCodes(
        METHOD, compared.name, len(adverse), sum(map(bool, said)), most,
        tuple(sorted(counts, key=lambda c: (-c.any, -c.first, c.feature, c.text))), settings.prohibited, dropped,
        agreement, tuple(silent), int(compared.rows.sum()), covered if settings.reasons else None,
        tuple(sorted({f for f, text in every if text and generic(text)})), asked)


def measurements(found: ReasonCodes | None, settings: ExplainSettings) -> Iterator[Measurement]:
    """What rules may judge of reason codes: reason_coverage (with a dictionary), reason_dropped_share (with prohibited
    features) and reason_agreement (where the direct method was asked). Nothing without adverse decisions."""
    if found is None:
        return
    for metric, given, counted in (("reason_coverage", settings.reasons, found.covered),
                                   ("reason_dropped_share", settings.prohibited, found.dropped)):
        if given and counted is not None and found.background_rows:
            yield Measurement(metric, counted / found.rows, numerator=counted, denominator=found.rows)
        elif given:
            yield Measurement(metric, None, "undefined", NOBODY)
    if found.agreement is not None:
        yield Measurement("reason_agreement", found.agreement)


def _said(rows: ExplainedRows, compared: Reference, settings: ExplainSettings, adverse: Places,
          chosen: Sequence[Sequence[int]]) -> list[list[tuple[str, str]]]:
    """Feature and sentence of each reason of each adverse row."""
    words = Dictionary(settings, rows, compared)
    return [[(name, words.sentence(name, value_of(rows, name, row))) for name in (rows.features[j] for j in reasons)]
            for row, reasons in zip(adverse.tolist(), chosen, strict=True)]


def value_of(rows: ExplainedRows, feature: str, row: int) -> float:
    """The number that a row has of a feature, NaN where it has none."""
    column = rows.numbers.get(feature)
    return float("nan") if column is None else float(column[row])


def _agreement(rows: ExplainedRows, compared: Reference, ask: Answers, adverse: Places,
               chosen: Sequence[Sequence[int]], short: Floats, most: int, without: Sequence[int], evaluations: int
               ) -> tuple[float | None, int]:
    """The mean share of the reasons of a row that the direct method gives too, and of how many rows."""
    typical = short.mean(axis=0)
    features = sorted((j for j in range(len(rows.features)) if j not in without),
                      key=lambda j: (-typical[j], j))[:COMPARED_FEATURES]
    within = np.flatnonzero(compared.rows)
    known = {j: points(rows, rows.features[j], within, POINTS, missing=True) for j in features}
    each = 1 + sum(len(p.at) for p in known.values())
    base = adverse[: max(1, min(COMPARED_ROWS, evaluations // each))]
    batch = features_of(rows)
    # Like with like: contributions to log-odds against differences of log-odds.
    scale = _log_odds if (rows.space, ask.unit) == ("log-odds", "probability") else _as_it_is
    now = scale(ask.of(batch.take(whole(base)))[:, compared.place])
    rises = np.full((len(base), len(rows.features)), -np.inf)
    changes = [(rows.features[j], known[j].at) for j in features]
    for j, found in zip(features, varied(batch, base, changes, ask), strict=True):
        then = (known[j].share[:, None] * scale(found[:, :, compared.place])).sum(axis=0)
        rises[:, j] = compared.sign * (then - now)
    if not np.isfinite(rises[:, features]).all():
        return None, 0
    direct = principal(np.where(np.isfinite(rises), rises, 0.0), most, without)
    shares = [len(set(one) & set(other)) / len(one)
              for one, other in zip(chosen[: len(base)], direct, strict=True) if one]
    return (sum(shares) / len(shares), len(shares)) if shares else (None, 0)


def _log_odds(p: Floats) -> Floats:
    inside = np.clip(p, 1e-15, 1 - 1e-15)
    found: Floats = np.log(inside) - np.log1p(-inside)
    return found


def _as_it_is(x: Floats) -> Floats:
    return x
