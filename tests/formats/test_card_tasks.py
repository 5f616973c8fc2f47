"""The card and the terminal for every task, for weights, control features, odd groups, curves and sweeps."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample
import task_sample
from test_html import Reader, card

from govern.codec import as_stored
from govern.evidence import OVERALL, Evidence, Interval, Measurement, Subgroup
from govern.formats.html import on_paper, paper_style
from govern.formats.pdflayout import as_xml
from govern.formats.strings import strings
from govern.formats.text import summary
from govern.verdict import Comparison, Settle

WRONG = re.compile(r"\b(nan|None|inf|Cell|Table)\b")
MADE = {
    "multiclass": task_sample.multiclass, "favourable": lambda: task_sample.multiclass(favourable="high"),
    "many": lambda: task_sample.multiclass(classes=[f"class {i}" for i in range(30)]),
    "regression": task_sample.regression, "small": lambda: task_sample.regression(unit=0.0012),
    "weighted": lambda: task_sample.weighted(sample.evidence()), "everything": task_sample.everything,
}


def text_of(e: Evidence, **verdict: object) -> str:
    found = sample.findings(sample.evidence()) if e.task == "binary" else ()
    return Reader(card(e, sample.verdict(e, found=found, **verdict))).text  # type: ignore[arg-type]


@pytest.mark.parametrize("which", MADE)
def test_every_task_renders_with_and_without_a_verdict(which: str) -> None:
    e, _ = as_stored(MADE[which]())
    for text in (text_of(e), Reader(card(e, compute=False)).text):
        assert not WRONG.search(text)
        p = e.population
        population = f"{p.read:,} rows read = {p.used:,} used + {p.read - p.used} excluded."
        assert text.count(population) == 2  # page 1 and the data section
    plain = summary(e, None, {}, out="x").plain
    assert f"{e.population.used:,} rows" in plain


def tree(element: ElementTree.Element) -> tuple[object, ...]:
    """An element with everything in it; empty text is none."""
    return element.tag, element.attrib, element.text or "", [(tree(e), (e.tail or "").strip()) for e in element]


@pytest.mark.parametrize("which", MADE)
def test_every_card_is_xml_to_the_fast_parser_and_the_same_to_that_of_html(which: str) -> None:
    """pdf.py reads a card as XML: a template with an open element, or without a tbody, would be slow or differ."""
    tinyhtml5 = pytest.importorskip("tinyhtml5")
    page = on_paper(card(MADE[which]())).replace(paper_style(), "")
    whole = tree(tinyhtml5.parse(page, namespace_html_elements=False))
    assert tree(ElementTree.fromstring(as_xml(page)))[3] == whole[3]


@pytest.mark.parametrize("which", ["multiclass", "regression", "everything"])
def test_groups_without_features(which: str) -> None:
    e = MADE[which]()
    e = replace(e, groups=e.groups[:1], counts=tuple(c for c in e.counts if c.group == OVERALL), subgroups=(),
                measurements=tuple(m for m in e.measurements if m.group == OVERALL and not m.features))
    assert "No sensitive feature was given" in Reader(card(e)).text


def test_multiclass_shows_classes_confusion_and_no_favourable_outcome() -> None:
    e = task_sample.multiclass()
    text = text_of(e)
    for part in ("Each class against all others", "Predictions and labels", "How often each class is predicted",
                 "No favourable class of default was named", "one of 3 classes", "Curves by class"):
        assert part in text
    matrix = next(c for c in e.confusions if c.group == OVERALL).n
    for label, row in zip(task_sample.CLASSES, matrix, strict=True):
        assert f" {label} {' '.join(str(x) for x in row)} {sum(row)}" in text
    rate = e.find("selection_rate", "g2", label="low")
    assert rate is not None and rate.value is not None
    assert f"{100 * rate.value:.1f}" in text
    assert "predicted right in" in text and "against" in text  # women are predicted right less often
    assert "favourable outcome" not in text


def test_multiclass_with_a_favourable_class_is_compared_by_who_receives_it() -> None:
    e = task_sample.multiclass(favourable="high")
    text = text_of(e)
    counts = e.counts_by_label["g2", "high"]
    assert f" {counts.tp + counts.fn} {counts.selected} " in text  # rows of the class, rows predicted to be of it
    assert f"{counts.tp}/{counts.fp}/{counts.fn}/{counts.tn}" in text.replace("\u200b", "")
    assert "favourable outcome (default = high)" in text
    assert "How often each class is predicted" not in text
    assert "Disparities" in text


def test_many_classes_stay_bounded() -> None:
    page = card(MADE["many"]())
    text = Reader(page).text
    assert "The matrix of 30 classes is in evidence.json." in text
    assert "10 less frequent classes are in evidence.json." in text
    assert "Shown are the 6 classes in which the groups lie furthest apart" in text
    assert len(page) < 215_000


@pytest.mark.parametrize(("unit", "digits"), [(10_000.0, 0), (0.0012, 5)])
def test_regression_numbers_have_the_digits_they_deserve(unit: float, digits: int) -> None:
    e = task_sample.regression(unit=unit)
    text = text_of(e)
    m = e.find("mean_prediction", "g2")
    assert m is not None and m.value is not None
    assert f"{m.value:,.{digits}f}" in text
    assert "Predictions and errors by group" in text
    assert "mean prediction" in text and "Bias above 0: predicted too high" in text
    assert "sex women: mean prediction" in text  # page one
    assert "ROC AUC" not in text and "selection rate" not in text and "tp /" not in text


@pytest.mark.parametrize("which", ["multiclass", "regression"])
def test_every_task_is_explained(which: str) -> None:
    text = text_of(MADE[which]())
    assert "over 900 rows; permutations; background: rows of a sample of the data (30 rows)" in text
    assert "No explanation was measured." not in text


def test_every_odd_group_has_a_row_with_counts_and_status() -> None:
    e = task_sample.odd_groups(sample.evidence())
    text = text_of(e)
    for name, status, n, selected in (("(unknown)", "declared unknown", 18, 11), ("17", "not a declared level", 52, 44),
                                      ("99 or more", "in no row", 0, 0), ("80–98", "one label only", 41, 30)):
        assert re.search(rf"{re.escape(name)} {status} {n} \d+ {selected} ", text), name
    for line in ("Unknown age: 18 rows", "Not among the declared levels: age 17 (52).",
                 "Declared, but in no row: age 99 or more (0).", "One label only: age 80–98 (41)."):
        assert line in text


def test_weights_and_repeated_persons_are_said_and_rows_stay_rows() -> None:
    e = task_sample.weighted(sample.evidence())
    text = text_of(e)
    assert "weighs its rows by “survey_weight”; counts of rows are plain rows." in text
    assert "Rows of the same “person” are not independent" in text
    assert "the 6,000 rows are worth about 3,000 independent rows of equal weight." in text
    assert "sums of weights" in text
    c = e.counts_by_group[OVERALL]
    assert f"{2.5 * c.selected:,.6g}".replace(",", "") in text.replace(",", "")
    assert f"{c.tp:,}" in text and "Rows, not weights." in text
    assert "a rate does not follow from counts of rows alone" in text
    assert "than at that group’s rate" not in text


def test_nothing_is_said_of_weights_without_them() -> None:
    assert "weigh" not in text_of(sample.evidence())


def test_groups_within_levels_of_a_control_feature() -> None:
    text = text_of(task_sample.controlled(sample.evidence()))
    assert "sex within levels of region" in text
    assert "Mantel–Haenszel" in text
    assert "−0.031 [−0.041, −0.021] 0.951 [0.941, 0.961]" in text
    assert text.count("sex within levels") == 1


def test_curves_are_told_apart_without_colour() -> None:
    e = task_sample.with_curves(task_sample.all_metrics(sample.evidence()))
    page = card(e)
    panel = page[page.index("Curves by group"):page.index('id="annex-data"')]
    assert panel.count("<svg") == 2  # one picture for each single feature
    assert len(set(re.findall(r'stroke-dasharray="([^"]+)"', panel))) == 4  # the fifth line of age is solid
    assert "Precision and recall" in page


def test_the_sweep_marks_the_threshold_in_force_and_what_meets() -> None:
    text = text_of(sample.evidence(), sweep=task_sample.sweep())
    assert "Exploratory: other thresholds" in text
    assert "must be confirmed on other data" in text
    assert "0.25 (in force)" in text and "(cheapest)" in text
    swept = task_sample.sweep()
    assert f"{len(swept.meets)} of {len(swept.points)} thresholds would meet these rules" in text
    assert "9 of 42 thresholds are shown; verdict.json has all. left out: HC-07" in text
    assert "HC-02 age" in text
    none = replace(swept, meets=(), cheapest=None)
    assert "None of the 42 thresholds tried would meet these rules." in text_of(sample.evidence(), sweep=none)
    assert "other thresholds" not in text_of(sample.evidence())


def test_subgroups_are_exploratory_and_few() -> None:
    text = text_of(task_sample.with_subgroups(sample.evidence(), 12))
    assert "Exploratory: subgroups that stand out" in text and "never judged" in text
    assert "4 further findings are in evidence.json." in text
    assert "sex women · pay_0 0" in text and "−0.280 [" in text
    assert "subgroups" not in text_of(sample.evidence())


def test_subgroups_of_a_regression_are_shown_in_its_unit() -> None:
    found = Subgroup(("sex", "pay_0"), ("women", None), 120, "mean_residual", -624.25, 36.5, 1e-9, 4e-8,
                     Interval(-717.9, -603.6, 0.95, "MOVER"), covers=2)
    text = text_of(replace(task_sample.regression(), subgroups=(found,)))
    assert "Exploratory: subgroups that stand out" in text and "sex women · pay_0 (missing)" in text
    assert "bias" in text and "−624" in text and "−661 [−718, −604]" in text and "4e−8" in text


def test_further_metrics_and_shortfall() -> None:
    text = text_of(task_sample.all_metrics(sample.evidence()))
    for name in ("Gini coefficient", "KS statistic", "calibration slope", "negative predictive value", "F2 score",
                 "predictive parity", "variance of rates"):
        assert name in text
    assert "Further favourable outcomes needed to reach four fifths of the highest rate: 25 or less 58." in text


def test_a_users_own_metric_is_shown_by_its_name() -> None:
    e = sample.evidence()
    own = Measurement("cost_<b>", 1234.5, se=3.0, transform="identity", interval=Interval(1230.0, 1239.0, 0.95, "x"))
    failed = Measurement("regret", None, "error", "the function raised ZeroDivisionError", group=OVERALL)
    grouped = replace(own, group=e.feature_groups["sex",][0].id, value=987.5, interval=None)
    text = text_of(replace(e, measurements=(*e.measurements, own, failed, grouped)))
    assert "cost <b> 1,234.5 [1,230.0, 1,239.0]" in text
    assert "regret the function raised ZeroDivisionError" in text
    assert re.search(r"by group .* men [\d,]+ 988 women [\d,]+ – ", text)


def test_findings_of_classes_and_numbers_in_words() -> None:
    e = task_sample.multiclass()
    seen = Comparison("g2", "fail", -0.12, -0.2, -0.04, "g1", "difference")
    of = sample.finding(metric="f1_score", label="low", features=("sex",), compare="difference", bound_min=None,
                        bound_max="0.05", seen=seen, comparisons=(seen,), settle=Settle("g2", gap=0.07))
    text = Reader(card(e, sample.verdict(e, found=(of,)))).text
    assert "F1 score of “low”" in text
    assert "Sex women: F1 score of “low” 0.800 against 0.800 for men; difference −0.120 [−0.200, −0.040]." in text
    e = task_sample.regression()
    seen = Comparison("g2", "fail", -5204.4, -5700.0, -4700.0, "g1", "difference")
    of = replace(of, metric="mean_residual", label=None, seen=seen, comparisons=(seen,), bound_max="1000")
    text = Reader(card(e, sample.verdict(e, found=(of,)))).text
    assert "difference −5,204 [−5,700, −4,700]" in text
    assert "✗" in text[text.index("Predictions and errors by group"):text.index("Disparities")]
    shown = summary(e, sample.verdict(e, found=(of,)), {}, out="x").plain
    assert "bias difference, sex women to men" in shown and "−5,204" in shown


def test_hostile_classes_stay_text() -> None:
    e = task_sample.multiclass(classes=["<script>alert(1)</script>", "{{7*7}}", "a\u202eb"])
    page = card(e)
    assert Reader(page).tags.count("script") == 2  # ours: the data and the script
    assert "{{7*7}}" in Reader(page).text and "\u202e" not in page


@pytest.mark.parametrize(("which", "flags"), [
    ("multiclass", "--task multiclass --target default --class low --class middle --class high --sensitive sex"),
    ("regression", "--task regression --target default --sensitive sex"),
    ("weighted", "--target default --positive 1 --favourable 0 --threshold 0.25 --weight survey_weight "
                 "--cluster person --sensitive sex --sensitive age --sensitive sex:age")])
def test_the_command_without_a_settings_file_says_everything(which: str, flags: str) -> None:
    e = MADE[which]()
    merged = tuple(replace(s, name="merged settings", format="settings") if s.role == "config" else s
                   for s in e.subjects)
    text = text_of(replace(e, subjects=merged))
    assert f"The same numbers again: govern measure model.pkl --data eval.parquet {flags} " in text
    assert "merged settings" not in text[text.index("The same numbers"):text.index("Digests")]
    given = text_of(e)
    assert "The same facts again, byte for byte: govern measure model.pkl --config govern.yaml --timestamp" in given


def test_the_command_names_the_training_data_and_the_rest() -> None:
    e = MADE["weighted"]()
    data = {**e.settings["data"], "train": "train.parquet", "date": "day", "period": "2026-01-01..2026-06-30",
            "pairs": ["sex", "region"]}
    merged = tuple(replace(s, format="settings") if s.role == "config" else s for s in e.subjects)
    text = text_of(replace(e, subjects=merged, settings={**e.settings, "data": data}))
    assert "--train train.parquet --date day --period 2026-01-01..2026-06-30" in text
    assert "--pair-column sex --pair-column region" in text


def test_each_status_has_words() -> None:
    t = strings()
    for status in ("missing", "unknown", "unseen", "empty", "tiny", "one_class"):
        assert t.has(f"status.{status}")
