"""Makes a census-like evaluation set and a LightGBM pipeline, from a seed.

    python bench/data.py OUT --rows 50000

Writes OUT/eval.parquet (12 features, 6 of them categories; sex, race; label `income`, base rate about
0.17; the smallest race has under 1 % of the rows) and OUT/model.pkl (200 trees of 31 leaves, trained on
50,000 other rows; sex and race are not features).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

LABEL = "income"
TRAIN_ROWS = 50_000

# Column: level → share of the rows.
LEVELS: dict[str, dict[str, float]] = {
    "sex": {"men": 0.67, "women": 0.33},
    "race": {"white": 0.854, "black": 0.096, "asian": 0.031, "native": 0.0105, "other": 0.0085},
    "workclass": {"private": 0.70, "own": 0.11, "local": 0.08, "state": 0.05, "federal": 0.03, "none": 0.03},
    "schooling": {"school": 0.32, "college": 0.22, "bachelor": 0.17, "associate": 0.10, "master": 0.08,
                  "some school": 0.08, "doctor": 0.03},
    "marital": {"married": 0.47, "single": 0.33, "divorced": 0.14, "widowed": 0.03, "separated": 0.03},
    "occupation": dict.fromkeys(["tech", "craft", "executive", "clerk", "sales", "service", "machine",
                                 "transport", "farming", "other"], 0.1),
    "household": {"head": 0.40, "partner": 0.20, "child": 0.15, "alone": 0.15, "other": 0.10},
    "region": {"north": 0.40, "south": 0.30, "west": 0.20, "abroad": 0.10},
}
CATEGORIES = [name for name in LEVELS if name not in ("sex", "race")]
NUMBERS = ["age", "weight", "school_years", "gain", "loss", "hours"]


def rows(n: int, seed: int) -> pd.DataFrame:
    """`n` rows with features, sensitive features and the label."""
    rng = np.random.default_rng(seed)
    code = {name: rng.choice(len(p), n, p=list(p.values())) for name, p in LEVELS.items()}
    age = np.clip(rng.gamma(6.5, 6.0, n), 17, 90).round()
    school = np.array([9, 11, 13, 12, 15, 7, 17])[code["schooling"]] + rng.integers(0, 2, n)
    hours = np.clip(rng.normal(40, 12, n) + 3 * (code["sex"] == 0), 1, 99).round()
    gain = np.where(rng.random(n) < 0.085, rng.lognormal(8.5, 1.2, n), 0).clip(0, 99_999).round()
    loss = np.where(rng.random(n) < 0.047, rng.normal(1_870, 380, n), 0).clip(0, 4_400).round()
    logit = (
        -6.3 + 0.30 * school + 0.045 * (age - 38) - 0.0012 * (age - 38) ** 2 + 0.03 * (hours - 40)
        + 1.1 * (code["marital"] == 0) + 0.55 * (code["sex"] == 0) - 0.35 * (code["race"] == 1)
        - 0.4 * (code["race"] == 3) + 0.25 * np.isin(code["occupation"], [0, 2])
        - 0.25 * np.isin(code["occupation"], [5, 8]) + 0.00025 * np.minimum(gain, 15_000) + 0.0003 * loss
        + 0.35 * (code["workclass"] == 4) - 0.2 * (code["region"] == 3) + 0.3 * (school > 12) * (hours > 45)
    )
    weight = rng.lognormal(12.0, 0.55, n).round()
    numbers = {"age": age, "weight": weight, "school_years": school, "gain": gain, "loss": loss,
               "hours": hours}
    texts = {name: pd.Categorical.from_codes(code[name], list(p)) for name, p in LEVELS.items()}
    label = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype("int8")
    return pd.DataFrame({**numbers, **texts, LABEL: label})


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    train = rows(TRAIN_ROWS, asked.seed + 1)
    encoder = OrdinalEncoder(categories=[list(LEVELS[name]) for name in CATEGORIES])
    model = make_pipeline(
        ColumnTransformer([("numbers", "passthrough", NUMBERS), ("categories", encoder, CATEGORIES)]),
        LGBMClassifier(n_estimators=200, num_leaves=31, random_state=asked.seed, verbose=-1),
    )
    model.fit(train[NUMBERS + CATEGORIES], train[LABEL])
    joblib.dump(model, asked.out / "model.pkl")
    rows(asked.rows, asked.seed).to_parquet(asked.out / "eval.parquet", index=False)


if __name__ == "__main__":
    main()
