"""Whether the features that come first stay first: over other backgrounds and seeds, or over halves of the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from govern.explain.attributions import rank_correlation
from govern.explain.explained import Output

TOP: Final = 5
DRAWS: Final = 5
CLEAR: Final = 0.3

Floats = NDArray[np.float64]


def halves(outputs: Sequence[Output], numbers: Mapping[int, Floats], seed: int) -> float | None:
    """The stability over five random halves of the explained rows, see `overlap`; None below 2 rows a half."""
    n = len(outputs[0].outputs)
    if n < 4:
        return None
    random = np.random.default_rng(seed)
    drawn = [np.sort(random.permutation(n)[: n // 2]) for _ in range(DRAWS)]
    whole = [o.values for o in outputs]
    return overlap([(whole, numbers, [v[rows] for v in whole], {j: x[rows] for j, x in numbers.items()})
                    for rows in drawn])


def over_backgrounds(outputs: Sequence[Output], drawn: Sequence[Sequence[Output]], numbers: Mapping[int, Floats]
                     ) -> float | None:
    """The stability over explanations of the first of the same rows against other backgrounds, with other seeds; None
    without any."""
    pairs = []
    for other in drawn:
        n = len(other[0].outputs)
        head = {j: x[:n] for j, x in numbers.items()}
        pairs.append(([o.values[:n] for o in outputs], head, [o.values for o in other], head))
    return overlap(pairs) if pairs else None


_Explained = tuple[Sequence[Floats], Mapping[int, Floats], Sequence[Floats], Mapping[int, Floats]]


def overlap(pairs: Sequence[_Explained]) -> float:
    """The mean share, 0 to 1, of the five features of the largest mean |contribution| that are among the five largest
    in another explanation too and whose direction does not turn: a clear one, at 0.3 or beyond, to a clear opposite.

    A pair holds the contributions of each output, (n_rows, n_features), with the numbers of the features that have
    any, and the same of the other explanation. Directions are those of a single output.
    """
    shares = []
    for values, numbers, other, other_numbers in pairs:
        first, second = _first(values), _first(other)
        stay = [j for j in first if j in second and not (
            len(values) == 1 and j in numbers
            and _turned(numbers[j], values[0][:, j], other_numbers[j], other[0][:, j]))]
        shares.append(len(stay) / len(first) if first else 1.0)
    return float(np.mean(shares))


def _first(values: Sequence[Floats]) -> list[int]:
    large = np.mean([np.abs(v).mean(axis=0) for v in values], axis=0)
    return sorted(range(len(large)), key=lambda j: (-large[j], j))[:TOP]


def _turned(x: Floats, y: Floats, other_x: Floats, other_y: Floats) -> bool:
    one, two = rank_correlation(x, y), rank_correlation(other_x, other_y)
    return one is not None and two is not None and min(abs(one), abs(two)) >= CLEAR and one * two < 0
