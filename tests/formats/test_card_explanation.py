"""Section 11 of the card: what it shows is in the evidence, in sentences that fit it."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample
import task_sample
import truth

from govern.evidence import OVERALL, Evidence
from govern.explanations import Explanation
from govern.formats.beams import Waterfall
from govern.formats.edition import Edition
from govern.formats.explanation import explanation
from govern.formats.explanation_gaps import beyond, main_gaps
from govern.formats.html import render_html
from govern.formats.strings import strings

T = strings()
E = sample.evidence()


def part_of(page: str, id: str) -> str:
    found = re.search(rf'<section id="{id}">.*?</section>', page, re.DOTALL)
    return found[0] if found else ""


@lru_cache
def card(lang: str = "en", extent: str = "full", below: int = 0) -> str:
    return render_html(E, sample.verdict(E), None, digests=sample.DIGESTS,
                       edition=Edition(lang, extent, suppress_below=below))


def text_of(markup: str) -> str:
    return " ".join(truth.shown(markup))


def changed(**change: Any) -> Evidence:
    assert E.attributions is not None
    return replace(E, attributions=replace(E.attributions, **change))


def explained(**change: Any) -> Evidence:
    assert E.explanation is not None
    return replace(E, explanation=replace(E.explanation, **change))


def facts(e: Evidence) -> dict[str, str]:
    return dict(explanation(e, True, T)["facts"])


def test_the_section_and_its_annex_hold_every_part() -> None:
    text, annex = text_of(part_of(card(), "explanation")), text_of(part_of(card(), "annex-explanation"))
    for title in ("What was explained", "How sure", "Largest gap", "Used and revealing", "Reason codes",
                  "What gaps between groups are made of", "Features that reveal sensitive features",
                  "How the output goes with one feature", "Reasons of adverse decisions", "Single decisions"):
        assert title in text, title
    for title in ("Features that are alike", "Groups whose rows are explained otherwise", "Other gaps",
                  "What reveals sensitive features, feature by feature", "The numbers of the shapes"):
        assert title in annex, title


def test_the_summary_has_the_sentences_and_the_largest_features_only() -> None:
    text = text_of(part_of(card(extent="summary"), "explanation"))
    for title in ("How sure", "Largest gap", "Used and revealing", "Reason codes", "mean |SHAP|"):
        assert title in text, title
    for title in ("Alike features", "What gaps between groups", "Single decisions", "Reasons of adverse decisions"):
        assert title not in text, title
    assert not part_of(card(extent="summary"), "annex-explanation")


def test_features_stand_with_interval_direction_and_what_exchanging_them_costs() -> None:
    table = explanation(E, True, T)["importance"]
    assert E.attributions is not None
    every = [a for a in E.attributions.features if a.group == OVERALL]
    assert [r[0] for r in table.rows] == [a.feature for a in every]
    for row, a in zip(table.rows, every, strict=True):
        assert [float(x) for x in truth.numbers(row[3])] == pytest.approx([a.mean_abs, a.low, a.high], abs=6e-4)
        assert row[2].adds == (row[1] == "raise the output") and row[2].sum == (row[1] == "no order")


@pytest.mark.parametrize(("expected", "direction", "said", "mark"), [
    ("falls", 0.8, "raise the output; expected to lower it", "outside"),
    ("rises", -0.8, "lower the output; expected to raise it", "outside"),
    ("rises", 0.8, "raise the output, as expected", None),
    ("falls", 0.1, "no one direction; expected to lower it", None),
    (None, -0.8, "lower the output", None)])
def test_a_direction_against_the_expected_one_is_marked(expected: str | None, direction: float, said: str,
                                                        mark: str | None) -> None:
    assert E.attributions is not None
    one = replace(E.attributions.features[0], direction=direction)
    e = replace(changed(features=(one,)), settings={
        **E.settings, "explain": {"directions": {one.feature: expected} if expected else {}}})
    cell = explanation(e, True, T)["importance"].rows[0][1]
    assert (getattr(cell, "text", cell), getattr(cell, "mark", None)) == (said, mark)


@pytest.mark.parametrize(("change", "said", "not_said"), [
    ({"settled": 0}, "Which feature comes first is not settled (95%).", "is settled"),
    ({"settled": 1}, "The first place is settled (95%).", "not settled"),
    ({"settled": 7}, "The order of the first 7 places is settled (95%).", "not settled"),
    ({"stopped": "all", "error": 0.0}, "All rows were explained.", "lie within"),
    ({"stopped": "evaluations"}, "The budget of model evaluations allowed no more rows.", "All rows were explained"),
    ({"stability_over": "backgrounds"}, "Against other backgrounds", "halves"),
    ({"stability": None}, "3.2%", "halves"),
    ({"agreement": None}, "3.2%", "permutation importance")])
def test_how_sure_it_is_is_said_as_it_is(change: dict[str, Any], said: str, not_said: str) -> None:
    text = facts(changed(**change))["How sure"]
    assert said in text and not_said not in text


def test_the_main_gaps_are_the_largest_beyond_chance_of_each_feature() -> None:
    assert E.explanation is not None
    main = main_gaps(E, E.explanation.gaps)
    assert [(E.groups_by_id[g.group].features, g.of) for g in main] == [
        (("sex",), "output"), (("sex",), "selection"), (("age",), "output"), (("age",), "selection")]
    for g in main:
        others = [x for x in E.explanation.gaps if x.of == g.of and x.reference == g.reference]
        assert abs(g.value) == max(abs(x.value) for x in others)
        assert beyond(g)
    pictures = [p.pictures[0] for row in explanation(E, True, T)["gaps"] for p in row]
    for g, picture in zip(main, pictures, strict=True):
        assert isinstance(picture, Waterfall)
        numbers = [float(truth.numbers(s.number)[0]) for s in picture.steps]
        assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=3e-3) and numbers[-1] == pytest.approx(
            g.value, abs=5e-4)


def test_no_gap_is_called_beyond_chance_that_is_not() -> None:
    assert E.explanation is not None
    none = tuple(replace(g, low=-1.0, high=1.0) for g in E.explanation.gaps)
    text = facts(explained(gaps=none))["Largest gap"]
    assert text == ("No difference in the selection rate is beyond chance (95%). "
                    "No difference in the mean output is beyond chance (95%).")
    assert "Largest gap" not in facts(explained(gaps=()))


def test_used_and_revealing_features_come_first() -> None:
    assert E.explanation is not None
    assert facts(E)["Used and revealing"].startswith("sex: limit_bal, sex (its own column)")
    none = tuple(replace(p, listed=False) for p in E.explanation.proxies)
    assert facts(explained(proxies=none))["Used and revealing"] == "No feature is both used and revealing."
    assert "Used and revealing" not in facts(explained(proxies=()))


def test_reasons_tell_their_coverage_and_what_is_never_given() -> None:
    assert E.explanation is not None and E.explanation.reason_codes is not None
    codes = E.explanation.reason_codes
    assert facts(E)["Reason codes"] == ("419 of 421 adverse decisions among the explained rows have a reason, at most "
                                        "4 each. All reasons of 168 of 421 have a sentence that names one.")
    text = facts(explained(reason_codes=replace(codes, covered=None)))["Reason codes"]
    assert "No sentences are declared" in text and "168" not in text
    alone = facts(explained(reason_codes=replace(codes, background_rows=0, explained=0)))["Reason codes"]
    assert alone.startswith("No explained row is decided favourably")
    section = text_of(part_of(card(), "explanation"))
    assert "Never given: pay_5. In 37 decisions one of them would have been a reason." in section


def test_single_decisions_add_up() -> None:
    assert E.explanation is not None
    part = next(p for p in explanation(E, True, T)["parts"] if p.title == "Single decisions")
    assert [len(x.heads) - 1 for x in part.tables] == [4, 1]
    for table in part.tables:
        for column in range(1, len(table.heads)):
            cells = [row[column] for row in table.rows if row[0] not in ("reasons",)]
            values = [float(truth.numbers(getattr(c, "text", c))[0]) for c in cells]
            assert sum(values[:-1]) == pytest.approx(E.explanation.locals[0].base + sum(
                p.contribution for p in E.explanation.locals[0].parts) + E.explanation.locals[0].rest, abs=5e-3)


def test_a_card_for_outside_shows_no_single_row_and_no_group_of_hidden_ones() -> None:
    page = card(below=30)
    text = text_of(part_of(page, "explanation") + part_of(page, "annex-explanation"))
    assert "Single decisions" not in text and "applicant 7" not in text
    assert "What gaps between groups" not in text and "Groups whose rows" not in text
    assert "How sure" in text and "Reason codes" not in text  # two decisions have no reason


def test_small_counts_of_reasons_take_all_counts_of_reasons_with_them() -> None:
    assert E.explanation is not None and E.explanation.reason_codes is not None
    e = explained(reason_codes=replace(E.explanation.reason_codes, explained=421))
    page = render_html(e, sample.verdict(e), None, digests=sample.DIGESTS, edition=Edition(suppress_below=34))
    text = text_of(part_of(page, "explanation"))
    assert "421 of 421 adverse decisions" in text
    assert "388" not in text and "Reasons of adverse decisions" not in text  # 421 − 388 is small


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_other_tasks_have_their_own_words(lang: str) -> None:
    t = strings(lang)
    several = explanation(task_sample.multiclass(), True, t)
    assert t("explanation.by_class") in [p.title for p in several["annex"]]
    assert t("explanation.direction") not in [h for h, _ in several["importance"].heads]
    numbers = explanation(task_sample.regression(), True, t)
    assert "4,200" in numbers["importance"].rows[0][3]
    assert t("explanation.reasons_label") not in dict(numbers["facts"])


def test_nothing_known_is_said_to_be_nothing() -> None:
    e = replace(E, attributions=None, explanation=None)
    assert explanation(e, True, T)["none"] == "No explanation was measured."
    view = explanation(replace(e, model=None), True, T)
    assert view["none"] == "Predictions only were given: there is no model to explain."
    assert not any(view[k] for k in ("facts", "importance", "gaps", "parts", "annex"))
    assert explanation(replace(E, explanation=Explanation()), True, T)["gaps"] == []
