"""Cost and error of AUC, Brier score and log loss by 10 groups with intervals, from binned scores.

    python bench/scores.py [--rows 1000000] [--runs 7] [--seed 1]

One histogram pass is `np.bincount` of ready codes (group, label, bin of 2⁻¹⁴): the least any method pays that sees
every row. Ours starts from the same ready codes and ends with three estimates, standard errors and 95 % intervals a
group; beside it the same from the scores themselves (rows ranked), and scikit-learn's points a group, without
intervals. Each figure is the median of interleaved runs in CPU seconds. Exit code 1 when ours takes more than 10
passes or errs by more than 2e-5 at a million rows or more.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from govern.stats import rank_metrics, score_means
from govern.stats.intervals import transformed
from govern.stats.ranked import RankedRows, rank_rows

GROUPS, BINS = 10, 1 << 14
NAMES = ("roc_auc", "brier_score", "log_loss")
Table = dict[str, list[float]]


def sample(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels at a rate of about .17, scores of a model that ranks well, and groups from 57 % to 0.5 % of the rows."""
    rng = np.random.default_rng(seed)
    share = np.array([0.57, 0.29, 0.05, 0.04, 0.02, 0.01, 0.005, 0.005, 0.005, 0.005])
    group = rng.choice(GROUPS, n, p=share)
    logit = rng.normal(-2.5 + 0.1 * (group % 3), 1.8, n)
    y = rng.random(n) < 1 / (1 + np.exp(-logit))
    return y, 1 / (1 + np.exp(-(1.05 * logit - 0.1 + rng.normal(0, 0.3, n)))), group


def codes(y: np.ndarray, s: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Group, label and bin of each row as one number."""
    return (group * 2 + y) * BINS + np.minimum((s * BINS).astype(np.int64), BINS - 1)


def binned(ready: np.ndarray) -> tuple[RankedRows, np.ndarray]:
    """Entries of the histogram in rank order, and their groups."""
    counts = np.bincount(ready, minlength=GROUPS * 2 * BINS)
    at = np.flatnonzero(counts)
    face, place = np.divmod(at.astype(np.int32), np.int32(BINS))
    return rank_rows(face % 2 == 1, (place + 0.5) / BINS, counts[at], binned=True), face // 2


def by_groups(rows: RankedRows, of: np.ndarray) -> Table:
    """The three metrics of each group; their intervals are computed too."""
    found: Table = {name: [] for name in NAMES}
    for own in rows.own(of, GROUPS):
        for name, e in zip(NAMES, (rank_metrics.roc_auc(own), score_means.brier_score(own), score_means.log_loss(own)),
                           strict=True):
            if e.value is None or e.se is None:
                raise SystemExit(f"{name} has no interval: {e.reason}")
            transformed(e.value, e.se, e.transform, 0.025)
            found[name].append(e.value)
    return found


def scikit_learn(y: np.ndarray, s: np.ndarray, group: np.ndarray) -> Table:
    """The same points by scikit-learn."""
    found: Table = {name: [] for name in NAMES}
    for g in range(GROUPS):
        inside = group == g
        for name, metric in zip(NAMES, (roc_auc_score, brier_score_loss, log_loss), strict=True):
            found[name].append(float(metric(y[inside], s[inside])))
    return found


def largest_gap(a: Table, b: Table) -> dict[str, float]:
    """The largest difference over the groups, by metric."""
    return {name: max(abs(x - z) for x, z in zip(a[name], b[name], strict=True)) for name in NAMES}


def cpu(call: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> int:
    """Print the table; see above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    y, s, group = sample(args.rows, args.seed)
    ready = codes(y, s, group)
    calls: dict[str, Callable[[], object]] = {
        "one histogram pass": lambda: np.bincount(ready, minlength=GROUPS * 2 * BINS),
        "binned, with intervals": lambda: by_groups(*binned(ready)),
        "exact, with intervals": lambda: by_groups(rank_rows(y, s), group),
        "scikit-learn, points only": lambda: scikit_learn(y, s, group),
    }
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for run in range(args.runs + 1):
        for name, call in calls.items():
            spent = cpu(call)
            if run:
                seconds[name].append(spent)
    one = median(seconds["one histogram pass"])
    for name, spent in seconds.items():
        print(f"{name:28s}{median(spent) * 1e3:9.1f} ms{median(spent) / one:9.1f} passes")
    exact = by_groups(rank_rows(y, s), group)
    gaps = largest_gap(by_groups(*binned(ready)), exact)
    print("binned against exact:       ", ", ".join(f"{k} {v:.1e}" for k, v in gaps.items()))
    print("exact against scikit-learn: ", ", ".join(
        f"{k} {v:.1e}" for k, v in largest_gap(exact, scikit_learn(y, s, group)).items()))
    slow = median(seconds["binned, with intervals"]) > 10 * one
    return int(args.rows >= 1_000_000 and (slow or max(gaps.values()) > 2e-5))


if __name__ == "__main__":
    sys.exit(main())
