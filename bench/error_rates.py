"""Error rates of the interval decision at the limit, beside those of the gate that looks at the point only.

    python bench/error_rates.py [--runs 4000] [--seed 1]

k groups of n rows; the true rates lie between .30 and the rate that is just allowed, both included, so every
PASS and every FAIL is as wrong as it can be while the limit itself is met. The rule asks every pair of groups
("against: any"): PASS needs every pair inside at one-sided error .05, FAIL one pair outside at .05 divided by
2 × the number of pairs. The last columns move the truth half-way from the limit to equality: FAIL is wrong
there beyond doubt. Standard library and govern.stats.intervals only; seeded, so every run prints the same.
Exit code 1 when a rate of the interval decision exceeds .065, the most its closed forms are stated to err.
"""

from __future__ import annotations

import argparse
import random
import sys
from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, permutations
from math import exp, lgamma, log

from govern.stats.intervals import newcombe, ratio

ERROR, STATED, BASE = 0.05, 0.065, 0.30
CASES = [(compare, k, n) for compare in ("difference", "ratio") for k in (2, 5) for n in (200, 1000)]


@dataclass
class Rates:
    """Shares of runs in which each gate passed and failed."""

    passed: float
    failed: float
    point_passed: float
    point_failed: float


def draws(n: int, p: float, rng: random.Random) -> Callable[[], int]:
    """A function that draws from the binomial distribution of n rows at rate p."""
    whole = lgamma(n + 1)
    below = list(accumulate(
        exp(whole - lgamma(x + 1) - lgamma(n - x + 1) + x * log(p) + (n - x) * log(1 - p)) for x in range(n)))
    return lambda: bisect(below, rng.random())


def simulate(compare: str, n: int, truth: Sequence[float], runs: int, rng: random.Random) -> Rates:
    """Decide `runs` samples of len(truth) groups of n rows with these true rates."""
    k = len(truth)
    strict = ERROR / (k * (k - 1))

    @cache
    def decide(low: int, high: int) -> tuple[bool, bool, bool]:
        """Inside by the interval, outside by the interval, outside by the point: group with the lower count
        against the one with the higher."""
        if compare == "difference":
            return (newcombe(low, n, high, n, ERROR)[0] >= -0.1, newcombe(low, n, high, n, strict)[1] < -0.1,
                    10 * (high - low) > n)
        return (ratio(low, n, high, n, ERROR)[0] >= 0.8, ratio(low, n, high, n, strict)[1] < 0.8,
                10 * low < 8 * high)

    one_group = [draws(n, p, rng) for p in truth]
    passed = failed = point_failed = 0
    for _ in range(runs):
        counts = [draw() for draw in one_group]
        seen = [decide(a, b) for a, b in permutations(counts, 2) if a <= b]
        passed += all(s[0] for s in seen)
        failed += any(s[1] for s in seen)
        point_failed += any(s[2] for s in seen)
    return Rates(passed / runs, failed / runs, 1 - point_failed / runs, point_failed / runs)


def truths(compare: str, k: int, share: float) -> list[float]:
    """k true rates from the base rate down, evenly; `share` 1 reaches the limit, 0 is equality."""
    lowest = BASE - 0.1 * share if compare == "difference" else BASE * (1 - 0.2 * share)
    return [BASE + (lowest - BASE) * i / (k - 1) for i in range(k)]


def main(argv: Sequence[str] | None = None) -> int:
    """0 when every rate of the interval decision stays within what is stated, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    rng = random.Random(args.seed)
    print(f"declared one-sided error {ERROR}, {args.runs} runs a line, base rate {BASE}\n")
    print(f"{'':<22} | {'truth at the limit':^43} | {'truth half-way':^21}")
    print(f"{'limit':<10}{'k':>4}{'n':>8} | {'wrong PASS':>10}{'wrong FAIL':>11}{'point PASS':>11}"
          f"{'point FAIL':>11} | {'wrong FAIL':>10}{'point FAIL':>11}")
    worst = 0.0
    for compare, k, n in CASES:
        at = simulate(compare, n, truths(compare, k, 1.0), args.runs, rng)
        half = simulate(compare, n, truths(compare, k, 0.5), args.runs, rng)
        worst = max(worst, at.passed, at.failed, half.failed)
        limit = "gap .10" if compare == "difference" else "ratio .80"
        print(f"{limit:<10}{k:>4}{n:>8} | {at.passed:>10.3f}{at.failed:>11.3f}{at.point_passed:>11.3f}"
              f"{at.point_failed:>11.3f} | {half.failed:>10.3f}{half.point_failed:>11.3f}")
    print(f"\nworst rate of the interval decision {worst:.3f} = {worst / ERROR:.2f} × declared")
    return int(worst > STATED)


if __name__ == "__main__":
    sys.exit(main())
