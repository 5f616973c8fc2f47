"""What a pass costs beside the bare reading, DuckDB and the bare model, and how it grows.

    pip install -r bench/requirements.txt duckdb
    python bench/scale.py                 # 10,000,000 rows of predictions, 1,000,000 through a model
    python bench/scale.py --rows 1000000 --model-rows 100000

Each figure is the median of interleaved runs in fresh processes with one thread a side; tasks without a model are
timed the second time they run there. Memory is the peak of the process. The 100-fold case reads the same files
again under other names.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
ENVIRONMENT = {k: v for k, v in os.environ.items()
               if k not in {"PYTHONDONTWRITEBYTECODE", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}}
# LightGBM's scikit-learn interface asks joblib how many cores there are, whatever OpenMP was told.
ENVIRONMENT |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LOKY_MAX_CPU_COUNT": "1"}
LEVELS = {"sex": (0.67, 0.33), "race": (0.854, 0.096, 0.031, 0.0105, 0.0085), "age": (0.15, 0.2, 0.4, 0.25)}
COUNTED = [*LEVELS, "y", "pred"]
FILE_ROWS = 1_000_000


def make(out: Path, rows: int, groups: int = 0) -> None:
    """Predictions in Parquet files of a million rows: sex, race, age band, label, predicted label, score."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    out.mkdir()
    levels = LEVELS if not groups else {"group": (1 / groups,) * groups}
    for i in range(math.ceil(rows / FILE_ROWS)):
        rng = np.random.default_rng(i)
        n = min(FILE_ROWS, rows - i * FILE_ROWS)
        y = rng.random(n) < 0.17
        score = rng.beta(1 + 2 * y, 4)
        table = {name: pa.DictionaryArray.from_arrays(rng.choice(len(p), n, p=p).astype(np.int16),
                                                      [f"{name} {k}" for k in range(len(p))])
                 for name, p in levels.items()}
        pq.write_table(pa.table({**table, "y": y.astype(np.int8), "pred": (score > 0.5).astype(np.int8),
                                 "score": score}), out / f"part-{i:04d}.parquet")


def decode(folder: Path, columns: list[str]) -> None:
    """The bare reading of columns, as `govern` reads them: batch by batch."""
    import pyarrow.parquet as pq

    for file in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(file) as opened:
            for batch in opened.iter_batches(batch_size=65_536, columns=columns):
                batch.num_rows  # noqa: B018


def duck(folder: Path) -> None:
    """The same counts by DuckDB, on one thread."""
    import duckdb

    db = duckdb.connect()
    db.execute("set threads = 1")
    db.execute(f"select {', '.join(COUNTED)}, count(*) from '{folder}/*.parquet' group by all").fetchall()


def count(folder: Path, scored: bool, features: tuple[str, ...] = tuple(LEVELS)) -> int:
    """All counts by `features` with everything that the pass of `govern` does for them; with `scored` also the
    score metrics of every group of each feature, with intervals."""
    import numpy as np

    from govern.inputs.datasets import open_data
    from govern.inputs.levels import LevelCoder, numbers
    from govern.stats.cube import Cube, Levels
    from govern.stats.ranked import rank_rows
    from govern.stats.scores import by_groups

    source = open_data(folder)
    coders = {f: LevelCoder(f) for f in features}
    truth, predicted = LevelCoder("y"), LevelCoder("pred")
    cube = Cube(features, columns=int(scored))
    for batch in source.batches([*features, "y", "pred", *(["score"] if scored else [])]):
        codes = [c.codes(batch.column(f)) for f, c in coders.items()]
        score = numbers(batch.column("score"), "score")[:, None] if scored else None
        cube.add(codes, truth.codes(batch.column("y")), predicted.codes(batch.column("pred")), score=score)
    levels = Levels({f: c.levels for f, c in coders.items()},
                    {f: np.argsort(c.ordered()[1], kind="stable").tolist() for f, c in coders.items()})
    parts = [cube.partition((f,), levels) for f in features] + [cube.partition(features, levels)]
    for part in parts:
        cube.confusion(part, 2)
    if scored and cube.entries is not None:
        column = cube.entries.column(0, len(cube.faces))
        ranked = rank_rows(cube.faces[column.face, -1] == 1, column.score, column.n, column.w, column.w2,
                           binned=column.bins is not None)
        for part in parts[:-1]:
            by_groups(ranked, cube.of_face(part)[column.face], len(part))
    return int(cube.n.sum())


def predict(case: Path) -> None:
    """The bare model over the batches: import, load, Arrow to pandas, predict_proba."""
    import joblib
    import pyarrow.parquet as pq

    model = joblib.load(case / "model.pkl")
    for batch in pq.ParquetFile(case / "eval.parquet").iter_batches(batch_size=65_536):
        model.predict_proba(batch.to_pandas()[list(model.feature_names_in_)])


def measure(case: Path) -> None:
    """The whole `govern measure` but for explanation and timing, in its order: worker, settings, scan, pass."""
    from govern.worker.client import Worker

    with Worker() as worker:
        worker.preload(["numpy", "pandas"])
        from govern.inputs.config import load_settings
        from govern.measure import run
        from govern.measure.start import start

        settings = load_settings({"model.path": case / "model.pkl", "data.path": case / "eval.parquet",
                                  "data.target": "income", "data.threshold": 0.5, "data.positive": "1",
                                  "data.sensitive": ["sex", "race", "sex:race"]}, config=None, cwd=case)
        run.measure(settings, start(worker, settings), created="2026-01-01T00:00:00Z", timed=False,
                    progress=lambda *_: None, explained=False)


def fresh(task: str, *arguments: str) -> tuple[float, float]:
    """Seconds and peak MiB of one task in a process of its own; tasks with a model count their imports."""
    done = subprocess.run([sys.executable, __file__, "--task", task, *arguments], env=ENVIRONMENT, check=True,
                          capture_output=True, text=True)
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak


def side_by_side(title: str, tasks: dict[str, tuple[str, ...]], runs: int, aim: str) -> dict[str, float]:
    """Prints median seconds, peak memory and the ratio to the first of some tasks, run in turn."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in tasks}
    for _ in range(runs):
        for name, task in tasks.items():
            seen[name].append(fresh(*task))
    seconds = {name: median(s for s, _ in runs_) for name, runs_ in seen.items()}
    first = next(iter(seconds.values()))
    print(f"\n{title}; median of {runs} (aim: {aim})")
    for name, s in seconds.items():
        print(f"  {name:<34}{s:8.3f} s  {s / first:6.2f} ×  {max(m for _, m in seen[name]):7.0f} MiB peak")
    return seconds


def run_task(task: str, arguments: list[str]) -> None:
    """One task, timed after its imports; prints seconds and peak MiB as JSON."""
    import resource

    import pyarrow as pa

    pa.set_cpu_count(1)
    folder = Path(arguments[0])
    work: dict[str, Any] = {
        "decode": lambda: decode(folder, COUNTED), "decode scores": lambda: decode(folder, [*COUNTED, "score"]),
        "duck": lambda: duck(folder), "count": lambda: count(folder, False), "scores": lambda: count(folder, True),
        "group counts": lambda: count(folder, False, ("group",)),
        "group scores": lambda: count(folder, True, ("group",)),
        "predict": lambda: predict(folder), "measure": lambda: measure(folder),
        "metrics": lambda: rates_of(int(arguments[1])),
        "make": lambda: make(folder, int(arguments[1]), int(arguments[2])),
    }
    import pyarrow.parquet  # noqa: F401

    if task in ("count", "scores", "group counts", "group scores"):
        import govern.inputs.columnar
        import govern.inputs.levels
        import govern.measure.passing
        import govern.stats.cube
        import govern.stats.scores  # noqa: F401
    if task == "duck":
        import duckdb  # noqa: F401
    if task not in ("predict", "measure", "make"):
        work[task]()  # once to warm up, on every side
    started = time.perf_counter()
    work[task]()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1024)
    print(json.dumps([seconds, peak]))


def exponent(cases: list[tuple[float, float]]) -> float:
    """The exponent b of seconds = a · size^b by least squares on logarithms."""
    xs, ys = zip(*((math.log(x), math.log(y)) for x, y in cases), strict=True)
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / sum((x - mx) ** 2 for x in xs)


def rates_of(metrics: int, groups: int = 500) -> None:
    """The first `metrics` rates of so many groups, with intervals, from their counts."""
    from govern.evidence import Counts
    from govern.measure.rates import ALPHA, fraction
    from govern.metrics import COUNT_METRICS

    counts = [Counts(f"g{i}", 40 + i, 9 + i % 7, 11 + i % 5, 300 + i, 49 + i) for i in range(groups)]
    for metric in COUNT_METRICS[:metrics]:
        for c in counts:
            fraction(metric, c).bounds(ALPHA)


def growth(scratch: Path, rows: int, runs: int) -> None:
    """Prints seconds against rows and against groups, with the fitted exponent."""
    print("\ncost against rows, groups and metrics")
    for name, cases in (("rows", [(rows // 16, 0), (rows // 4, 0), (rows, 0)]),
                        ("groups", [(rows // 10, 5), (rows // 10, 50), (rows // 10, 500)])):
        for scored in (False, True):
            seen = []
            for n, groups in cases:
                folder = scratch / f"{n}-{groups}"
                if not folder.exists():
                    fresh("make", str(folder), str(n), str(groups))
                task = ("group " if groups else "") + ("scores" if scored else "counts" if groups else "count")
                seen.append((groups or n, median(fresh(task, str(folder))[0] for _ in range(runs))))
            shown = ", ".join(f"{x:,}: {s:.3f} s" for x, s in seen)
            print(f"  {name}, {'with scores' if scored else 'counts'}: {shown}; exponent {exponent(seen):.2f}")
    several = [(m, median(fresh("metrics", ".", str(m))[0] for _ in range(runs))) for m in (1, 4, 11)]
    shown = ", ".join(f"{m}: {1000 * s:.1f} ms" for m, s in several)
    print(f"  metrics, intervals of 500 groups: {shown}; exponent {exponent(several):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--model-rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.task:
        run_task(asked.task, asked.arguments)
        return
    with tempfile.TemporaryDirectory(prefix="govern-bench-") as name:
        scratch = Path(name)
        whole, tenth, tenfold = scratch / f"{asked.rows}-0", scratch / "tenth", scratch / "tenfold"
        fresh("make", str(whole), str(asked.rows), "0")
        fresh("make", str(tenth), str(asked.rows // 10), "0")
        tenfold.mkdir()
        for i in range(10):
            for file in whole.iterdir():
                (tenfold / f"{i}-{file.name}").symlink_to(file)
        side_by_side(f"{asked.rows:,} rows of predictions, all counts by sex × race × age",
                     {"bare decode": ("decode", str(whole)), "govern": ("count", str(whole)),
                      "DuckDB GROUP BY": ("duck", str(whole))}, asked.runs,
                     "1.5 × decode and 1.2 × DuckDB")
        side_by_side("the same with the score metrics of every group",
                     {"bare decode": ("decode scores", str(whole)), "govern": ("scores", str(whole))}, asked.runs,
                     "4 × decode")
        print("\npeak memory, counts and score metrics (aim: 100-fold rows at most 1.1 times)")
        for rows, folder in ((asked.rows // 10, tenth), (asked.rows, whole), (asked.rows * 10, tenfold)):
            seconds, peak = fresh("scores", str(folder))
            print(f"  {rows:>13,} rows {peak:7.0f} MiB  {seconds:7.2f} s")
        growth(scratch, asked.rows, asked.runs)
        case = scratch / "model"
        subprocess.run([sys.executable, str(HERE / "data.py"), str(case), "--rows", str(asked.model_rows)],
                       env=ENVIRONMENT, check=True)
        side_by_side(f"{asked.model_rows:,} rows through gradient boosting",
                     {"bare predict_proba": ("predict", str(case)), "measure, no explanation": ("measure", str(case))},
                     asked.runs, "1.05 × the bare model")


if __name__ == "__main__":
    main()
