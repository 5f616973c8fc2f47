"""How far mean absolute contributions from a sample are from those of all rows, in strata and plainly.

    pip install -r bench/requirements.txt
    python bench/importance.py                      # 50,000 rows, 300 draws of 1,000, 2,000 and 10,000 rows
    python bench/importance.py --rows 20000 --draws 100

Makes its data and model (bench/data.py), has LightGBM explain every row once, and draws samples of the rows. For each
size it prints the worst error of the ten largest means beside the one that is stated, how often the interval of each
feature holds the mean of all rows, how many places are called settled and how often one of them is wrong.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pyarrow.parquet as pq

from govern.dataset import Column
from govern.explain.sampling import TOP, Sampled, error, means, settled, strata
from govern.inputs.levels import level_text
from govern.measure.datafacts import Facts, coded_texts

LEVEL = 0.95
Z = 1.959964


def columns_of(table: Any, names: list[str]) -> tuple[dict[str, Column], dict[str, Any]]:
    """Facts of the columns and the values that strata are made of."""
    facts = Facts(dict.fromkeys(names, "feature"), seed=0)
    for batch in table.select(names).to_batches():
        facts.add(coded_texts(batch))
    columns = {name: facts.columns[name].result() for name in names}
    values = {name: table[name].to_numpy().astype(float) if columns[name].kind == "number" else
              np.array([level_text(v) for v in table[name].to_pylist()], object) for name in names}
    return columns, values


def contributions(folder: Path) -> tuple[list[str], np.ndarray]:
    """The features and the contributions of all rows in their order, (n_rows, n_features)."""
    model, data = joblib.load(folder / "model.pkl"), pq.read_table(folder / "eval.parquet")
    names = list(model.feature_names_in_)
    encoded = [n.rpartition("__")[2] for n in model[:-1].get_feature_names_out()]
    features = model[:-1].transform(data.select(names).to_pandas())
    found = model[-1].booster_.predict(features, pred_contrib=True)[:, :-1]
    return names, found[:, [encoded.index(n) for n in names]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 2000, 10_000])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="govern-bench-") as scratch:
        folder = Path(scratch)
        subprocess.run([sys.executable, str(Path(__file__).parent / "data.py"), scratch, "--rows", str(asked.rows)],
                       check=True)
        names, values = contributions(folder)
        columns, held = columns_of(pq.read_table(folder / "eval.parquet"), names)
    size = np.abs(values)
    truth, random = size.mean(axis=0), np.random.default_rng(0)
    order = sorted(range(len(names)), key=lambda j: -truth[j])
    first = order[:TOP]
    print(f"{len(size):,} rows, {len(names)} features, {asked.draws} draws; percent of the mean over all rows")
    for n in asked.sizes:
        worst, plain, stated, places, wrong, kept = [], [], [], [], 0, 0
        covered = np.zeros(len(names))
        for _ in range(asked.draws):
            rows = random.choice(len(size), n, replace=False)
            made = {j: s and s.merged(n) for j, s in enumerate(
                strata(columns[name], held[name][rows], len(size)) for name in names)}
            found = means(size[rows], Sampled(len(size), {j: s for j, s in made.items() if s is not None}))
            own = sorted(range(len(names)), key=lambda j, found=found: -found.value[j])
            worst.append((np.abs(found.value - truth) / truth)[first].max())
            plain.append((np.abs(size[rows].mean(axis=0) - truth) / truth)[first].max())
            stated.append(error(found, own, LEVEL))
            covered += np.abs(found.value - truth) <= Z * found.sampling_errors()
            places.append(settled(found, own, LEVEL, 2))
            kept += worst[-1] <= stated[-1]
            wrong += own[: places[-1]] != order[: places[-1]]
        shown = [f"{100 * np.median(e):.1f} and {100 * np.quantile(e, 0.95):.1f}" for e in (plain, worst)]
        print(f"  {n:>6,} rows: worst of ten, median and 95th percentile: plain {shown[0]}, in strata {shown[1]}; "
              f"stated {100 * np.median(stated):.1f}, kept in {kept / asked.draws:.3f}; intervals of single features "
              f"covered {covered.min() / asked.draws:.3f} to "
              f"{covered.max() / asked.draws:.3f}; settled {np.mean(places):.1f} places, wrong in {wrong}")


if __name__ == "__main__":
    main()
