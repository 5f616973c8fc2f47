"""The catalogues: equal keys, equal fields, plural forms as declared, and the house rules of Japanese text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from govern.formats.strings import Strings, strings
from govern.resources import resource

LANGUAGES = ("en", "ja")
JAPANESE = re.compile("[、-ヿ㐀-鿿（）：]")
# Entries that are the same sign, name or abbreviation in every language.
SAME = {"lang", "page1.made_by", "fairness.tally", "exploring.q", "metric.roc_auc", "metric.f1_score",
        "reason.received"}


def table_of(lang: str, file: str) -> dict[str, Any]:
    return tomllib.loads(resource("templates", "strings", lang, file).read_text("utf-8"))


def files(lang: str) -> list[str]:
    return sorted(f.name for f in resource("templates", "strings", lang).glob("*.toml"))


def entries(node: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, text or plural table) of every sentence; the rules of the language are none."""
    if isinstance(node, dict) and "other" in node and all(isinstance(v, str) for v in node.values()) and at:
        yield at, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from entries(value, f"{at}.{key}" if at else key) if key != "language" else ()
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from entries(value, f"{at}.{i}")
    else:
        yield at, node


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_language_has_the_same_files_with_the_same_keys() -> None:
    assert files("en") == files("ja")
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
    used = {u for u in used if not u.endswith((".toml", ".json", ".css", ".html", ".j2", ".md", ".pdf"))}
    patterns = [re.compile(re.escape(u).replace(r"\*", "[^.]*")) for u in used]
    whole = {"card", "roles", "lang", "model", "exploring", "policy", "datachecks", "residuals"}
    unused = {k for k in known if not any(p.fullmatch(k) for p in patterns) and k.partition(".")[0] not in whole}
    assert not unused
    missing = {u for u, p in zip(used, patterns, strict=True) if not any(p.fullmatch(k) for k in known)}
    assert not missing


def test_a_catalogue_without_rules_of_its_language_is_none() -> None:
    with pytest.raises(KeyError, match="language"):
        Strings({"lang": "xx"})
