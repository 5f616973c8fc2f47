from __future__ import annotations

import base64
import hashlib
import html as htmllib
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample

from govern.evidence import Evidence, Measurement
from govern.formats.html import embedded, on_paper, palette, render_html
from govern.formats.strings import strings
from govern.metrics import SCORE_METRICS
from govern.verdict import Verdict

HOSTILE = {"25 or less": "<script>alert(1)</script>", "26–35": "{{7*7}}{% raw %}", "men": "\"' onload=x & </style>",
           "women": "a\u202eb\x00c"}
VOID = {"meta", "br", "col", "path", "rect", "circle", "polyline", "img"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and fails on tags that do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, k, v) for k, v in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, k, v) for k, v in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def card(e: Evidence, v: Verdict | None = None, compute: bool = True) -> str:
    digests = sample.DIGESTS if v else {"evidence": sample.SHA["evidence"]}
    return render_html(e, v, sample.compute() if compute else None, digests=digests)


@pytest.fixture(scope="module")
def page() -> str:
    e = sample.evidence()
    return card(e, sample.verdict(e))


def test_nothing_is_loaded_and_nothing_runs(page: str) -> None:
    seen = Reader(page)
    assert not {"link", "img", "iframe", "object", "base", "form"} & set(seen.tags)
    for _, name, value in seen.attributes:
        assert name not in ("style", "src") and not name.startswith("on")
        assert name != "href" or (value or "").startswith("#")
    body = page[page.index("<body>"):]
    assert "http://" not in body and "https://" not in body
    style = page[page.index("<style>"):page.index("</style>")]
    assert set(re.findall(r"url\((.{10})", style)) == {"data:font/"}
    assert "@import" not in style


def test_the_script_is_the_one_the_policy_allows_beside_data_that_cannot_end_its_block(page: str) -> None:
    policy = next(v for _, k, v in Reader(page).attributes if k == "content" and v and "default-src" in v)
    blocks = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.S)
    assert [a for a, _ in blocks] == [' type="application/json" id="card-data"', ""]
    digest = base64.b64encode(hashlib.sha256(blocks[1][1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy and "unsafe" not in policy
    assert not set("<>&\u2028\u2029") & set(blocks[0][1])
    assert json.loads(blocks[0][1])["words"] == strings().get("screen")


def test_data_of_a_script_block_is_read_back_as_it_was() -> None:
    hostile = ["</script><img src=x onerror=alert(1)>", "<!--<script>", "]]>&lt;\u2028\u2029\"\\"]
    text = embedded(hostile)
    assert "<" not in text and ">" not in text and "&" not in text
    assert json.loads(text) == hostile


def test_each_colour_has_one_for_dark_screens_in_which_it_can_be_read() -> None:
    """Contrast as WCAG 2.2 computes it, of ink on the surfaces of its own side: 4.5 for text."""
    root = Path(__file__).parents[2] / "templates"
    css = (root / "card.css").read_text("utf-8")
    drawn = "".join(p.read_text("utf-8") for p in root.rglob("*.j2"))
    assert {m.lower() for m in re.findall(r"#[0-9a-fA-F]{6}\b|#fff\b", css + drawn)} <= set(palette())

    def light(colour: str) -> float:
        full = colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])
        parts = [int(full[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    for ink in ("#16202b", "#5a6672", "#1d5b94", "#a3231a", "#8a5a00", "#0f6b4f"):
        for ground in ("#fff", "#f4f6f8"):
            for a, b in ((ink, ground), (palette()[ink], palette()[ground])):
                high, low = sorted((light(a), light(b)), reverse=True)
                assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)


def test_a_page_for_paper_has_neither_script_nor_second_colours(page: str) -> None:
    paper = on_paper(page)
    assert "<script" not in paper and "light-dark(#" not in paper
    assert Reader(paper).text == Reader(page).text


def test_the_style_block_is_the_one_the_policy_allows(page: str) -> None:
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    policy = next(v for _, k, v in Reader(page).attributes if k == "content" and v and "default-src" in v)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert page.count("<style") == 1


def test_links_lead_somewhere_and_ids_are_unique(page: str) -> None:
    attributes = Reader(page).attributes
    ids = [v for _, k, v in attributes if k == "id"]
    assert len(ids) == len(set(ids))
    assert {v[1:] for _, k, v in attributes if k == "href" and v} <= set(ids)


def test_size(page: str) -> None:
    assert len(page.encode()) < 500_000


def test_hostile_names_stay_text() -> None:
    e = sample.evidence(rename=HOSTILE)
    e = replace(e, card={**e.card, "purpose": "</title><script>alert(2)</script>", "owner": "{{ config }}"},
                notes=("<img src=x onerror=alert(3)>",))
    page = card(e, sample.verdict(e))
    seen = Reader(page)
    assert seen.tags.count("script") == 2 and "img" not in seen.tags
    for text in ("<script>alert(1)</script>", "{{7*7}}{% raw %}", "{{ config }}", "<img src=x onerror=alert(3)>"):
        assert text in seen.text
    assert "\u202e" not in page and "\x00" not in page
    assert "49" not in seen.text.split("{{7*7}}")[0][-3:]


@pytest.mark.parametrize("outcome", ["BLOCK", "REVIEW", "PASS"])
def test_every_verdict_renders(outcome: str) -> None:
    e = sample.evidence()
    text = Reader(card(e, sample.verdict(e, outcome))).text
    assert f" {outcome} {strings()(f'verdict.{outcome}')}" in text
    assert ("1 comparison is not settled: not enough data." in text) is (outcome == "PASS")


def test_facts_without_a_verdict() -> None:
    e = sample.evidence()
    text = Reader(card(e, None, compute=False)).text
    assert "Not judged" in text
    assert "No policy was applied." in text
    assert "Time, memory and size were not measured." in text
    assert "verdict 7c11" not in text


def test_predictions_only_no_features_no_scores() -> None:
    e = sample.evidence(features=())
    e = replace(e, model=None, containment=None, attributions=None, explanation=None, smoke=(), curves=(),
                subjects=e.subjects[1:],
                measurements=tuple(m for m in e.measurements if m.metric not in SCORE_METRICS),
                settings={**e.settings, "data": {**e.settings["data"], "threshold": None}})
    text = Reader(card(e, sample.verdict(e, "REVIEW", ()))).text
    for sentence in ("No sensitive feature was given", "none: predictions only", "No scores were given",
                     "there is no model to explain.", "no smoke check was run", "no model was loaded",
                     "as given in the predictions"):
        assert sentence in text


def test_undefined_numbers_are_dashes_with_a_reason() -> None:
    e = sample.evidence()
    gone = tuple(replace(m, value=None, status="undefined", interval=None, reason="no row is predicted positive")
                 if m.metric == "precision" else m for m in e.measurements)
    page = card(replace(e, measurements=gone), sample.verdict(e))
    text = Reader(page).text
    assert "no row is predicted positive" in text
    assert not re.search(r"\b(nan|None|inf)\b", text)


def test_numbers_in_the_sentences_come_from_the_documents(page: str) -> None:
    e = sample.evidence()
    v = sample.verdict(e)
    text = Reader(page).text
    seen = v.findings[0].seen
    assert seen is not None
    young, largest = e.counts_by_group[seen.group], e.counts_by_group[seen.reference or ""]
    n, m = e.groups_by_id[seen.group].n, e.groups_by_id[seen.reference or ""].n
    assert f"{100 * young.selected / n:.1f}% approved ({young.selected:,} of {n:,})" in text
    short = round(n * largest.selected / m - young.selected)
    assert f"{short} fewer than at that group’s rate." in text
    auc = e.find("roc_auc")
    assert auc is not None and auc.value is not None and auc.interval is not None
    assert f"ROC AUC {auc.value:.3f} [{auc.interval.low:.3f}, {auc.interval.high:.3f}]" in text
    assert "6,012 rows read = 6,000 used + 12 excluded." in text
    for group in e.groups:
        if group.features and not group.missing:
            c = e.counts_by_group[group.id]
            assert f"{c.tp}/{c.fp}/{c.fn}/{c.tn}" in text.replace("\u200b", "")


def test_each_group_shows_the_comparison_that_was_decided(page: str) -> None:
    text = Reader(page).text
    e = sample.evidence()
    for c in sample.findings(e)[0].comparisons:
        assert f"{c.value:.3f} [{c.low:.3f}, {c.high:.3f}]" in text
    assert "ratio to 26–35, at least 0.92" in text


def test_words_people_supply_are_filled_or_missing(page: str) -> None:
    text = Reader(page).text
    assert "missing (found only “TODO”)" in text
    assert "metric: roc_auc; frequency: monthly" in text
    assert "Contact missing" in text


def test_unasked_intersections_are_shown_and_not_judged() -> None:
    e = sample.evidence(shown=(("sex", "education"),))
    text = Reader(card(e, sample.verdict(e))).text
    assert "Further intersections" in text
    assert "sex:education" in text
    assert "men · university" in text
    table = text.partition("Further intersections")[2]
    assert "8 groups" in table and "Every group is in evidence.json." in table and "searched for below" not in table
    assert "1 intersection has no rule of its own and is in Annex B: sex:education." in text


def test_other_evidence_of_compute_is_said() -> None:
    e = sample.evidence()
    text = Reader(render_html(e, None, replace(sample.compute(), evidence_sha256="ff" * 32),
                              digests={"evidence": sample.SHA["evidence"]})).text
    assert "other evidence (ffff ffff)" in text


def test_equal_documents_give_equal_pages(page: str) -> None:
    e = sample.evidence()
    assert card(e, sample.verdict(e)) == page


def test_one_group_and_nobody_selected() -> None:
    e = sample.evidence(60, features=(("education",),))
    only = [g for g in e.groups if not g.features or g.values == ("university",)]
    ids = {g.id for g in only}
    e = replace(e, groups=tuple(only), counts=tuple(replace(c, selected=0) for c in e.counts if c.group in ids),
                measurements=(*(m for m in e.measurements if m.group in ids and m.compare is None),
                              Measurement("demographic_parity_ratio", None, "undefined", features=("education",))))
    assert "university" in Reader(card(e)).text


def test_escaped_attributes(page: str) -> None:
    for _, _, value in Reader(page).attributes:
        assert value is None or htmllib.unescape(value) == value
