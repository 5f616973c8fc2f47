"""Makes the demonstration's folder: a trained model, its evaluation data and a `govern.yaml`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from govern.codec import write_files

HERE = Path(__file__).parent
DATA = HERE / "credit.csv.gz"
SETTINGS = HERE / "govern.yaml"
TARGET = "default"
SENSITIVE = ("sex", "age", "education", "marriage")
TRAIN_ROWS = 15_000
SEED = 0


def split() -> tuple[pa.Table, pa.Table]:
    """The shipped rows as (training, evaluation) tables of 15,000 rows each, in file order.

    Rows are drawn by NumPy's legacy generator, whose stream is frozen (NEP 19), so every version of
    NumPy makes the same split.
    """
    rows = pyarrow.csv.read_csv(DATA)
    order = np.random.RandomState(SEED).permutation(rows.num_rows)
    train, evaluation = np.sort(order[:TRAIN_ROWS]), np.sort(order[TRAIN_ROWS:])
    return rows.take(pa.array(train)), rows.take(pa.array(evaluation))


def prepare(folder: Path) -> None:
    """Writes `model.pkl`, `eval.parquet` and `govern.yaml` into `folder`, the same bytes every time.

    Afterwards `cd FOLDER && govern report model.pkl` measures the model. The sensitive features are in
    the evaluation data but are not features of the model. Raises InputError when the folder cannot be
    written.
    """
    train, evaluation = split()
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(evaluation, sink)
    write_files(folder, {
        "model.pkl": _trained(train),
        "eval.parquet": sink.getvalue().to_pybytes(),
        "govern.yaml": SETTINGS.read_bytes(),
    })


def _trained(train: pa.Table) -> bytes:
    """The pickled model: a small gradient boosting of the probability that the next payment defaults."""
    import pickle

    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    features = train.drop_columns([TARGET, *SENSITIVE]).to_pandas()
    # One thread, because the model remembers the number of threads and its file would differ by machine.
    with threadpool_limits(limits=1):
        model = HistGradientBoostingClassifier(
            max_iter=80, max_leaf_nodes=8, learning_rate=0.08, early_stopping=False, random_state=SEED
        )
        model.fit(features, train[TARGET].to_numpy())
    return pickle.dumps(model, protocol=5)
