"""The script a user would write today instead of `govern report`, with the same content.

fairlearn's MetricFrame over sex, race and both (with bootstrap intervals when --boot is not 0), ROC,
calibration and score charts by matplotlib, SHAP values of 1,000 rows, a jinja2 page and WeasyPrint's PDF.

    python bench/peer.py MODEL.pkl EVAL.parquet OUT [--boot 100]
"""

from __future__ import annotations

import argparse
import base64
import io
import warnings
from functools import partial
from pathlib import Path

warnings.simplefilter("ignore")

import jinja2  # noqa: E402
import joblib  # noqa: E402
import matplotlib  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import shap  # noqa: E402
import weasyprint  # noqa: E402
from fairlearn import metrics as fm  # noqa: E402
from sklearn.calibration import calibration_curve  # noqa: E402
from sklearn.metrics import accuracy_score, precision_score, roc_auc_score, roc_curve  # noqa: E402

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

LABEL, SENSITIVE, SHAP_ROWS = "income", ["sex", "race"], 1_000
METRICS = {
    "count": fm.count, "selection_rate": fm.selection_rate, "accuracy": accuracy_score,
    "tpr": fm.true_positive_rate, "fpr": fm.false_positive_rate, "fnr": fm.false_negative_rate,
    "tnr": fm.true_negative_rate, "precision": partial(precision_score, zero_division=0),
}
PAGE = """<!doctype html><html lang=en><meta charset=utf-8><title>Model card</title><style>
body{font-family:sans-serif;font-size:10pt} table{border-collapse:collapse;width:100%;font-size:8pt}
td,th{border:1px solid #bbb;padding:2px 4px;text-align:right} h2{page-break-before:always} img{width:100%}
</style><h1>Model card</h1><p>{{ n }} rows.
{% for k, v in overall.items() %}{{ k }} {{ "%.4f"|format(v) }}; {% endfor %}
{% for title, pictures, table in sections %}<h2>{{ title }}</h2>
{% for p in pictures %}<img src="data:image/png;base64,{{ p }}">{% endfor %}{{ table }}{% endfor %}</html>"""


def png(figure: plt.Figure) -> str:
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=110, bbox_inches="tight")
    plt.close(figure)
    return base64.b64encode(held.getvalue()).decode()


def performance(y: np.ndarray, score: np.ndarray) -> str:
    figure, (roc, calibration, scores) = plt.subplots(1, 3, figsize=(12, 4))
    roc.plot(*roc_curve(y, score)[:2])
    calibration.plot(*calibration_curve(y, score, n_bins=10)[::-1], "o-")
    scores.hist(score, 50)
    return png(figure)


def fairness(frame: fm.MetricFrame, boot: int) -> tuple[str, str]:
    """The picture and the table of one grouping, with intervals where there are any."""
    values = frame.by_group.astype(float)
    labels = ["/".join(i) if isinstance(i, tuple) else str(i) for i in values.index]
    table, errors = values.round(4), dict.fromkeys(values.columns)
    for name in values.columns if boot else ():
        low, high = (q[name].astype(float) for q in frame.by_group_ci)
        errors[name] = np.abs(np.stack([values[name] - low, high - values[name]]))
        table[f"{name} interval"] = [f"[{a:.3f}, {b:.3f}]" for a, b in zip(low, high, strict=True)]
    figure, axes = plt.subplots(2, 4, figsize=(14, 6))
    for axis, name in zip(axes.ravel(), values.columns, strict=True):
        axis.barh(labels, values[name], xerr=errors[name])
        axis.set_title(name)
    figure.tight_layout()
    return png(figure), table.to_html()


def attributions(model: object, features: pd.DataFrame) -> list[str]:
    encoded = np.asarray(model[:-1].transform(features.iloc[:SHAP_ROWS]), float)
    values = shap.TreeExplainer(model[-1]).shap_values(encoded)
    values = values[1] if isinstance(values, list) else values
    pictures = []
    for kind in ("bar", "dot"):
        plt.figure()
        shap.summary_plot(values, encoded, plot_type=kind, show=False)
        pictures.append(png(plt.gcf()))
    return pictures


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--boot", type=int, default=0)
    asked = parser.parse_args()

    data, model = pd.read_parquet(asked.data), joblib.load(asked.model)
    y, features = data[LABEL].to_numpy(), data[list(model.feature_names_in_)]
    score = model.predict_proba(features)[:, 1]
    decided = (score >= 0.5).astype(int)
    asked_intervals = {"n_boot": asked.boot, "ci_quantiles": [0.025, 0.975], "random_state": 0}
    intervals = asked_intervals if asked.boot else {}
    frames = {
        " and ".join(by): fm.MetricFrame(
            metrics=METRICS, y_true=y, y_pred=decided, sensitive_features=data[by], **intervals)
        for by in ([SENSITIVE[0]], [SENSITIVE[1]], SENSITIVE)
    }
    overall = frames["sex"].overall.astype(float).to_dict() | {"roc_auc": roc_auc_score(y, score)}
    sections = [("Performance", [performance(y, score)], pd.Series(overall).to_frame("value").to_html())]
    for by, frame in frames.items():
        picture, table = fairness(frame, asked.boot)
        sections.append((f"By {by}", [picture], table))
    sections.append(("Explanation", attributions(model, features), ""))

    page = jinja2.Environment(autoescape=False).from_string(PAGE)
    html = page.render(n=len(data), overall=overall, sections=sections)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "card.html").write_text(html, encoding="utf-8")
    weasyprint.HTML(string=html).write_pdf(asked.out / "card.pdf")


if __name__ == "__main__":
    main()
