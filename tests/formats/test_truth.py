"""Sentences are true by construction: every number on a card is one of the documents', and no sentence stands beside a
status that contradicts it."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import policy_sample
import sample
import task_sample
import truth

from govern.codec import document, load
from govern.evidence import EVIDENCE_SCHEMA, OVERALL, Compute, Evidence
from govern.formats.edition import Edition
from govern.formats.html import render_html
from govern.formats.naming import name_of
from govern.formats.numbers import percent
from govern.formats.strings import Strings, strings
from govern.formats.words import MARKS, reason
from govern.metrics import METRICS
from govern.policy.gate import judge
from govern.policy.packs import load_policy, shipped
from govern.resources import resource
from govern.verdict import Finding, Verdict

LANGUAGES = ("en", "ja")
PACKS = ("baseline", "eeoc-four-fifths", "nyc-ll144", "japan-mlqm")
INTERSECTIONS = (("sex", "education"), ("age", "education"))  # that nobody asked a rule for
PHASES: tuple[Literal["team", "company"], ...] = ("team", "company")
# Small numbers that a template or a table's length gives: `and 3 more`, ranks, the numbers of the sections.
SMALL = [float(n) for n in range(26)]
LEAST_P = 0.001  # smaller p-values are written `<0.001`
# Heads of columns with pictures, which name the ends of the axis.
AXES = ("fairness.selected", "charts.pair")
Documents = tuple[Evidence, Verdict | None, Compute | None]


@lru_cache
def judged(pack: str, which: str, phase: Literal["team", "company"]) -> Documents:
    """A shipped pack on the evidence that lies beside it."""
    evidence, digest = load(resource("policies", f"{pack}.{which}.json"), Evidence, EVIDENCE_SCHEMA)
    verdict = judge(evidence, judged={"evidence": digest}, policies=[load_policy(pack)], phase=phase,
                    today=date(2026, 11, 24), compute=None, waivers=())
    return evidence, verdict, None


@lru_cache
def made(name: str) -> Documents:
    if name == "sample":
        e = sample.evidence()
        return e, sample.verdict(e), sample.compute()
    if name == "intersections":
        e = sample.evidence(shown=INTERSECTIONS)
        return e, sample.verdict(e), None
    if name == "policies":
        e = policy_sample.evidence()
        return e, policy_sample.verdict(e), None
    e = task_sample.regression() if name == "regression" else task_sample.multiclass()
    return e, None, None


CARDS = {**{f"{p} {w}": lambda p=p, w=w: judged(p, w, "team") for p in PACKS for w in ("pass", "fail")},
         **{name: lambda name=name: made(name) for name in ("sample", "policies", "regression", "multiclass",
                                                             "intersections")}}


@lru_cache
def ends(lang: str) -> re.Pattern[str]:
    """Heads that name the ends of an axis."""
    templates = (re.sub(r"\\\{\w+\\\}", "[−\\\\d.,%]+", re.escape(strings(lang)(key))) for key in AXES)
    return re.compile("|".join(templates))


def words(t: Strings) -> list[str]:
    """The catalogue's texts, what metrics are, and what English notes are in the language."""
    crosswalk = tomllib.loads(resource("templates", "crosswalk.toml").read_text("utf-8"))
    metrics = [text for m in METRICS.values() for text in (m.title, m.definition)]
    return [*metrics, *(str(x) for x in (*truth.leaves(t.table), *truth.leaves(crosswalk)))]


def card(documents: Documents, lang: str) -> str:
    evidence, verdict, compute = documents
    return render_html(evidence, verdict, compute, digests=sample.DIGESTS, edition=Edition(lang))


@lru_cache
def page(name: str, lang: str) -> str:
    return card(CARDS[name](), lang)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", CARDS)
def test_every_number_of_a_card_is_one_of_the_documents(name: str, lang: str) -> None:
    documents = CARDS[name]()
    evidence = documents[0]
    allowed = truth.known(*(d for d in documents if d is not None), sample.DIGESTS, texts=words(strings(lang)),
                          extra=[*SMALL, LEAST_P, *truth.shortfalls(evidence), *truth.shares(evidence),
                                 *truth.known_rows(evidence), *truth.remainders(evidence)])
    nodes = [text for text in truth.shown(page(name, lang)) if not ends(lang).fullmatch(text)]
    wrong = [(n, text) for text in nodes for n in allowed.unknown(text)]
    assert not wrong
    assert sum(len(truth.numbers(text)) for text in nodes) > 100


def findings(*, of_gate: bool = False) -> list[tuple[Evidence, Finding]]:
    """Findings of every outcome, from the shipped packs in two phases and, but for those `of_gate`, from samples."""
    found = [] if of_gate else [made(n)[:2] for n in ("sample", "policies")]
    found += [judged(p, w, phase)[:2] for p in PACKS for w in ("pass", "fail") for phase in PHASES]
    return [(e, f) for e, v in found if v is not None for f in v.findings]


def of_finding(evidence: Evidence, finding: Finding, t: Strings) -> truth.Known:
    """The numbers that may stand in what is said of a finding: its own, and those of its two groups."""
    seen = finding.seen
    groups = {g for g in ((seen.group, seen.reference) if seen else ()) if g is not None} | {OVERALL}
    counts = [c for c in evidence.counts if c.group in groups]
    values = [m for m in evidence.measurements if m.metric == finding.metric and m.group in groups and not m.features]
    named = [g.name for g in evidence.groups if seen is None or g.id in groups]
    said = [str(x) for x in truth.leaves(dict(evidence.card))] + [str(evidence.settings.get("data", {}).get("target"))]
    return truth.known(finding, [c.group for c in counts], values, texts=[*named, *said, *words(t)],
                       extra=[LEAST_P, len(finding.missing), max(0, len(finding.missing) - 4)])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_said_of_a_finding_holds_its_own_numbers_only(lang: str) -> None:
    t, caught, tried = strings(lang), 0, 0
    for evidence, finding in findings():
        said = reason(finding, evidence, t)
        allowed = of_finding(evidence, finding, t)
        text = " ".join((said.sentence, said.number, said.limit, said.bound, said.settle, said.subject))
        assert not allowed.unknown(text), (finding.qualified, text)
        for number in truth.numbers(f"{said.sentence} {said.number}"):
            if len(number.replace(".", "").lstrip("-0")) >= 3:  # with another last digit it is no number of the finding
                tried += 1
                caught += number[:-1] + str((int(number[-1]) + 5) % 10) not in allowed.written
    assert tried > 100 and caught >= 0.9 * tried


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", CARDS)
def test_the_numbers_of_a_metric_are_its_measurement(name: str, lang: str) -> None:
    evidence = CARDS[name]()[0]
    titles = {m: strings(lang).get(f"metrics.{m}.title") if lang != "en" else row.title for m, row in METRICS.items()}
    found = {row[0]: row[1:] for row in rows(page(name, lang), "performance") if len(row) == 5}
    compared = 0
    for m in evidence.measurements:
        row = found.get(titles.get(m.metric, ""))
        plain = m.group == OVERALL and m.reference is None and not m.features and m.label is None and m.slice is None
        if row is None or not plain or m.value is None or m.decision is not None:
            continue
        family = METRICS[m.metric].family
        if family in ("count", "share"):
            assert row[0] == percent(m.value), m.metric
        elif family != "regression":
            assert row[0].replace("−", "-").replace(",", "") == f"{m.value:.3f}", m.metric
        if m.numerator is not None and row[2]:
            top, bottom = (Fraction(x) for x in truth.numbers(row[2]))
            assert (top, bottom) == (m.numerator, m.denominator), m.metric
        compared += 1
    assert compared or name not in ("sample", "policies", "multiclass")  # others may have no metric of everyone


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_rates_of_groups_are_those_of_their_counts(lang: str) -> None:
    evidence = made("sample")[0]
    listed = rows(page("sample", lang), "fairness")
    counts = {c.group: c for c in evidence.counts}
    compared = 0
    for features in (("sex",), ("age",)):
        for g in evidence.feature_groups[features]:
            c = counts[g.id]
            mine = [row for row in listed if len(row) > 5 and truth.numbers(row[1]) == [str(g.n)]
                    and truth.numbers(row[3]) == [str(c.selected)]]
            assert mine, g.name
            for row in mine:
                assert truth.numbers(row[2]) == [str(c.tp + c.fn)]
                assert percent(c.selected / g.n) in row[4:6]
                compared += 1
    assert compared >= 7


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_ends_of_an_intersection_are_those_of_its_counts(lang: str) -> None:
    evidence, t = made("intersections")[0], strings(lang)
    listed = {row[0].split(" ")[0]: row for row in rows(page("intersections", lang), "annex-fairness")}
    selected = {c.group: c.selected for c in evidence.counts}
    for features in INTERSECTIONS:
        row = listed[":".join(features)]
        known = [g for g in evidence.feature_groups[features] if not g.missing and g.n]
        read = [g for g in known if g.n >= 30]
        most = max(known, key=lambda g: g.n)
        few, lost = len(known) - len(read), sum(g.n for g in evidence.feature_groups[features] if g.missing)
        told = [len(known), *((few, 30) if few else ()), *((lost,) if lost else ())]
        assert sorted(truth.numbers(row[0])) == sorted(map(str, told))
        assert truth.numbers(row[1].removesuffix(name_of(most, t))) == [str(min(g.n for g in known)), str(most.n)]
        rates = {name_of(g, t): selected[g.id] / g.n for g in read}
        ratios = {name: rate / (selected[most.id] / most.n) for name, rate in rates.items() if name != name_of(most, t)}
        for text, found, choose, by in ((row[2], rates, min, 100), (row[3], rates, max, 100), (row[4], ratios, min, 1)):
            group = choose(found, key=lambda n: found[n])
            number = truth.numbers(text)[0]
            assert float(number) == round(by * found[group], len(number.partition(".")[2])), (features, text)
            assert text.endswith(f"] {group}")


def rows(page: str, section: str) -> list[list[str]]:
    """The cells of each row of the tables of a section, pictures left out."""
    part = page.partition(f'id="{section}"')[2].partition("</section>")[0]
    out = []
    for row in re.findall(r"<tr>(.*?)</tr>", re.sub(r"<svg.*?</svg>", "", part, flags=re.DOTALL), re.DOTALL):
        cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)
        out.append([" ".join(" ".join(truth.shown(cell)).split()) for cell in cells])
    return out


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_number_stands_on_the_side_of_its_bound_that_the_outcome_says(lang: str) -> None:
    """As printed, not as stored: rounding may not turn a finding round."""
    t, sides = strings(lang), {"pass": 0, "fail": 0}
    for evidence, f in findings(of_gate=True):
        said, seen = reason(f, evidence, t), f.seen
        if seen is None or seen.value is None or f.outcome not in sides or not (f.bound_min or f.bound_max) \
                or f.kind in ("four-fifths", "support", "fresh", "table") or said.glyph is None:
            continue
        value, *ends = (float(x) for x in truth.numbers(said.number))
        outside = [f.bound_min is not None and value < float(f.bound_min),
                   f.bound_max is not None and value > float(f.bound_max)]
        assert any(outside) == (f.outcome == "fail"), (f.qualified, said.number, said.limit)
        if len(ends) == 2 and f.outcome == "pass":
            assert f.bound_min is None or ends[0] >= float(f.bound_min), f.qualified
            assert f.bound_max is None or ends[1] <= float(f.bound_max), f.qualified
        if len(ends) == 2 and f.outcome == "fail":
            assert ends[1] < float(f.bound_min or "-inf") or ends[0] > float(f.bound_max or "inf"), f.qualified
        sides[f.outcome] += 1
    assert min(sides.values()) > 5


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_sentence_of_a_finding_contradicts_its_outcome(lang: str) -> None:
    t = strings(lang)
    settle = {key: _fixed(t, f"settle.{key}") for key in t.table["settle"]}
    only = {"fail": ("selections", "selections_metric", "gap", "threshold"),
            "insufficient": ("rows", "times", "detectable", "detectable_bound", "too_few", "counts_as")}
    outcomes: set[str] = set()
    for evidence, f in findings():
        said = reason(f, evidence, t)
        outcomes.add(f.outcome)
        assert said.mark == MARKS[f.outcome]
        assert (said.word == t("mark.within")) <= (f.outcome == "pass")
        assert (said.word in (t("mark.outside"), t("mark.failed"))) <= (f.outcome == "fail" or f.kind in DONE)
        assert (said.word == t("mark.passed")) <= (f.outcome == "pass")
        for outcome, keys in only.items():
            if f.outcome != outcome:
                assert not any(settle[key] in said.settle for key in keys), (f.qualified, f.outcome, said.settle)
        if f.outcome == "pass":
            assert not any(text in said.settle for key, text in settle.items() if key not in PROVED), said.settle
        if f.outcome == "insufficient" and f.counts_as != "PASS":
            assert t("settle.counts_as", outcome=t(f"outcome.{f.counts_as}")) in said.settle
    assert {"pass", "fail", "insufficient", "not_run"} <= outcomes


DONE = ("smoke", "document", "integrity", "table", "support")
PROVED = ("proved", "stated", "no_level", "no_pass_level", "no_fail_level")


def _fixed(t: Strings, key: str) -> str:
    """The longest fixed part of a sentence."""
    text = t.get(key)
    text = text["other"] if isinstance(text, dict) else text
    return str(max(re.split(r"\{\w+\}", text), key=len)).strip()


def _open(verdict: Verdict, **change: Any) -> Documents:
    return made("sample")[0], replace(verdict, **change), None


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("outcome", ["PASS", "REVIEW", "BLOCK"])
def test_the_card_says_of_the_verdict_what_it_is(outcome: str, lang: str) -> None:
    """Sentences of page 1 that speak of the whole verdict stand there exactly when they hold."""
    t, (evidence, verdict, _) = strings(lang), made("sample")
    assert verdict is not None
    blocked = [f for f in verdict.findings if f.counts_as == "BLOCK"]
    assert blocked
    rest = tuple(f for f in verdict.findings if f not in blocked)
    found = verdict.findings if outcome == "BLOCK" else rest if outcome == "REVIEW" else \
        tuple(f for f in rest if f.outcome == "pass")
    for waivers in (verdict.waivers, ()):
        documents = evidence, replace(verdict, outcome=outcome, findings=found, waivers=waivers), None  # type: ignore[arg-type]
        text = " ".join(truth.shown(card(documents, lang)))
        holds = {f"verdict.{word}": word == outcome for word in ("PASS", "REVIEW", "BLOCK")}
        holds |= {"page1.sure_settled": all(f.outcome != "insufficient" for f in found),
                  "page1.no_exceptions": not waivers, "page1.sure_lock": evidence.subject("policy-lock") is None,
                  "since.none": "baseline" not in verdict.judged, "verdict.none_line": False,
                  "verdict.no_reason": not [f for f in found if f.outcome in ("fail", "insufficient", "not_run")]}
        said = {key: t(key) in text for key in holds}
        assert said == holds


@pytest.mark.parametrize("which", ["pass", "fail"])
@pytest.mark.parametrize("pack", [p.name for p in shipped()])
def test_a_japanese_card_has_english_only_from_people(pack: str, which: str) -> None:
    """What the shipped packs find is said in Japanese; English are settings, fields of the card, data, citations and
    commands."""
    evidence, verdict, _ = documents = judged(pack, which, "company")
    assert verdict is not None
    theirs = [evidence.card, evidence.settings, [g.values for g in evidence.groups],
              [c.name for c in evidence.data.columns], [f.cite for f in verdict.findings], evidence.subjects]
    given = {text for node in theirs for leaf in truth.leaves(json.loads(document(node))) for text in
             (str(leaf), str(leaf).rstrip("."), str(leaf).replace("_", " "))}
    longest = sorted(filter(None, given), key=len, reverse=True)
    shown = re.sub(r'<(p class="command"|code).*?</(p|code)>', "", card(documents, "ja"), flags=re.DOTALL)
    for text in truth.shown(shown):
        rest = text
        for said in longest:
            rest = rest.replace(said, "…") if len(said) > 2 else rest
        assert not re.search(r"[A-Za-z]{2,},? [a-z]{2,},? [a-z]{2,}(?!\w)", rest), text
