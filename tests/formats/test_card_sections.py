"""The 25 sections of the card: contents, words of people, findings with addresses, crosswalk, one number by hand."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import policy_sample
import sample
import task_sample
from test_html import Reader, card

from govern.codec import document
from govern.evidence import Evidence
from govern.formats.anchors import anchors
from govern.formats.contents import FULL_ONLY, NAMES, SECTIONS
from govern.formats.crosswalk import frameworks
from govern.formats.edition import Brand, Edition
from govern.formats.html import render_html
from govern.formats.recompute import by_command
from govern.formats.strings import strings
from govern.formats.supplied import EXPECTED, FIELDS, supplied
from govern.resources import resource
from govern.verdict import Since, SinceRow, ToSign, Verdict

E = policy_sample.evidence()
V = policy_sample.verdict(E)
T = strings()


def made(e: Evidence = E, v: Verdict | None = V, edition: Edition | None = None) -> str:
    return render_html(e, v, sample.compute(), digests=sample.DIGESTS, edition=edition)


@pytest.fixture(scope="module")
def page() -> str:
    return made()


def headings(page: str) -> list[str]:
    found = re.findall(r"<h2 (?!class)[^>]*>(.*?)</h2>", page, re.S)
    return [" ".join(re.sub(r"<[^>]*>", " ", h).split()) for h in found]


def test_all_sections_stand_in_their_order_each_with_number_and_name(page: str) -> None:
    found = headings(page)
    assert found[:SECTIONS - 1] == [f"{n} {T(f'sections.s{n}')} {T(f'sections.s{n}_asks')}"
                                    for n in range(2, SECTIONS + 1)]
    assert found[SECTIONS - 1:] == [T(f"sections.{a}") for a in ("performance", "fairness", "explanation", "data")]
    assert [int(n) for n in re.findall(r'id="s(\d+)"', page)] == list(range(1, SECTIONS + 1))


def test_contents_lead_to_every_section_and_the_old_addresses_are_there(page: str) -> None:
    nav = page.partition('<nav class="contents"')[2].partition("</nav>")[0]
    assert [f"s{n}" for n in range(1, SECTIONS + 1)] == re.findall(r'<a href="#(s\d+)"', nav)
    for name in (*NAMES.values(), "annex-data", "annex-fairness"):
        assert page.count(f'id="{name}"') == 1


def test_the_summary_leaves_out_what_it_says_it_leaves_out(page: str) -> None:
    short = made(edition=Edition(extent="summary"))
    kept = [n for n in range(1, SECTIONS + 1) if n not in FULL_ONLY]
    assert [int(n) for n in re.findall(r'id="s(\d+)"', short)] == kept
    assert Reader(short).text.count("full edition") == len(FULL_ONLY) + 1
    ids = set(re.findall(r' id="([^"]+)"', short))
    assert set(re.findall(r'href="#([^"]+)"', short)) <= ids
    assert "Annex" not in short and len(short) < len(page)


def test_words_are_filled_missing_or_named_as_not_given() -> None:
    e = replace(E, card={"purpose": "p", "users": "TODO", "appeal": "write to us", "shoe_size": 43})
    refused = sample.finding(rule="B", kind="document", missing=("users", "monitoring_plan.trigger", "vendor"))
    found = supplied(e, sample.verdict(e, found=(refused,)), T)
    rows = {r.label: (r.text, r.missing) for f in found.values() for r in f.rows}
    assert rows["Purpose"] == ("p", False) and rows["Users"] == ("missing (found only “TODO”)", True)
    assert rows["How to appeal"] == ("write to us", False) and rows["Shoe size"] == ("43", False)
    assert rows["Vendor or third party"] == ("missing", True)  # asked for by a rule
    assert rows["Owner"] == ("missing", True)  # expected of every model
    assert "Exposure" not in rows and "Exposure" in found[3].others
    plan = {"monitoring_plan": {"metric": "roc_auc"}}
    part = supplied(replace(e, card=plan), sample.verdict(e, found=(refused,)), T)[17].rows[0]
    assert (part.text, part.missing) == ("metric: roc_auc (missing: trigger)", True)


def test_every_field_has_a_label_and_stands_in_one_section() -> None:
    names = [n for fields in FIELDS.values() for n in fields]
    assert len(names) == len(set(names)) and set(EXPECTED) <= set(names)
    assert set(names) <= set(T.get("card"))


def test_every_field_is_explained_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "card-fields.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = {name.partition(".")[0] for cell in rows for name in re.findall(r"`([^`]+)`", cell)}
    assert {n for fields in FIELDS.values() for n in fields} <= named
    parts = {"groupAtRisk", "harms", "mitigationStrategy", "category", "justification"}  # of items of a list
    assert named - parts <= set(T.get("card"))


def test_no_section_is_blank(page: str) -> None:
    for body in re.findall(r'<section[^>]*>(.*?)</section>', page, re.S):
        said = re.sub(r"<h2.*?</h2>", "", body, flags=re.S)
        assert len(re.sub(r"<[^>]*>", "", said).strip()) > 20


def test_each_finding_has_one_address_that_a_run_does_not_change(page: str) -> None:
    where = list(anchors(V.findings).values())
    assert len(set(where)) == len(V.findings) and "f-house-credit-HC-02-selection-rate-age" in where
    for id in where:
        assert re.fullmatch(r"[A-Za-z0-9-]+", id) and page.count(f' id="{id}"') == 1
    other = tuple(replace(f, outcome="pass", seen=None, comparisons=()) for f in V.findings)
    assert list(anchors(other).values()) == where
    twice = (V.findings[0], replace(V.findings[0], reason="again"))
    assert list(anchors(twice).values()) == [where[0], where[0] + "-2"]
    one, two = (replace(V.findings[0], features=(name,)) for name in ("性別", "年齢"))
    assert len(set(anchors((one, two)).values())) == 2


def test_page_one_leads_to_its_findings(page: str) -> None:
    why = page.partition('<div class="why">')[2].partition('class="two"')[0]
    where = anchors(V.findings)
    assert f'<a href="#{where[id(V.findings[0])]}">HC-02</a>' in why


def test_page_one_answers_in_the_order_of_a_reviewer(page: str) -> None:
    front = Reader(page).text
    front = front[:front.index("1 Verdict Whether it can go out")]
    asked = ("Decision", "Not to be released", "Why", "Since the earlier version", "Who is affected", "How sure",
             "Rules fixed before the run", "Exceptions", "To be signed", "Not covered")
    places = [front.index(x) for x in asked]
    assert places == sorted(places)


def test_every_rule_stands_in_the_checklist_with_its_source(page: str) -> None:
    part = Reader(page).text.partition("Every rule, and what was seen")[2]
    for f in V.findings:
        assert f"{f.rule} {f.title['en']} (" in part


def test_the_crosswalk_leads_to_sections_and_hides_nothing(page: str) -> None:
    items = [i for f in frameworks() for i in f["item"]]
    assert {f["id"] for f in frameworks()} == {"annex-iv", "nist-ai-rmf", "japan-fsa-mrm", "japan-mlqm", "iso-42001"}
    known = {n for fields in FIELDS.values() for n in fields}
    for i in items:
        assert set(i["asks"]) == {"en", "ja"} and all(1 <= n <= SECTIONS for n in i["sections"])
        assert set(i.get("fields", ())) <= known
    table = page.partition('id="crosswalk"')[2].partition('id="signoff"')[0]
    assert table.count("<tr><td>") == len(items)
    assert table.count("outside this tool") == sum(not i["sections"] for i in items)
    text = re.sub(r"<[^>]*>", "", table)
    assert text.count("are from memory") == 2
    wanted = {n for i in items for n in i["sections"]}
    assert set(map(int, re.findall(r'href="#s(\d+)"', table))) == wanted
    assert not re.search("compliant|conform(s|ant)|適合(?!性|宣言)", text)


def test_the_state_of_an_item_is_that_of_what_answers_it() -> None:
    def row(card: dict[str, object], id: str) -> str:
        text = Reader(made(replace(E, card=card))).text.partition("Crosswalk Where each item")[2]
        return text.partition(f" {id} ")[2][:80]

    assert "16 missing" in row({}, "MEASURE 3.3") and "16 shown" in row({"appeal": "x"}, "MEASURE 3.3")
    assert "15 partly" in row({"residual_risk": "x"}, "MANAGE 1.4")
    assert "Declared level: 2." in row({"mlqm": {"fairness_level": 2}}, "AIFL")


def rows_of(*rows: SinceRow, **more: object) -> Verdict:
    return replace(V, since=Since("credit", "3.1.4", "2026-05-01T00:00:00Z", rows, **more),  # type: ignore[arg-type]
                   judged={**V.judged, "baseline": "beef" * 16})


def test_what_changed_stands_on_page_one_and_in_section_4() -> None:
    women, men = (next(g for g in E.feature_groups["sex",] if g.values == (v,)) for v in sample.SEX)
    v = rows_of(
        SinceRow("roc_auc", 0.774, 0.781, 0.007, 0.0000004, 0.011, 0.95, "better"),
        SinceRow("roc_auc", None, 0.70, None, None, None, 0.95, "unknown", group=women.id, features=("sex",)),
        SinceRow("selection_rate", 0.921, 0.896, -0.025, -0.041, -0.009, 0.95, "worse", women.id, men.id, "ratio",
                 ("sex",)),
        SinceRow("accuracy", 0.8, 0.805, 0.005, -0.01, 0.02, 0.95, "no difference"),
        SinceRow("latency_p95_ms", 3.9, 4.1, 0.2, None, None, 0.95, "unknown"),
        features_added=("trend",), features_removed=("age",), same_model=False, same_data=False,
        settings=(("data.threshold", "0.25", "0.2"), ("rows", "2000", "2400")))
    text = Reader(made(v=v)).text
    drawn = re.sub(r"<svg.*?</svg>", "", made(v=v), flags=re.S)
    for place in (text.partition("Not covered")[0], Reader(drawn).text.partition("What is different now")[2]):
        # The interval excludes 0, and so does what is printed of it.
        assert "ROC AUC 0.774 0.781 +0.0070000 [0.0000004, 0.0110000] better" in place
        assert "ROC AUC, sex women: worst now not known 0.700 not compared" in place
        assert "Lowest selection ratio, sex: women to men 0.921 0.896 −0.025 [−0.041, −0.009] worse" in place
        assert "80.0% 80.5% +0.005 [−0.010, 0.020] no difference shown" in place
        assert "3.90 ms 4.10 ms +0.200 ms not compared" in place
        assert "+ trend − age" in place and "another file, 2,000 rows before, 2,400 now" in place
    assert "Since version 3.1.4" in text and "its digest is beef beef" in text
    assert "data.threshold 0.25 0.2" in text


def test_page_one_shows_few_ratios_and_says_how_many_more() -> None:
    ratios = [SinceRow("selection_rate", 0.9, 0.9 - i / 100, -i / 100, -0.1, 0.1, 0.95,
                       "worse" if i == 1 else "no difference", g.id, "overall", "ratio", (f"x{i}",))
              for i, g in enumerate(E.feature_groups["age",][:4])]
    first = Reader(made(v=rows_of(*ratios, same_model=True, same_data=True))).text.partition("Not covered")[0]
    assert "x1:" in first and "x3:" in first and "x0:" not in first
    assert "2 further changes are in section 4." in first and "the same file" in first


def test_one_number_by_hand_is_what_the_command_prints(tmp_path: Path) -> None:
    (tmp_path / "evidence.json").write_bytes(document(E))
    text = Reader(made()).text
    hand = text.partition("One number by hand")[2]
    group = re.search(r"the entry of “counts” with group (g\d+)", hand)
    assert group is not None
    c = E.counts_by_group[group[1]]
    n = c.tp + c.fp + c.fn + c.tn
    command = shlex.split(by_command(group[1], None))
    assert shlex.join(command) in hand
    done = subprocess.run([sys.executable, *command[1:]], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(c.selected), str(n), str(c.selected / n)]
    assert f"selected / rows = {c.selected} / {n} = {round(c.selected / n, 6)}" in hand


def test_the_command_takes_any_class_name(tmp_path: Path) -> None:
    label = "it's \"a\" $HOME `b` \u202e 高"
    e = task_sample.multiclass(classes=[label, "b", "c"], favourable=label)
    (tmp_path / "evidence.json").write_bytes(document(e))
    c = next(c for c in e.counts if c.label == label and c.group == "g1")
    line = by_command("g1", label)
    assert "\u202e" not in line
    done = subprocess.run(["sh", "-c", line.replace("python", shlex.quote(sys.executable), 1)], cwd=tmp_path,
                          capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == str(c.selected)


def test_what_the_evaluation_cannot_say(page: str) -> None:
    said = Reader(page).text.partition("What this evaluation cannot say")[2]
    assert "All numbers describe the 2,400 rows used." in said
    assert "2 findings are not settled, because the data are too few." in said


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """The text of each page of the fullest page one: changes, waivers, a policy's state, four people to sign."""
    from govern.formats.pdf import pdf_available, render_pdf

    if pdf_available() is not None:
        pytest.skip(str(pdf_available()))
    pypdf = pytest.importorskip("pypdf")
    women, men = (next(g for g in E.feature_groups["sex",] if g.values == (v,)) for v in sample.SEX)
    long = {"en": "I have read this card and its findings, and I know of nothing that they leave out. " * 3}
    people = ToSign("BASE-16", "baseline", {}, ("developer", "independent_reviewer", "owner", "approver"), True, long)
    ratio = SinceRow("selection_rate", 0.92, 0.9, -0.02, -0.04, -0.01, 0.95, "worse", women.id, men.id, "ratio",
                     ("sex",))
    v = replace(rows_of(*[ratio] * 7, same_model=True, same_data=True), to_sign=(people,))
    page = made(v=v, edition=Edition(brand=Brand("Bank of Examples", "#1d5b94")))
    pdf = render_pdf(page, identifier=b"0" * 16, created=E.created)
    return [" ".join(p.extract_text().split()) for p in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def test_page_one_holds_everything_up_to_the_boxes_of_four_signers(printed: list[str]) -> None:
    for said in ("BANK OF EXAMPLES", "Since version 3.1.4", "Who is affected", "HC-08 pilot only", "To be signed",
                 "Developer", "Independent reviewer", "Owner", "Approver", "Not covered"):
        assert said in printed[0]
    assert printed[1].startswith("CONTENTS")


def test_the_pages_named_are_the_pages_where_things_stand(printed: list[str]) -> None:
    at = {n: i + 1 for n in range(2, SECTIONS + 1) for i, page in enumerate(printed)
          if i and f"{n} {T(f'sections.s{n}')} {T(f'sections.s{n}_asks')}" in page}
    assert len(at) == SECTIONS - 1
    for n in (2, 9, 18, 25):
        asks = T(f"sections.s{n}_asks")
        entry = re.search(rf"\b{n} {T(f'sections.s{n}')} {asks} .*? (\d+) (?:{n + 1} [A-Z]|Annex)", printed[1])
        assert entry is not None and int(entry[1]) == at[n]
    named = re.search(r"BASE-\d+ p\. (\d+)|HC-\d+ p\. (\d+)", printed[0])
    assert named is not None and int(named[1] or named[2]) == at[18]


def test_nothing_is_judged_without_a_verdict() -> None:
    text = Reader(card(E)).text
    for said in ("1 Verdict Whether it can go out, and why not judged",
                 "19 Policy checklist Every rule, and what was seen not judged", "No rule with a limit was applied"):
        assert said in text


def test_the_catalogues_of_both_languages_have_the_same_keys() -> None:
    for name in ("sections", "supplied"):
        one, two = (tomllib.loads(resource("templates", "strings", lang, f"{name}.toml").read_text("utf-8"))
                    for lang in ("en", "ja"))
        assert {(s, k) for s in one for k in one[s]} == {(s, k) for s in two for k in two[s]}
        blank = re.compile(r"\{(\w+)\}")
        for s in one:
            for k in one[s]:
                a, b = (json.dumps(t[s][k]) for t in (one, two))
                assert set(blank.findall(a)) == set(blank.findall(b)), (s, k)
