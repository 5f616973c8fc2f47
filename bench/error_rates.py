"""Error rates of the gate: exact ones by enumeration, and those of whole verdicts by simulation.

    python bench/error_rates.py [--runs 10000] [--seed 1] [--processes 2] [--quick]

1. Enumeration. Two groups of 5 to 200 rows at the limit; the largest probability over all true rates of a pass or
   a fail that is wrong. Plain: the closed forms at the gate's own levels, where each expected count is 5 or more.
   Calibrated: at the level found by govern.stats.exact, whatever the counts.
2. The gate. k groups of N rows are drawn, evidence is made of the counts and judged by govern.policy.gate.judge
   under a policy with one or four rules `against: any`. Three truths: "fail" has half of the groups at each end of
   what is just allowed, so that most pairs can fail wrongly; "pass" has one group at each end and the rest half-way,
   so that only one pair stands against a wrong pass; "equal" has no gap at all.
3. Coverage of a true gap of zero by the interval of the largest gap that evidence stores, nominal 95 %, beside the
   percentile bootstrap of max − min.

Seeded: every run of the same arguments prints the same; the default takes some ten minutes on two processes.
Exit code 1 when a figure misses its aim.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import permutations, product
from pathlib import Path

import numpy as np

from govern.dataset import DataFacts, Population
from govern.evidence import (
    EVIDENCE_SCHEMA,
    OVERALL,
    Containment,
    Counts,
    Evidence,
    Group,
)
from govern.measure.disparities import _largest_gap
from govern.policy.decide import small_sample
from govern.policy.gate import judge
from govern.policy.packs import load_policy
from govern.policy.quantities import Difference, Rate
from govern.policy.schema import Policy
from govern.stats.exact import calibrated_level, worst_error

ERROR, PLAIN, FAMILY, COVERAGE = 0.05, 0.065, 0.055, 0.945
SIZES = (5, 7, 10, 14, 16, 20, 22, 28, 36, 50, 70, 100, 140, 200)
LIMITS = {"difference": (0.05, 0.10, 0.20, -0.05, -0.10, -0.20), "ratio": (0.80, 1.25)}
N = 400
POSITIVE = 0.7
# Rates at the two ends of what is just allowed, and the rules' limits: the accuracy gap that follows is 0.04.
ENDS = ({"tpr": 0.80, "fpr": 0.30}, {"tpr": 0.70, "fpr": 0.20})
RULES = {"selection_rate": 0.10, "true_positive_rate": 0.10, "false_positive_rate": 0.10, "accuracy": 0.04}


@dataclass(frozen=True)
class Rates:
    """Shares of runs: any rule failed, the rule that passed most often passed, the verdict was PASS."""

    failed: float
    passed: float
    pass_verdict: float


def enumerate_pairs(sizes: Sequence[int]) -> Iterator[tuple[str, float, float, float, float]]:
    """(compare, limit, worst plain, worst plain where expected counts are ≥ 5, worst calibrated)."""
    for compare, limits in LIMITS.items():
        for limit in limits:
            everywhere = plain = calibrated = 0.0
            for n1, n2 in product(sizes, sizes):
                level = ERROR * small_sample(Difference(Rate(0, n1), Rate(0, n2)))
                everywhere = max(everywhere, worst_error(n1, n2, compare, limit, level))
                plain = max(plain, worst_error(n1, n2, compare, limit, level, cells=5))
                found = calibrated_level(n1, n2, compare, limit, ERROR)
                if found.level is not None:
                    calibrated = max(calibrated, worst_error(n1, n2, compare, limit, found.level))
            yield compare, limit, everywhere, plain, calibrated


def truths(kind: str, k: int) -> np.ndarray:
    """The (k, 4) probabilities of tp, fp, fn, tn of k groups."""
    share = {"equal": [0.0] * k, "fail": [float(2 * i >= k) for i in range(k)],
             "pass": [0.0, *[0.5] * (k - 2), 1.0]}[kind]
    high, low = ENDS
    tpr, fpr = (np.array([high[r] + (low[r] - high[r]) * s for s in share]) for r in ("tpr", "fpr"))
    return np.stack([POSITIVE * tpr, (1 - POSITIVE) * fpr, POSITIVE * (1 - tpr), (1 - POSITIVE) * (1 - fpr)], axis=1)


def evidence(cells: np.ndarray) -> Evidence:
    """Evidence whose groups have these (k, 4) counts of tp, fp, fn, tn."""
    groups, counts = [], []
    for i, row in enumerate([cells.sum(axis=0), *cells]):
        tp, fp, fn, tn = row.tolist()
        of, values, name = (("group",), (str(i),), f"g{i}") if i else ((), (), OVERALL)
        groups.append(Group(name, of, values, tp + fp + fn + tn, tp + fn, tp + fn))
        counts.append(Counts(name, tp, fp, fn, tn, tp + fp))
    n = groups[0].n
    return Evidence(EVIDENCE_SCHEMA, "2026-11-22T00:00:00Z", (), {}, Containment("clean"), Population(n, n),
                    DataFacts(), tuple(groups), tuple(counts), ())


def policy(metrics: int) -> Policy:
    """A policy of one rule, or of four, that binds."""
    rules = "\n".join(f"  - {{id: R{i}, kind: disparity, title: t, metric: {metric}, compare: difference, "
                      f"against: any, max: {limit}, severity: block, basis: house}}"
                      for i, (metric, limit) in enumerate(list(RULES.items())[:metrics]))
    head = ("schema: govern.policy/1\nname: bench\nversion: \"1\"\ntitle: t\nstatus: in_force\nas_of: 2026-11-03\n"
            "defaults: {error: 0.05, family: policy, insufficient: lean}\nrules:\n")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bench.yaml").write_text(head + rules + "\n", encoding="utf-8")
        return load_policy("bench.yaml", base=Path(folder))


def simulate(case: tuple[str, int, int, int, int]) -> Rates:
    """The rates of (truth, groups, metrics, runs, seed)."""
    kind, k, metrics, runs, seed = case
    rng, rules, truth = np.random.default_rng([seed, k, metrics, len(kind)]), policy(metrics), truths(kind, k)
    failed, right = 0, 0
    passed: dict[str, int] = {}
    for _ in range(runs):
        cells = np.stack([rng.multinomial(N, p) for p in truth])
        verdict = judge(evidence(cells), judged={}, policies=[rules], phase="team", today=date(2026, 11, 22))
        failed += any(f.outcome == "fail" for f in verdict.findings)
        right += verdict.outcome == "PASS"
        for f in verdict.findings:
            passed[f.rule] = passed.get(f.rule, 0) + (f.outcome == "pass")
    return Rates(failed / runs, max(passed.values()) / runs, right / runs)


def coverage(case: tuple[int, int, int, int]) -> tuple[float, float]:
    """Shares of (groups, rows, runs, seed) samples of equal groups whose interval of max − min contains 0: the
    stored one, and the percentile bootstrap of 1,000 replicates (of at most 500 samples)."""
    k, n, runs, seed = case
    rng = np.random.default_rng([seed, k, n])
    held = drawn_held = 0
    for i in range(runs):
        x = rng.binomial(n, 0.3, size=k)
        stored = _largest_gap([((a, n), (b, n)) for a, b in permutations(x.tolist(), 2)])
        held += stored.low is not None and stored.low <= 0
        if i < 500:
            drawn = rng.binomial(n, x / n, size=(1000, k))
            drawn_held += bool(np.quantile(np.ptp(drawn, axis=1), 0.025) <= 0)
    return held / runs, drawn_held / min(runs, 500)


def main(argv: Sequence[str] | None = None) -> int:
    """0 when every figure meets its aim, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="fewer sizes and groups")
    args = parser.parse_args(argv)
    sizes, ks, several = (SIZES[3:10:2], (2, 5), (1, 4)) if args.quick else (SIZES, (2, 5, 10, 20), (1, 4))
    missed = 0
    print(f"declared one-sided error {ERROR}\n\nexact error at the limit, {sizes[0]} to {sizes[-1]} rows a group")
    print(f"{'':<12}{'limit':>7} | {'plain':>7}{'plain, expected ≥ 5':>21}{'calibrated':>12}")
    for compare, limit, everywhere, plain, calibrated in enumerate_pairs(sizes):
        missed += plain > PLAIN or calibrated > ERROR
        print(f"{compare:<12}{limit:>7.2f} | {everywhere:>7.4f}{plain:>21.4f}{calibrated:>12.4f}")
    cases = [(kind, k, m, args.runs, args.seed) for k in ks for m in several for kind in ("fail", "pass", "equal")]
    nulls = [(k, n, args.runs, args.seed) for k in ks for n in (100, 500)]
    with ProcessPoolExecutor(args.processes) as pool:
        # The longest first, so that the processes end together.
        order = sorted(range(len(cases)), key=lambda i: -cases[i][1] * cases[i][1] * cases[i][2])
        done = dict(zip(order, pool.map(simulate, [cases[i] for i in order]), strict=True))
        held = list(pool.map(coverage, nulls))
    print(f"\nthe gate, {args.runs} runs a line, {N} rows a group, every pair, truth at the limit")
    print(f"{'k':>4}{'metrics':>9} | {'any wrong FAIL':>15}{'wrong PASS of a rule':>22} | {'PASS, equal groups':>19}"
          f"{'PASS, at the limit':>20}")
    for i in range(0, len(cases), 3):
        fail, wrong, equal = (done[i + j] for j in range(3))
        missed += max(fail.failed, equal.failed) > FAMILY or wrong.passed > FAMILY
        print(f"{cases[i][1]:>4}{cases[i][2]:>9} | {max(fail.failed, equal.failed):>15.4f}{wrong.passed:>22.4f} | "
              f"{equal.pass_verdict:>19.3f}{fail.pass_verdict:>20.3f}")
    print("\ncoverage of a true gap of zero, nominal 0.95")
    print(f"{'k':>4}{'n':>6} | {'stored interval':>16}{'percentile bootstrap':>22}")
    for (k, n, _, _), (stored, drawn) in zip(nulls, held, strict=True):
        missed += stored < COVERAGE
        print(f"{k:>4}{n:>6} | {stored:>16.4f}{drawn:>22.4f}")
    print(f"\n{missed} figures miss their aim" if missed else "\nevery figure meets its aim")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
