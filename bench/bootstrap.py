"""Bootstrap intervals of all groups from counts: their cost, their cost beside fairlearn's, and their agreement.

    pip install -r bench/requirements.txt
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python bench/bootstrap.py [--peer-replicates 3] [--seed 0]

Resampling rows with replacement is one multinomial draw over the cells of the cube, so the cost depends on cells and
replicates, not on rows. The product stores no such intervals: of a rate without an event they have no width, of a
largest gap they never cover 0, and everything it measures has a closed form, linearised or exact (docs/statistics.md).
They are drawn here to show what the cube makes of the intervals that others give.

Eight metrics (count, selection rate, TPR, FPR, FNR, TNR, accuracy, precision), 95 % percentile intervals of
every group's value, of everyone's, of the difference and of the ratio. Three tables:
  1. 1,000 replicates by sex (2), race (5) and sex × race (10) over 1,000,000 rows in memory, with coding and
     counting, beside one bare np.bincount pass over ready codes. Aim: 3 × that pass + 10 ms.
  2. fairlearn's MetricFrame(n_boot=…) at 50,000 rows by sex × race; its 1,000 replicates are extrapolated from few.
  3. the intervals of 10,000 replicates beside a bootstrap of rows by index, at 20,000 rows: largest distance of
     two ends in standard errors, groups matched by label. Aim: 0.15.
Exit code 1 when an aim is missed. Times are CPU seconds of one thread, medians of interleaved runs.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SEX = {"men": 0.67, "women": 0.33}
RACE = {"white": 0.854, "black": 0.096, "asian": 0.031, "native": 0.0105, "other": 0.0085}
LEVEL, PASSES, EXTRA_S, LEAST_RATIO, LARGEST_DISTANCE = 0.95, 3, 0.010, 10_000, 0.15
Interval = tuple[float, float]
GROUP_METRICS = ("count", "selection_rate", "true_positive_rate", "false_positive_rate", "false_negative_rate",
                 "true_negative_rate", "accuracy", "precision")
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Ends of percentile intervals and the replicates without a value; three arrays of one shape.

    `low` and `high` are NaN only where `undefined` equals the number of replicates: read them by `at`.
    """

    low: Floats
    high: Floats
    undefined: Ints

    def at(self, *place: int) -> tuple[float, float] | None:
        """The interval at an index, None when no replicate has a value."""
        low, high = float(self.low[place]), float(self.high[place])
        return None if np.isnan(low) else (low, high)


@dataclass(frozen=True, slots=True)
class GroupBootstrap:
    """Percentile intervals of the metrics `GROUP_METRICS`, which are the rows of every array here.

    `groups` (8, k); `overall`, `difference` (largest − smallest over the groups) and `ratio` (smallest /
    largest) (8,). Counts are in rows, all others within 0 to 1.
    """

    groups: Percentiles
    overall: Percentiles
    difference: Percentiles
    ratio: Percentiles
    replicates: int
    level: float


def group_bootstrap(counts: NDArray[np.integer], replicates: int, seed: int, level: float = 0.95) -> GroupBootstrap:
    """Percentile intervals of each group's rates, from `counts` (k, 4) of tp, fp, fn, tn of disjoint groups.

    What a bootstrap of rows gives (fairlearn's `MetricFrame(n_boot=…)`). Those of the difference and the ratio never
    cover a true gap of 0, because a largest gap is above 0 in every replicate. A metric whose denominator is 0 in a
    replicate is undefined there; differences and ratios are over the groups that have a value.
    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.

    Raises: ValueError for counts that are negative or all 0, fewer than 2 replicates, or a level outside 0 to 1.
    """
    return grouping_bootstraps(counts, [np.arange(len(counts))], replicates, seed, level)[0]


def grouping_bootstraps(counts: NDArray[np.integer], groupings: Sequence[NDArray[np.integer]], replicates: int,
                        seed: int, level: float = 0.95) -> list[GroupBootstrap]:
    """As `group_bootstrap` for several groupings at once, from one draw over the finest groups.

    Each of `groupings` (k,) gives the group, from 0, of each finest group; −1 leaves it out of that grouping.
    """
    table = np.asarray(counts, np.int64)
    if table.ndim != 2 or table.shape[1] != 4 or (table < 0).any() or not table.any():
        raise ValueError("counts must be rows of tp, fp, fn, tn, not negative and not all 0")
    if replicates < 2 or not 0 < level < 1:
        raise ValueError(f"needs 2 replicates or more and a level within 0 to 1, not {replicates} and {level}")
    order = np.lexsort(table.T)
    drawn = np.empty((len(table), 4, replicates))
    drawn[order] = _resampled(table[order].ravel(), replicates, _generator(seed)).T.reshape(drawn.shape)
    flat = drawn.reshape(len(table), -1)
    found = []
    for grouping in groupings:
        k = int(np.max(grouping)) + 1
        member = (np.arange(k + 1)[:, None] == grouping).astype(np.float64)
        member[k] = 1.0  # the last row of each is everyone
        # Whole numbers below 2⁵³: the product is exact in any order.
        values = _rates((member @ flat).reshape(k + 1, 4, replicates))
        groups = values[:, :k]
        largest, smallest = np.fmax.reduce(groups, axis=1), np.fmin.reduce(groups, axis=1)
        with np.errstate(invalid="ignore"):
            ratio = smallest / largest
        ends = _percentiles(np.concatenate([values, (largest - smallest)[:, None], ratio[:, None]], axis=1), level)
        found.append(GroupBootstrap(_at(ends, slice(0, k)), _at(ends, k), _at(ends, k + 1), _at(ends, k + 2),
                                    replicates, level))
    return found


def _at(ends: Percentiles, place: int | slice) -> Percentiles:
    return Percentiles(ends.low[:, place], ends.high[:, place], ends.undefined[:, place])


def _rates(cells: Floats) -> Floats:
    """The 8 metrics of tp, fp, fn, tn: (k, 4, R) → (8, k, R); NaN where a denominator is 0."""
    tp, fp, fn, tn = np.moveaxis(cells, 1, 0)
    positive, negative, selected = tp + fn, fp + tn, tp + fp
    n = positive + negative
    values = np.empty((len(GROUP_METRICS), *n.shape))
    values[0] = n
    with np.errstate(invalid="ignore"):
        for i, (part, whole) in enumerate(((selected, n), (tp, positive), (fp, negative), (fn, positive),
                                           (tn, negative), (tp + tn, n), (tp, selected)), start=1):
            np.divide(part, whole, out=values[i])
    return values


def _percentiles(values: Floats, level: float) -> Percentiles:
    """Ends (…) of the middle `level` of the defined `values` (…, R), linear between order statistics."""
    ordered = np.sort(values, axis=-1)  # NaN come last
    undefined = np.isnan(ordered).sum(axis=-1)
    last = np.maximum(values.shape[-1] - undefined - 1, 0)
    low, high = (_between(ordered, q * last) for q in ((1 - level) / 2, (1 + level) / 2))
    return Percentiles(low, high, undefined)


def _between(ordered: Floats, position: Floats) -> Floats:
    """Values (…) of `ordered` (…, R) at fractional places (…), by linear interpolation."""
    below = np.floor(position).astype(np.int64)
    above = np.ceil(position).astype(np.int64)
    a = np.take_along_axis(ordered, below[..., None], -1)[..., 0]
    b = np.take_along_axis(ordered, above[..., None], -1)[..., 0]
    return a + (b - a) * (position - below)


def _resampled(counts: Ints, replicates: int, generator: np.random.Generator) -> Ints:
    """(replicates, n_cells) counts of as many rows, drawn with replacement."""
    held = np.flatnonzero(counts)
    drawn = np.zeros((replicates, len(counts)), np.int64)
    # Empty cells stay out of the draw: rounded probabilities leave the last cell a remainder.
    drawn[:, held] = generator.multinomial(counts.sum(), counts[held] / counts.sum(), replicates)
    return drawn


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed])))


def people(n: int, seed: int) -> pd.DataFrame:
    """`n` rows: sex and race as categories, label y and prediction p as 0 and 1."""
    rng = np.random.default_rng(seed)
    sex, race = (rng.choice(len(shares), n, p=list(shares.values())) for shares in (SEX, RACE))
    y = rng.random(n) < 0.20 - 0.06 * sex - 0.02 * (race == 1)
    p = rng.random(n) < np.where(y, 0.62 - 0.05 * sex, 0.07 - 0.02 * sex + 0.02 * (race == 3))
    return pd.DataFrame({"sex": pd.Categorical.from_codes(sex, list(SEX)),
                         "race": pd.Categorical.from_codes(race, list(RACE)),
                         "y": y.astype(np.int8), "p": p.astype(np.int8)})


def from_counts(frame: pd.DataFrame, replicates: int, seed: int, groupings: Sequence[str]) -> list[GroupBootstrap]:
    """Our side, from the frame: codes of cells, one count, one draw for all groupings."""
    code = frame["sex"].cat.codes.to_numpy() * np.int8(len(RACE))
    code += frame["race"].cat.codes.to_numpy()
    for column in ("y", "p"):
        code *= np.int8(2)
        code += frame[column].to_numpy()
    table = np.bincount(code, minlength=4 * len(SEX) * len(RACE)).reshape(-1, 4)
    k = np.arange(len(table))
    of = {"sex": k // len(RACE), "race": k % len(RACE), "sex × race": k}
    # Cells of a group are in the order tn, fp, fn, tp of the code 2 y + p.
    return grouping_bootstraps(table[:, [3, 1, 2, 0]], [of[g] for g in groupings], replicates, seed, LEVEL)


def by_label(result: GroupBootstrap, labels: Sequence[object]) -> dict[tuple[str, object], Interval | None]:
    """Intervals by metric and by group label, "overall", "difference" or "ratio"."""
    found: dict[tuple[str, object], Interval | None] = {}
    for m, metric in enumerate(GROUP_METRICS):
        found |= {(metric, label): result.groups.at(m, i) for i, label in enumerate(labels)}
        found |= {(metric, name): getattr(result, name).at(m) for name in ("overall", "difference", "ratio")}
    return found


def from_rows(frame: pd.DataFrame, replicates: int,
              seed: int) -> dict[tuple[str, object], tuple[Interval | None, float]]:
    """Interval and standard error of a bootstrap of rows by index, by sex × race; shares nothing with `from_counts`."""
    rng = np.random.default_rng(seed)
    group, labels = pd.factorize(pd.MultiIndex.from_frame(frame[["sex", "race"]]))  # in order of appearance
    y, p = frame["y"].to_numpy(bool), frame["p"].to_numpy(bool)
    masks = {"n": y | ~y, "selected": p, "y": y, "tp": y & p, "fp": ~y & p}
    kind = sum(mask.astype(np.int64) << i for i, mask in enumerate(masks.values()))
    code, size = group * 32 + kind, 32 * len(labels)
    drawn = np.empty((replicates, len(labels), 32))
    for i in range(replicates):
        drawn[i] = np.bincount(code[rng.integers(0, len(code), len(code))], minlength=size).reshape(-1, 32)
    drawn = np.concatenate([drawn, drawn.sum(axis=1, keepdims=True)], axis=1)
    has = [np.array([kind >> i & 1 for kind in range(32)], float) for i in range(len(masks))]
    n, selected, positive, tp, fp = (drawn @ mask for mask in has)
    negative = n - positive
    with np.errstate(invalid="ignore"):
        values = [n, selected / n, tp / positive, fp / negative, 1 - tp / positive, 1 - fp / negative,
                  (tp + negative - fp) / n, tp / selected]
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for metric, of_all in zip(GROUP_METRICS, values, strict=True):
            of_groups = of_all[:, :-1]
            high, low = np.nanmax(of_groups, axis=1), np.nanmin(of_groups, axis=1)
            columns = dict(zip([*labels, "overall"], of_all.T, strict=True))
            for label, column in (columns | {"difference": high - low, "ratio": low / high}).items():
                ends = np.nanquantile(column, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
                interval = None if np.isnan(ends[0]) else (float(ends[0]), float(ends[1]))
                found[metric, label] = interval, float(np.nanstd(column))
    return found


def distances(frame: pd.DataFrame, replicates: int, seed: int) -> tuple[dict[tuple[str, object], float], float]:
    """Larger distance of the two ends from those of the row bootstrap, in standard errors.

    0 where both are constant or have no value. Then the largest such distance between two row bootstraps: what
    chance alone does.
    """
    ours = by_label(from_counts(frame, replicates, seed, ["sex × race"])[0],
                    [(sex, race) for sex in SEX for race in RACE])
    rows, again = (from_rows(frame, replicates, s) for s in (seed + 1, seed + 2))

    def far(interval: Interval | None, key: tuple[str, object]) -> float:
        ends, se = rows[key]
        if interval is None or ends is None:
            if interval != ends:
                raise SystemExit(f"{key} has an interval on one side only")
            return 0.0
        apart = max(abs(a - b) for a, b in zip(interval, ends, strict=True))
        return apart / se if apart else 0.0

    return {key: far(ours[key], key) for key in rows}, max(far(again[key][0], key) for key in rows)


def peer(frame: pd.DataFrame, replicates: int) -> object:
    """fairlearn's MetricFrame with the same metrics, by sex × race."""
    from fairlearn import metrics as fm
    from sklearn.metrics import accuracy_score, precision_score

    metrics = {"count": fm.count, "selection_rate": fm.selection_rate, "true_positive_rate": fm.true_positive_rate,
               "false_positive_rate": fm.false_positive_rate, "false_negative_rate": fm.false_negative_rate,
               "true_negative_rate": fm.true_negative_rate, "accuracy": accuracy_score,
               "precision": partial(precision_score, zero_division=0)}
    asked = {"n_boot": replicates, "ci_quantiles": [0.025, 0.975], "random_state": 0} if replicates else {}
    built = fm.MetricFrame(metrics=metrics, y_true=frame["y"], y_pred=frame["p"],
                           sensitive_features=frame[["sex", "race"]], **asked)
    if replicates:
        return built.by_group_ci, built.overall_ci, built.difference_ci(), built.ratio_ci()
    return built.by_group, built.overall, built.difference(), built.ratio()


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process for one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def interleaved(runs: int, *works: Callable[[], object]) -> list[float]:
    """Median seconds of each, run in turn."""
    for work in works:
        work()
    return [median(times) for times in zip(*([seconds(work) for work in works] for _ in range(runs)), strict=True)]


def cost(rows: int, seed: int) -> bool:
    """Prints table 1; whether the aim is met."""
    frame = people(rows, seed)
    sex, race = (frame[name].cat.codes.to_numpy().astype(np.intp) for name in ("sex", "race"))
    ready = ((sex * len(RACE) + race) * 2 + frame["y"].to_numpy()) * 2 + frame["p"].to_numpy()
    groupings = ["sex", "race", "sex × race"]
    bare, hundred, thousand, many = interleaved(
        15, lambda: np.bincount(ready, minlength=40),
        *(partial(from_counts, frame, replicates, seed, groupings) for replicates in (100, 1_000, 10_000)))
    aim = PASSES * bare + EXTRA_S
    met = thousand <= aim
    print(f"1. {rows:,} rows by sex, race and sex × race, coding and counting included\n")
    print(f"   one bare np.bincount pass over ready codes {1e3 * bare:8.2f} ms")
    for replicates, took in ((100, hundred), (1_000, thousand), (10_000, many)):
        print(f"   {replicates:>6,} replicates                          {1e3 * took:8.2f} ms {took / bare:6.1f} ×")
    print(f"   aim for 1,000: {PASSES} × + {1e3 * EXTRA_S:.0f} ms           {1e3 * aim:8.2f} ms   "
          f"{'met' if met else 'MISSED'}\n")
    return met


def beside_peer(rows: int, replicates: int, seed: int) -> bool:
    """Prints table 2; whether the aim is met."""
    frame = people(rows, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer(frame.head(1_000), 0)
        frame_only = seconds(lambda: peer(frame, 0))
        with_some = seconds(lambda: peer(frame, replicates))
    few, thousand = interleaved(15, lambda: from_counts(frame, 2, seed, ["sex × race"]),
                                lambda: from_counts(frame, 1_000, seed, ["sex × race"]))
    theirs, ours = (with_some - frame_only) / replicates, (thousand - few) / 998
    theirs_whole = frame_only + 1_000 * theirs
    met = theirs_whole / thousand >= LEAST_RATIO
    print(f"2. {rows:,} rows by sex × race beside fairlearn ({replicates} of its replicates)\n")
    print(f"   {'':<24}{'fairlearn':>14}{'from counts':>14}{'ratio':>12}")
    print(f"   {'a replicate':<24}{theirs:>12.3f} s{1e6 * ours:>11.2f} µs{theirs / ours:>12,.0f}")
    print(f"   {'1,000 replicates, whole':<24}{theirs_whole:>12,.0f} s{1e3 * thousand:>11.2f} ms"
          f"{theirs_whole / thousand:>12,.0f}")
    print(f"   aim for 1,000: {LEAST_RATIO:,}; fairlearn's 1,000 are extrapolated    {'met' if met else 'MISSED'}\n")
    return met


def agreement(rows: int, replicates: int, seed: int) -> bool:
    """Prints table 3; whether the aim is met."""
    found, chance = distances(people(rows, seed), replicates, seed)
    print(f"3. {rows:,} rows by sex × race, {replicates:,} replicates beside as many by index: distance in SE\n")
    print(f"   {'':<24}{'groups':>9}{'overall':>9}{'difference':>12}{'ratio':>9}")
    for metric in GROUP_METRICS:
        groups = max(far for (name, label), far in found.items() if name == metric and isinstance(label, tuple))
        print(f"   {metric:<24}{groups:>9.3f}{found[metric, 'overall']:>9.3f}"
              f"{found[metric, 'difference']:>12.3f}{found[metric, 'ratio']:>9.3f}")
    worst = max(found, key=lambda key: found[key])
    met = found[worst] <= LARGEST_DISTANCE
    where = " ".join(worst[1]) if isinstance(worst[1], tuple) else worst[1]
    print(f"\n   worst of {2 * len(found)} ends {found[worst]:.3f} ({worst[0]}, {where}); aim {LARGEST_DISTANCE}    "
          f"{'met' if met else 'MISSED'}")
    print(f"   two bootstraps of rows by index differ by up to {chance:.3f}")
    return met


def main(argv: Sequence[str] | None = None) -> int:
    """0 when every aim is met, else 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="of table 1")
    parser.add_argument("--peer-rows", type=int, default=50_000)
    parser.add_argument("--peer-replicates", type=int, default=3, help="0 leaves fairlearn out")
    parser.add_argument("--agreement-rows", type=int, default=20_000)
    parser.add_argument("--replicates", type=int, default=10_000, help="of table 3")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    met = [cost(args.rows, args.seed)]
    if args.peer_replicates:
        met.append(beside_peer(args.peer_rows, args.peer_replicates, args.seed))
    met.append(agreement(args.agreement_rows, args.replicates, args.seed))
    return int(not all(met))


if __name__ == "__main__":
    sys.exit(main())
