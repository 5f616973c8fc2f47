"""How well proxies are found, beside scikit-learn's boosting; how often noise is listed, whether intervals hold; cost.

    python bench/proxies.py                         # about two minutes on one core
    python bench/proxies.py --seeds 20 --draws 50   # about half a minute

Areas under the ROC curve of all features together are of the same folds and rows for both; the time of scikit-learn
is that of fitting its models, one for each group. Rows are those of the shipped credit data, which are no features of
the sensitive feature, and made ones.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from govern.demo.train import SENSITIVE, TARGET, split
from govern.explain.coded import coded, cuttable
from govern.explain.proxies import proxies
from govern.stats.fold_areas import FOLDS, folds

ROWS = 1000
LEVEL = 0.95


def found(columns: dict[str, Any], groups: dict[str, Any]) -> Any:
    """The proxies of made or read columns."""
    return proxies(pa.table(columns), list(columns), {k: list(v) for k, v in groups.items()}, {}, seed=0, level=LEVEL)


def credit(seed: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """1,000 rows of the credit data: features, and sensitive features with age in bands."""
    _, rows = split()
    rows = rows.take(pa.array(np.random.default_rng(seed).choice(rows.num_rows, ROWS, replace=False)))
    columns = {name: rows.column(name) for name in rows.column_names if name not in (*SENSITIVE, TARGET)}
    groups = {name: np.array(rows.column(name).to_pylist()) for name in SENSITIVE}
    return columns, groups | {"age": np.digitize(groups["age"], [25, 35, 45, 60]).astype(str)}


def cases(seed: int) -> Iterator[tuple[str, dict[str, Any], np.ndarray]]:
    """Name, columns and groups of each case."""
    columns, groups = credit(seed)
    yield from ((f"credit, {name}", columns, groups[name]) for name in groups)
    rng = np.random.default_rng(seed)
    group = rng.random(ROWS) < 0.4
    noise = {f"x{i}": rng.normal(size=ROWS) for i in range(12)}
    shifted = {name: values + 0.3 * group * (i < 6) for i, (name, values) in enumerate(noise.items())}
    yield "six shifted by .3", shifted, group.astype(str)
    side = rng.random(ROWS) < 0.5
    two = noise | {"x0": np.where(side, 1, -1) + 0.5 * noise["x0"],
                   "x1": np.where(side == group, 1, -1) + 0.5 * noise["x1"]}
    yield "two only together", two, group.astype(str)
    yield "wider in one group", noise | {"x0": noise["x0"] * (1 + group)}, group.astype(str)


def theirs(columns: dict[str, Any], group: np.ndarray) -> tuple[float, float]:
    """The largest area over the groups of scikit-learn's boosting in the same folds, and its seconds."""
    names, code = np.unique(group, return_inverse=True)
    parts = [coded(pa.table({"x": c}).column("x").combine_chunks()) for c in columns.values()]
    x = np.array([cut for part in parts if part is not None for cut in cuttable(part)]).T
    fold, best, start = folds(code, None), 0.0, time.process_time()
    for g in range(len(names) if len(names) > 2 else 1):
        y = code == g
        if min(y.sum(), (~y).sum()) < 20:
            continue
        areas, pairs = [], []
        for f in range(FOLDS):
            out = fold == f
            model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, learning_rate=0.07, random_state=0)
            score = model.fit(x[~out], y[~out]).predict_proba(x[out])[:, 1]
            areas.append(roc_auc_score(y[out], score))
            pairs.append(float(y[out].sum()) * float((~y[out]).sum()))
        best = max(best, float(np.average(areas, weights=pairs)))
    return best, time.process_time() - start


def quality(seeds: int) -> None:
    """Prints areas and times of both."""
    kept: dict[str, list[tuple[float, float, float, float]]] = {}
    for seed in range(seeds):
        for name, columns, group in cases(seed):
            start = time.process_time()
            own = found(columns, {"s": group})[0].value
            taken = time.process_time() - start
            kept.setdefault(name, []).append((own, *theirs(columns, group), taken))
    print(f"Features together, mean area over {seeds} draws of {ROWS} rows: ours, scikit-learn's; seconds of each")
    for name, values in kept.items():
        own, other, slow, fast = np.mean(values, axis=0)
        print(f"  {name:<20} {own:.3f}  {other:.3f}   {fast:.3f} (every column alone among it)  {slow:.2f}: "
              f"{slow / fast:.0f} times")


def noise(seeds: int) -> None:
    """Prints how often a planted proxy is first and noise is taken for one."""
    first = listed = 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        code = rng.choice(4, ROWS, p=[0.55, 0.3, 0.1, 0.05])
        columns = {f"x{i}": rng.normal(size=ROWS) for i in range(9)} | {
            f"t{i}": rng.integers(0, 12, ROWS).astype(str) for i in range(2)} | {"copy": code + rng.normal(size=ROWS)}
        of = found(columns, {"s": code.astype(str)})
        first += of[1].column == "copy" and of[1].revealing
        listed += any(p.revealing for p in of[1:] if p.column != "copy")
    print(f"Planted proxy revealing and first in {first} of {seeds} seeds; noise revealing in {listed}")


def intervals(draws: int) -> None:
    """Prints how often the lower end is above ½ where nothing is predicted, and how often the value of the best score
    (a shift by one standard deviation) is held."""
    for shares in ((0.5, 0.5), (0.92, 0.08), (0.4, 0.3, 0.2, 0.1)):
        above = np.zeros(2)
        held = 0
        for seed in range(draws):
            rng = np.random.default_rng(seed)
            code = rng.choice(len(shares), ROWS, p=shares)
            columns = {f"x{i}": rng.normal(size=ROWS) for i in range(3)}
            of = found(columns, {"s": code.astype(str)})
            above += of[0].low > 0.5, np.mean([p.low > 0.5 for p in of[1:]])
            shifted = found({"x": rng.normal(size=ROWS) + (code == len(shares) - 1)}, {"s": code.astype(str)})[1]
            held += shifted.low <= 0.760 <= shifted.high
        print(f"  groups of {shares}: lower end above ½ without any relation: together {above[0] / draws:.3f}, alone "
              f"{above[1] / draws:.3f} (at most .025 is meant); alone, the area .760 held in {held / draws:.3f}")


def cost() -> None:
    """Prints the time of the demonstration's four sensitive features, and of 300 features and 20 groups."""
    columns, groups = credit(0)
    rng = np.random.default_rng(0)
    many = {f"x{i}": rng.normal(size=ROWS) for i in range(250)} | {
        f"t{i}": rng.integers(0, 30, ROWS).astype(str) for i in range(50)}
    for name, of, by in (("18 features, 4 sensitive features of 2 to 5 groups", columns, groups),
                         ("300 features, 20 groups", many, {"s": rng.integers(0, 20, ROWS).astype(str)})):
        taken = []
        for _ in range(3):
            start = time.process_time()
            found(of, by)
            taken.append(time.process_time() - start)
        print(f"  {name}: {min(taken):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100, help="of noise; a tenth of them of quality")
    parser.add_argument("--draws", type=int, default=200)
    asked = parser.parse_args()
    print("Seconds of one core")
    cost()
    quality(max(3, asked.seeds // 10))
    noise(asked.seeds)
    print(f"Intervals, {asked.draws} draws")
    intervals(asked.draws)


if __name__ == "__main__":
    main()
