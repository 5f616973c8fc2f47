"""The card in a browser: what its script does, by mouse and by keyboard, and what it must never do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cards
import pytest
import sample

from govern.codec import load
from govern.evidence import EVIDENCE_SCHEMA, OVERALL, Evidence, Measurement
from govern.formats.cells import value
from govern.formats.edition import Edition
from govern.formats.html import render_html
from govern.formats.numbers import count, decimal, percent
from govern.formats.strings import strings
from govern.verdict import VERDICT_SCHEMA, Finding, Verdict

if TYPE_CHECKING:
    from conftest import Opened

Open = Callable[..., "Opened"]
WORDS = strings().get("screen")
HOSTILE = {"25 or less": "</script><img src=x onerror=alert(1)>", "26–35": "<svg onload=alert(2)>",
           "men": "\"' onfocus=alert(3) autofocus x=\"", "women": "javascript:alert(4)<!--"}


@pytest.fixture(scope="module")
def report(german: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the real thing: German credit at a threshold."""
    out = tmp_path_factory.mktemp("report")
    done = subprocess.run(
        [sys.executable, "-m", "govern", "report", *german.arguments, "--threshold", "0.3", "--compute", "skip",
         "--format", "html", "--out", str(out), "--quiet"], cwd=german.folder, capture_output=True, text=True)
    assert done.returncode in (0, 1, 3), done.stderr
    return out


@pytest.fixture(scope="module")
def documents(report: Path) -> tuple[Evidence, Verdict]:
    return (load(report / "evidence.json", Evidence, EVIDENCE_SCHEMA)[0],
            load(report / "verdict.json", Verdict, VERDICT_SCHEMA)[0])


@pytest.fixture
def html(report: Path) -> str:
    return (report / "card.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made() -> str:
    """A card of the sample with a sweep and long tables."""
    e = sample.evidence()
    return cards.card(*cards.swept(e, sample.verdict(e)))


def focused(opened: Opened) -> str:
    """The id, else the class, of what has the focus."""
    return str(opened.page.evaluate("document.activeElement.id || document.activeElement.className"))


def test_the_explorer_shows_at_every_threshold_what_the_documents_hold(
        opened: Open, html: str, documents: tuple[Evidence, Verdict]) -> None:
    e, v = documents
    sweep = v.sweep
    assert sweep is not None and len(sweep.points) > 20 and sweep.questions
    marks = {"pass": "within", "fail": "outside", "insufficient": "unsettled", "not_run": "unsettled"}
    place = {x: i for i, x in enumerate(e.thresholds)}
    at = {c.group: c for c in e.threshold_counts}
    sexes = e.feature_groups["sex",]
    card = opened(html)
    slider = card.page.locator("#explore-at")
    for i, point in enumerate(sweep.points):
        slider.fill(str(i))
        facts = card.texts(".explorer dd")
        assert facts[0].startswith(percent(point.selection_rate or 0.0))
        assert facts[1].startswith(value(Measurement(sweep.metric, point.primary)))
        assert point.outcome in facts[2].split()[1]
        rules = card.page.locator(".explorer table").nth(1).locator("tbody tr")
        said = [" ".join(x.split()) for x in rules.locator("td:nth-child(5)").all_inner_texts()]
        assert [s.removesuffix(" changed").split(" ", 1)[1] for s in said] == [
            WORDS[marks[o]] for o in point.outcomes]
        rows = card.page.locator(".explorer table").nth(0).locator("tbody tr").all_inner_texts()
        for group, row in zip((e.groups_by_id[OVERALL], *sexes), rows, strict=False):
            c, k = at[group.id], place[point.threshold]
            tp, fp, fn, tn = c.tp[k], c.fp[k], c.fn[k], c.tn[k]
            cells = row.split("\t")
            assert cells[1:3] == [count(group.n), count(fn + tn)]
            assert cells[4] == percent((fn + tn) / group.n)
            assert cells[6] == percent(tp / (tp + fn)) and cells[8] == percent(fp / (fp + tn))
            assert cells[10] == (percent(tp / (tp + fp)) if tp + fp else "–")


def test_gaps_at_the_threshold_in_force_are_the_disparities_of_the_evidence(
        opened: Open, html: str, documents: tuple[Evidence, Verdict]) -> None:
    card = opened(html)
    names = card.page.locator("#explore-of option").all_inner_texts()
    assert names == ["sex", "age", "sex:age"]
    compared = 0
    for name in names:
        features = tuple(name.split(":"))
        card.page.locator("#explore-of").select_option(name)
        gap, ratio = (r.split("\t") for r in card.page.locator(".gap-row").all_inner_texts())
        for column, metric in ((1, "demographic_parity"), (3, "equal_opportunity")):
            for cells, compare in ((gap, "difference"), (ratio, "ratio")):
                m = documents[0].find(f"{metric}_{compare}", features=features)
                if m is not None and m.value is not None:
                    assert cells[column] == decimal(m.value), (features, metric, compare)
                    compared += 1
    assert compared >= 10


def test_the_change_is_against_the_threshold_in_force(opened: Open, made: str) -> None:
    card = opened(made)
    assert card.page.locator("output").inner_text() == "0.25"
    card.page.get_by_role("button", name="cheapest that meets the rules: 0.6").click()
    assert card.page.locator("output").inner_text() == "0.6"
    assert focused(card) == "explore-at"
    assert "changed" in card.page.locator(".explorer tr.changed").inner_text()
    assert "0.525 in force" in card.texts(".explorer dd")[1]
    assert "BLOCK in force" in card.texts(".explorer dd")[2]
    assert "2 of 2 questions within" in str(card.page.locator("#explore-at").get_attribute("aria-valuetext"))


def test_everything_is_reached_by_keyboard(opened: Open, made: str) -> None:
    card = opened(made)
    keys = card.page.keyboard
    keys.press("Tab")
    assert focused(card) == "skip screen"
    keys.press("Enter")
    card.page.wait_for_function("document.activeElement.id === 'main'")
    card = opened(made)
    keys, seen = card.page.keyboard, []
    for _ in range(400):
        keys.press("Tab")
        seen.append(focused(card))
        if seen[-1] == "explore-at":
            break
    assert {"skip screen", "look", "made sort", "made anchor", "explore-at"} <= set(seen)
    outline = card.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    for key, shown in (("ArrowRight", "0.4"), ("End", "0.6"), ("Home", "0.1"), ("ArrowRight", "0.25")):
        keys.press(key)
        assert card.page.locator("output").inner_text() == shown


def test_tables_are_sorted_and_put_back(opened: Open, made: str) -> None:
    card = opened(made)
    table = card.page.locator("#fairness table").nth(1)
    names = lambda: table.locator("tbody td:first-child").all_inner_texts()  # noqa: E731
    before = names()
    rows = table.get_by_role("button", name="Sort by rows")
    numbers = lambda: [int(x.replace(",", "")) for x in  # noqa: E731
                       table.locator("tbody td:nth-child(2)").all_inner_texts()]
    rows.focus()
    card.page.keyboard.press("Enter")
    assert numbers() == sorted(numbers())
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    rows.click()
    assert numbers() == sorted(numbers(), reverse=True) and numbers() != sorted(numbers())
    rows.click()
    assert names() == before and table.locator("th[aria-sort]").count() == 0
    # A head over two columns sorts by the number in the second.
    table.locator("th[colspan]").first.get_by_role("button").click()
    rates = [float(x.rstrip("%")) for x in table.locator("tbody td:nth-child(6)").all_inner_texts()]
    assert rates == sorted(rates)


def test_tables_are_filtered_and_a_link_to_a_hidden_row_shows_it(opened: Open, made: str) -> None:
    card = opened(made)
    page = card.page
    box = page.get_by_label("Filter rows of sex:age")
    box.fill("men 26–35")
    table = page.locator("#fairness .part", has=box).locator("table")
    visible = table.locator("tbody tr:visible")
    assert visible.count() == 2  # women too hold the letters of men
    box.fill("26–35 women")
    assert visible.count() == 1
    assert page.locator("#fairness .part", has=box).get_by_role("status").inner_text() == "1 of 10 rows"
    page.evaluate("document.querySelector('.off').id = 'f-hidden'")
    page.evaluate("location.hash = '#f-hidden'")
    page.wait_for_function("document.activeElement.id === 'f-hidden'")
    assert visible.count() == 10 and box.input_value() == ""


def test_a_link_leads_to_its_part_and_marks_it(opened: Open, made: str) -> None:
    card = opened(made, anchor="#thresholds")
    card.page.wait_for_function("document.activeElement.id === 'thresholds'")
    assert card.page.evaluate("document.getElementById('thresholds').getBoundingClientRect().top") < 450
    plain = card.page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
    assert card.page.evaluate("getComputedStyle(document.getElementById('thresholds')).backgroundColor") != plain
    anchors = card.page.locator("a.anchor").evaluate_all("all => all.map(a => a.hash)")
    assert {"#thresholds", "#s10"} < set(anchors)
    assert card.page.evaluate("all => all.every(a => document.getElementById(a.slice(1)))", anchors)


def test_every_open_finding_has_a_link_that_leads_to_it(opened: Open, made: str) -> None:
    card = opened(made)
    anchors = card.page.locator(".finding a.anchor").evaluate_all("all => all.map(a => a.hash)")
    assert len(anchors) == card.page.locator(".finding").count() >= 3
    for anchor in anchors:
        there = opened(made, anchor=anchor)
        there.page.wait_for_function("document.activeElement.id === decodeURIComponent(location.hash.slice(1))")
        assert there.page.evaluate("document.activeElement.getBoundingClientRect().top") < 900


def test_the_contents_follow_the_reader(opened: Open, made: str) -> None:
    card = opened(made)
    current = card.page.locator(".side a[aria-current]")
    assert current.inner_text() == "Verdict"
    card.page.locator(".side a", has_text="Policy checklist").click()
    card.page.wait_for_function("document.querySelector('.side a[aria-current]').hash === '#s19'")
    assert card.page.evaluate("document.querySelector('.side').getBoundingClientRect().top") == 0
    narrow = opened(made, width=390)
    assert not narrow.page.locator(".side ol").is_visible()
    button = narrow.page.get_by_role("button", name="Contents")
    button.click()
    assert button.get_attribute("aria-expanded") == "true" and narrow.page.locator(".side ol").is_visible()
    narrow.page.keyboard.press("Escape")
    assert not narrow.page.locator(".side ol").is_visible()
    assert narrow.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_light_and_dark_follow_the_system_until_the_reader_chooses(opened: Open, made: str) -> None:
    sheet = "getComputedStyle(document.querySelector('main')).backgroundColor"
    ink = "getComputedStyle(document.body).color"
    light, dark = opened(made), opened(made, dark=True)
    assert light.page.evaluate(sheet) == "rgb(255, 255, 255)"
    assert dark.page.evaluate(sheet) == "rgb(20, 27, 34)" and dark.page.evaluate(ink) == "rgb(230, 235, 240)"
    assert dark.page.evaluate("getComputedStyle(document.querySelector('svg [stroke=\"#16202b\"]')).stroke") == \
        "rgb(230, 235, 240)"
    for card, after in ((light, "rgb(20, 27, 34)"), (dark, "rgb(255, 255, 255)")):
        button = card.page.get_by_role("button", name="Dark")
        was = button.get_attribute("aria-pressed")
        button.click()
        assert card.page.evaluate(sheet) == after and button.get_attribute("aria-pressed") != was


def test_without_scripts_it_is_complete_and_dark_where_the_system_is(opened: Open, made: str) -> None:
    plain, scripted = opened(made, scripts=False, dark=True), opened(made)
    scripted.page.evaluate("document.querySelectorAll('.made').forEach(e => e.remove())")
    scripted.page.evaluate("document.documentElement.className = ''")
    assert plain.texts("main") == scripted.texts("main")
    assert plain.page.locator(".made").count() == 0
    assert plain.page.locator("nav a").count() > 5


def test_the_command_is_copied_and_where_it_cannot_be_it_is_selected(opened: Open, made: str) -> None:
    card = opened(made, permissions=["clipboard-read", "clipboard-write"])
    command = card.page.locator(".command code").first.inner_text()
    button = card.page.get_by_role("button", name="Copy the command").first
    button.click()
    card.page.get_by_role("button", name="Copied").wait_for()
    assert card.page.evaluate("navigator.clipboard.readText()") == command
    other = opened(made)
    other.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    other.page.evaluate("document.execCommand = () => false")
    other.page.get_by_role("button", name="Copy the command").first.click()
    other.page.get_by_role("button", name=WORDS["copy_yourself"]).wait_for()
    assert other.page.evaluate("getSelection().toString()") == command


def test_what_is_printed_is_the_card_without_what_the_script_made(opened: Open, made: str) -> None:
    pdfium = pytest.importorskip("pypdfium2")

    def printed(card: Opened) -> list[str]:
        document = pdfium.PdfDocument(card.page.pdf(format="A4", print_background=True))
        return [document[i].get_textpage().get_text_bounded() for i in range(len(document))]

    plain, used = opened(made, scripts=False), opened(made, dark=True)
    used.page.get_by_label("Filter rows of sex:age").fill("61 or more")
    used.page.locator("#fairness table").nth(1).get_by_role("button", name="Sort by rows").click()
    used.page.locator("#explore-at").fill("3")
    before = used.texts("#fairness tbody td:first-child")
    assert printed(used) == printed(plain)
    assert used.texts("#fairness tbody td:first-child") == before


def test_nothing_in_the_data_runs(opened: Open) -> None:
    e = sample.evidence(rename=HOSTILE)
    e = replace(e, card={**e.card, "purpose": "</title><script>alert(5)</script>", "owner": "<iframe srcdoc='x'>"},
                notes=("<img src=x onerror=alert(6)>",))
    hostile: tuple[Finding, ...] = tuple(replace(f, title={"en": "</script><script>alert(7)</script>"},
                                                 says={"en": "<b onclick=alert(8)>"}) for f in sample.findings(e))
    e, v = cards.swept(e, sample.verdict(e, found=hostile))
    card = opened(cards.card(e, v))
    for i in range(len(e.feature_groups)):
        card.page.locator("#explore-of").select_option(index=i)
        card.page.locator("#explore-at").fill("2")
    text = card.page.locator("body").inner_text()
    for name in (*HOSTILE.values(), "</script><script>alert(7)</script>", "<img src=x onerror=alert(6)>"):
        assert name in text
    assert HOSTILE["men"] in card.page.locator(".explorer").inner_text() or \
        HOSTILE["25 or less"] in card.page.locator(".explorer").inner_text()
    tags = card.page.evaluate("[...new Set([...document.querySelectorAll('body *')].map(e => e.localName))]")
    assert not {"img", "iframe", "object", "link"} & set(tags)
    assert card.page.evaluate("document.scripts.length") == 2


def test_the_policy_of_the_page_stops_what_would_get_in(opened: Open, made: str) -> None:
    card = opened(made)
    for way, refused in (("document.body.innerHTML = '<p>x</p>'", "TrustedHTML"),
                         ("document.body.setAttribute('onclick', 'window.ran = 1')", "TrustedScript"),
                         ("document.createElement('script').text = 'window.ran = 1'", "TrustedScript")):
        with pytest.raises(Exception, match=refused):
            card.page.evaluate(way)
    failed: list[tuple[str, str | None]] = []
    card.page.on("requestfailed", lambda r: failed.append((r.url, r.failure)))
    with card.page.expect_event("requestfailed"):
        card.page.evaluate("""() => {
            const picture = new Image();
            picture.src = 'https://example.org/x.png';
            document.body.append(picture);
        }""")
    assert failed == [("https://example.org/x.png", "csp")]
    assert card.page.evaluate("fetch('https://example.org/').then(() => 'let out', () => 'refused')") == "refused"
    assert card.page.evaluate("window.ran === undefined")
    assert any("Content Security Policy" in s for s in card.said)
    card.said.clear()
    del card.requests[1:]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(opened: Open, made: str, html: str, dark: bool, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    e = sample.evidence()
    japanese = render_html(*cards.swept(e, sample.verdict(e)), None, digests=sample.DIGESTS, edition=Edition("ja"))
    shown = [(japanese if dark else made, "#thresholds"), *([] if dark or width < 1000 else [(html, "")])]
    for page, anchor in shown:
        card = opened(page, dark=dark, width=width, anchor=anchor)
        if width < 1000:
            card.page.locator(".opener").click()
        card.page.locator("#explore-at").fill("1")
        card.page.locator(".filter input").first.fill("a")
        found = axe.run(card.page).response["violations"]
        assert [(f["id"], n["html"][:200], n["failureSummary"]) for f in found for n in f["nodes"]] == []


def test_a_card_of_five_hundred_groups_opens_at_once(opened: Open, record_property: Callable[..., None]) -> None:
    """Processor time of the page's thread, which other work on the machine does not lengthen much."""
    e = cards.many(500)
    html = cards.card(*cards.swept(e, sample.verdict(e, "REVIEW", ())))
    card = opened("<title>empty</title>")
    session = card.context.new_cdp_session(card.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        return next(float(m["value"]) for m in session.send("Performance.getMetrics")["metrics"]
                    if m["name"] == "TaskDuration")

    took = {}
    start = spent()
    for name, act in (
            ("open", lambda: card.page.set_content(html)),
            ("threshold", lambda: card.page.locator("#explore-at").fill("2")),
            ("sort", lambda: card.page.locator("#fairness .sort").nth(1).click()),
            ("filter", lambda: card.page.locator(".filter input").first.fill("branch 4"))):
        act()
        card.page.evaluate("document.body.getBoundingClientRect().height")
        start, took[name] = spent(), spent() - start
    record_property("seconds", json.dumps(took))
    print(f"500 groups, {len(html):,} bytes, seconds of processor time: {took}")
    assert card.page.locator(".explorer table").nth(0).locator("tbody tr").count() == 503
    # Half a second here; a script that is quadratic in the rows takes ten.
    assert took["open"] < 2 and max(took.values()) < 2
