"""The catalogues: equal keys, equal fields, plural forms as declared, and the house rules of Japanese text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from govern.formats.naming import metric_name
from govern.formats.strings import Strings, strings
from govern.metrics import METRICS
from govern.resources import resource

LANGUAGES = ("en", "ja")
JAPANESE = re.compile("[、-ヿ㐀-鿿（）：]")
# What English says elsewhere: in metrics.py, and in the documents.
OWN_FILES = {"metrics.toml", "phrases.toml"}
OWN_TABLES = ("metrics", "phrases", "language")
# Phrases whose words the code chooses one by one.
PUT_TOGETHER = {"card.{name} is {given}, not {wanted}", "settings.{name} is {given}, not {wanted}",
                "declared.{name} is {given}, not {wanted}", "{n} more rows of {name} would meet it.",
                "1 more row of {name} would meet it.", "{n} values of {name} would have to be mended.",
                "1 value of {name} would have to be mended.", "{n} more pairs would have to occur.",
                "1 more pair would have to occur.", "fewer than {n} rows with one of the labels",
                "{name} is no list", "expired 1 day ago",
                "{n} rows with a missing value not compared", "1 row with a missing value not compared",
                "{n} rows with an unknown value not compared",
                "{n} of {all} thresholds, for the number of comparisons at each ({comparisons})"}
# Entries that are the same sign, name or abbreviation in every language.
SAME = {"lang", "contents.page", "screen.lang", "page1.made_by", "fairness.tally", "exploring.q", "metric.roc_auc",
        "metric.f1_score", "reason.received"}


def table_of(lang: str, file: str) -> dict[str, Any]:
    return tomllib.loads(resource("templates", "strings", lang, file).read_text("utf-8"))


def files(lang: str) -> list[str]:
    return sorted(f.name for f in resource("templates", "strings", lang).glob("*.toml"))


def entries(node: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, text or plural table) of every sentence."""
    if isinstance(node, dict) and "other" in node and all(isinstance(v, str) for v in node.values()) and at:
        yield at, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from entries(value, f"{at}.{key}" if at else key) if at or key not in OWN_TABLES else ()
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from entries(value, f"{at}.{i}")
    else:
        yield at, node


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_language_has_the_same_files_with_the_same_keys() -> None:
    assert set(files("en")) == set(files("ja")) - OWN_FILES
    for file in files("en"):
        one, other = (dict(entries(table_of(lang, file))) for lang in LANGUAGES)
        assert list(one) == list(other), file
        assert {k: isinstance(v, dict) for k, v in one.items()} == {k: isinstance(v, dict) for k, v in other.items()}


def test_no_table_stands_in_two_files() -> None:
    for lang in LANGUAGES:
        heads = [key for file in files(lang) for key in table_of(lang, file)]
        assert len(heads) == len(set(heads)), lang


def test_a_sentence_has_the_same_fields_in_every_language() -> None:
    one, other = (dict(entries(strings(lang).table)) for lang in LANGUAGES)
    for key, text in one.items():
        counted = isinstance(text, dict)
        ours = fields(text["other"] if counted else text)
        theirs = fields(other[key]["other"] if counted else other[key])
        assert ours == theirs, key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_sentence_that_counts_has_the_plural_forms_of_its_language(lang: str) -> None:
    t = strings(lang)
    for key, text in entries(t.table):
        if isinstance(text, dict):
            assert tuple(text) == t.plural, key
            assert all(fields(form) <= fields(text["other"]) for form in text.values()), key


def test_the_form_is_chosen_by_n() -> None:
    assert [strings("en")("page1.rows", n=n) for n in ("1", "2", "1,001")] == ["1 row", "2 rows", "1,001 rows"]
    assert [strings("ja")("page1.rows", n=n) for n in ("1", "2", "1,001")] == ["1件", "2件", "1,001件"]


def test_japanese_is_japanese_and_keeps_the_house_rules() -> None:
    said_in_english = {key: str(text) for key, text in entries(strings("en").table)}
    for key, text in entries(strings("ja").table):
        said = text["other"] if isinstance(text, dict) else text
        assert not re.search("[０-９Ａ-Ｚａ-ｚ％＋－＝＜＞]", said), f"{key}: full-width Latin"
        assert not re.search("適合(?!率)|違反|差別あり|です。|ます。", said), key
        if key not in SAME and re.search(r"[a-z]", re.sub(r"\{\w+\}", "", said_in_english[key])):
            assert JAPANESE.search(said), f"{key} is not translated: {said}"


def test_terms_of_the_glossary_have_one_translation() -> None:
    terms = {"ROC curve": "ROC曲線", "calibration": "較正", "waiver": "例外承認", "selection rate": "選択率",
             "verdict": "判定|verdict", "training data": "学習データ", "tool default": "ツール既定値",
             "smoke check": "スモークテスト", "not enough data": "データ不足"}
    one, other = (dict(entries(strings(lang).table)) for lang in LANGUAGES)
    for key, text in one.items():
        said, ours = ((x["other"] if isinstance(x, dict) else x) for x in (text, other[key]))
        for term, translated in terms.items():
            if re.search(rf"\b{term}\b", re.sub(r"\{\w+\}", "", said), re.I):
                assert re.search(translated, ours), f"{key}: {term} → {ours}"


def test_every_sentence_is_used_and_every_use_has_its_sentence() -> None:
    """Keys as the code and the templates write them; what stands in `{…}` or is joined with `~` is any key part."""
    root = Path(__file__).parents[2]
    sources = "".join(p.read_text("utf-8") for folder in ("govern/formats", "templates")
                      for p in (root / folder).rglob("*") if p.suffix in (".py", ".j2"))
    known = {re.sub(r"\.\d+(?=\.|$)", "", key) for key, _ in entries(strings().table)}
    tables = "|".join({key.partition(".")[0] for key in known})
    key = rf"""(["'])((?:{tables})\.(?:\{{.*?\}}|[\w./])*?)\1(\s*~)?"""
    used = {re.sub(r"\{.*\}", "*", m[2] + ("*" if m[3] else "")) for m in re.finditer(key, sources)}
    used = {u for u in used if not u.endswith((".toml", ".json", ".css", ".html", ".j2", ".md", ".pdf", ".js"))}
    patterns = [re.compile(re.escape(u).replace(r"\*", "[^.]*")) for u in used]
    whole = {"card", "roles", "lang", "model", "exploring", "policy", "datachecks", "residuals", "screen"}
    unused = {k for k in known if not any(p.fullmatch(k) for p in patterns) and k.partition(".")[0] not in whole}
    assert not unused
    missing = {u for u, p in zip(used, patterns, strict=True) if not any(p.fullmatch(k) for k in known)}
    assert not missing


def test_every_metric_has_a_name_and_a_definition() -> None:
    named = strings("ja").table["metrics"]
    assert set(METRICS) <= set(named)
    titles = [m["title"] for m in named.values()]
    assert len(titles) == len(set(titles))
    for name, row in named.items():
        assert set(row) == {"title", "definition"} and "適合(?!率)" not in row["title"], name
        assert JAPANESE.search(row["title"]) or name == "roc_auc", name
    t = strings("ja")
    assert metric_name("roc_auc", t) == "ROC曲線下面積（AUC）" and metric_name("roc_auc") == "ROC AUC"
    assert metric_name("my_metric", t) == "my metric"


def test_phrases_are_those_of_the_documents() -> None:
    """Every fixed part of a phrase stands in the code that says it, so that a changed sentence is noticed here."""
    root = Path(__file__).parents[2] / "govern"
    code = "".join(p.read_text("utf-8") for p in (*root.rglob("*.py"), *resource("policies").glob("*.yaml"))
                   if "formats" not in p.parts)
    code = re.sub(r'"\s*\)?\s*\+?\s*\(?\s*f?"', "", re.sub(r'\{[^{}"\n]*\}', " ", code)).replace("_", " ")
    words = re.sub(r"[^\w%]+", " ", code)
    unsaid = []
    for phrase, said in strings("ja").table["phrases"].items():
        assert fields(said) <= fields(phrase), phrase
        parts = (re.sub(r"[^\w%]+", " ", part.replace("_", " ")) for part in re.split(r"\{\w+\}", phrase))
        unsaid += [phrase for part in parts if " ".join(part.split()) not in words]
    assert set(unsaid) <= PUT_TOGETHER


def test_a_phrase_is_looked_up_with_what_stands_in_it() -> None:
    t = strings("ja")
    assert t.phrase("no limit is declared for model file size") == "モデルファイルのサイズの限界値の宣言なし"
    assert t.phrase("fewer than 30 rows; all outcomes are equal") == "30件未満；すべての実績値が等しい"
    assert t.phrase("to be signed by developer, reviewer") == "署名者：開発者、レビュー担当者"
    assert t.phrase("a word of the user's; no rows") == "a word of the user's；該当行なし"
    assert t.phrase("fewer than 30 rows: other, 61 or more") == "30件未満：other, 61以上"  # the user's own word stays
    assert strings("en").phrase("no rows") == "no rows"


def test_texts_are_joined_as_the_language_does() -> None:
    en, ja = strings("en"), strings("ja")
    assert (en.list(["a", "", "b"]), ja.list(["a", "", "b"])) == ("a, b", "a、b")
    assert (en.clauses("ab"), ja.clauses("ab")) == ("a; b", "a；b")
    assert (en.text([en.sentence("A"), "", "B."]), ja.text([ja.sentence("甲"), "", "乙。"])) == ("A. B.", "甲。乙。")
    assert (en.capital("women"), ja.capital("women")) == ("Women", "women")


def test_a_catalogue_without_rules_of_its_language_is_none() -> None:
    with pytest.raises(KeyError, match="language"):
        Strings({"lang": "xx"})
