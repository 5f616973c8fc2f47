"""On real data, every number that scikit-learn or fairlearn defines is theirs to 1e-12, from rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fairlearn.metrics as fm
import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk

from govern.codec import load
from govern.evidence import EVIDENCE_SCHEMA, OVERALL, Evidence

EXACT = 1e-12


def check(evidence: Evidence, rows: pd.DataFrame, positive: Any, favourable: Any, pred: np.ndarray,
          score: np.ndarray, bands: dict[str, list[float]]) -> int:
    """Compare all measurements of groups and disparities with the libraries on rows; how many were compared."""
    target = evidence.settings["data"]["target"]
    y = (rows[target] == positive).to_numpy().astype(int)
    labels = {"selection_rate": lambda t, p: fm.selection_rate(t, p, pos_label=int(favourable == positive)),
              "true_positive_rate": fm.true_positive_rate, "false_positive_rate": fm.false_positive_rate,
              "false_negative_rate": fm.false_negative_rate, "true_negative_rate": fm.true_negative_rate,
              "accuracy": sk.accuracy_score, "precision": sk.precision_score}
    scored = {"roc_auc": sk.roc_auc_score, "average_precision": sk.average_precision_score,
              "log_loss": lambda t, s: sk.log_loss(t, s, labels=[0, 1]),
              "brier_score": sk.brier_score_loss}
    columns = {}
    quarters = {f"{name} (quarters)": name for name in bands}
    for name in {f for g in evidence.groups for f in g.features}:
        column = rows[quarters.get(name, name)]
        if name in quarters:
            ranked = np.sort(column.to_numpy())
            cuts = sorted({ranked[-(-len(ranked) * q // 4) - 1] for q in (1, 2, 3)})
            bands = bands | {name: cuts}
        if name in bands:
            codes = np.searchsorted(bands[name], column.to_numpy(), side="left")
            names = [g.values[0] for g in evidence.groups if g.features == (name,)]
            column = pd.Series([names[c] for c in codes])
        columns[name] = column.reset_index(drop=True).astype(object)
    compared = 0
    for group in evidence.groups:
        mask = np.ones(len(rows), bool)
        for feature, value in zip(group.features, group.values, strict=True):
            mask &= (columns[feature] == value).to_numpy()
        assert group.n == mask.sum() and group.n_positive == y[mask].sum()
        for metric, function in labels.items():
            found = evidence.find(metric, group.id)
            assert found is not None
            if found.status == "ok":
                assert found.value == pytest.approx(function(y[mask], pred[mask]), abs=EXACT), (metric, group)
                compared += 1
        for metric, function in scored.items():
            found = evidence.find(metric, group.id)
            assert found is not None
            if found.value is not None:
                assert found.value == pytest.approx(function(y[mask], score[mask]), abs=EXACT), (metric, group)
                compared += 1
    for features in evidence.feature_groups:
        sensitive = pd.DataFrame({f: columns[f] for f in features})
        if evidence.find("equalized_odds_difference", features=features).reason:  # type: ignore[union-attr]
            continue  # a group without positives or negatives: fairlearn counts it as 0, we name it
        selected = pred if favourable == positive else 1 - pred
        for metric, function, of in (
                ("demographic_parity_difference", fm.demographic_parity_difference, selected),
                ("demographic_parity_ratio", fm.demographic_parity_ratio, selected),
                ("equalized_odds_difference", fm.equalized_odds_difference, pred),
                ("equalized_odds_ratio", fm.equalized_odds_ratio, pred),
                ("equal_opportunity_difference", fm.equal_opportunity_difference, pred),
                ("equal_opportunity_ratio", fm.equal_opportunity_ratio, pred)):
            found = evidence.find(metric, features=features)
            assert found is not None
            if found.value is not None:
                assert found.value == pytest.approx(function(y, of, sensitive_features=sensitive), abs=EXACT), metric
                compared += 1
    return compared


@pytest.mark.filterwarnings("ignore")
def test_german_credit(govern: Any, german: Any) -> None:
    ran = govern("measure", *german.arguments, "--compute", "skip", "--out", "german-report", cwd=german.folder)
    assert (ran.code, ran.err.count("\n") > 0) == (0, True)
    evidence, _ = load(german.folder / "german-report" / "evidence.json", Evidence, EVIDENCE_SCHEMA)
    rows = pd.read_csv(german.folder / "eval.csv")
    model = joblib.load(german.folder / "model.joblib")
    score = model.predict_proba(rows[list(model.feature_names_in_)])[:, list(model.classes_).index("bad")]
    pred = (model.predict(rows[list(model.feature_names_in_)]) == "bad").astype(int)
    assert check(evidence, rows, "bad", "good", pred, score, {"age": [25, 40]}) > 100
    assert evidence.find("roc_auc", OVERALL).interval is not None  # type: ignore[union-attr]


@pytest.mark.filterwarnings("ignore")
def test_shipped_credit_data(govern: Any, tmp_path: Path) -> None:
    from govern.demo.train import prepare

    prepare(tmp_path / "demo")
    ran = govern("measure", "model.pkl", "--compute", "skip", "--quiet", cwd=tmp_path / "demo")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    evidence, _ = load(tmp_path / "demo" / "govern-report" / "evidence.json", Evidence, EVIDENCE_SCHEMA)
    rows = pd.read_parquet(tmp_path / "demo" / "eval.parquet")
    model = joblib.load(tmp_path / "demo" / "model.pkl")
    score = model.predict_proba(rows[list(model.feature_names_in_)])[:, 1]
    assert check(evidence, rows, 1, 0, (score >= 0.25).astype(int), score, {"age": [25, 35, 45, 60]}) > 400
