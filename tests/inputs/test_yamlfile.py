from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from govern.errors import InputError
from govern.yamlfile import parse_yaml, read_yaml, validate


def refusal(text: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        parse_yaml(text if isinstance(text, bytes) else text.encode(), "p.yaml")
    line = str(caught.value)
    assert "\n" not in line and len(line) <= 292
    return line


def test_core_schema_scalars() -> None:
    doc = parse_yaml(b"""a: no
b: yes
c: 1e-3
d: 010
e: 2026-02-30
f: 12:30
g: ~
h: "1"
i: 0x1F
j: TRUE
k: -.5
l: on
m: 1_000
n:
o: '<<'
""", "p.yaml")
    assert doc.value == {"a": "no", "b": "yes", "c": 0.001, "d": 10, "e": "2026-02-30", "f": "12:30", "g": None,
                         "h": "1", "i": 31, "j": True, "k": -0.5, "l": "on", "m": "1_000", "n": None, "o": "<<"}
    assert doc.value["j"] is True and type(doc.value["d"]) is int


def test_positions_texts_and_digest() -> None:
    data = b"top: 1.50\nlist:\n  - {x: 0.10}\n  - second\n"
    doc = parse_yaml(data, "p.yaml")
    assert doc.sha256 == hashlib.sha256(data).hexdigest()
    assert doc.at(["top"]) == (1, 1)
    assert doc.at(["list", 0]) == (3, 5)
    assert doc.at(["list", 0, "x"]) == (3, 6)
    assert doc.at(["list", 1]) == (4, 5)
    assert doc.at(["list", 0, "absent", "deeper"]) == (3, 5)
    assert doc.text(["top"]) == "1.50"
    assert doc.text(["list", 0, "x"]) == "0.10"
    with pytest.raises(KeyError):
        doc.text(["list"])
    assert str(doc.error(["list", 1], "is odd", "drop it", rule="R-1")) == "p.yaml:4:5: R-1: is odd; drop it"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\ufeff"])
def test_empty_file_is_empty_mapping(text: str) -> None:
    assert parse_yaml(text.encode(), "p.yaml").value == {}


@pytest.mark.parametrize(("text", "said"), [
    ("a: &x 1\nb: 2\n", 'p.yaml:1:4: anchor "&x"'),
    ("b: *x\n", 'p.yaml:1:4: alias "*x"'),
    ("a: !!str 1\n", "p.yaml:1:4: tag"),
    ("<<: {a: 1}\n", 'p.yaml:1:1: merge key "<<"'),
    ("a: 1\n---\nb: 1\n", "p.yaml:2:1: holds a second document"),
    ("%YAML 1.1\n---\na: no\n", "p.yaml:1:1: directives"),
    ("limit: 0.05\nother: 1\nlimit: 0.5\n", 'p.yaml:3:1: duplicate key "limit"'),
    ("{a: 1, 'a': 2}\n", 'p.yaml:1:8: duplicate key "a"'),
    ("1: x\n", 'p.yaml:1:1: key "1" is not text; put it in quotes'),
    ("true: x\n", 'key "true" is not text'),
    ("? [a]\n: 1\n", "a key must be text"),
    ("a\u202eb: 1\n", "invisible or control characters"),
    ('"a\\u200bb": 1\n', "invisible or control characters"),
    ('a: "x\\u0007"\n', "p.yaml:1:4: "),
    ('a: "\\ud800"\n', "control characters"),
    ("a: 1\n\x07b: 2\n", "p.yaml:2:1: is not valid YAML: control characters"),
    ("a: .nan\n", "is not a finite number"),
    ("a: -.inf\n", "is not a finite number"),
    ("a: 1e999\n", "is not a finite number"),
    ("a: " + "9" * 5000 + "\n", "has more than 18 digits"),
    ("a: [1\nb: 2\n", "p.yaml:2:2: is not valid YAML"),
    ("a: 'x\n", "is not valid YAML"),
    ("a: b: c\n", "p.yaml:1:5: is not valid YAML"),
    ("\ta: 1\n", "p.yaml:1:1: is not valid YAML"),
    ('a: "\\U11111111"\n', "is not valid YAML"),
    ("[" * 5000, "p.yaml:1:33: is nested deeper than 32 levels"),
    ("a: [" + "1," * 60_000 + "]", "holds more than 50,000 values"),
])
def test_refused_with_place(text: str, said: str) -> None:
    assert said in refusal(text)


def test_not_utf8_names_line_and_column() -> None:
    assert refusal(b"a: 1\nb: \xff").startswith("p.yaml:2:4: is not UTF-8")


def test_depth_32_is_read() -> None:
    assert parse_yaml(b"[" * 32 + b"]" * 32, "p.yaml").value


def test_file_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_yaml(tmp_path / "absent.yaml")
    big = tmp_path / "big.yaml"
    big.write_bytes(b"# " + b"x" * 100)
    with pytest.raises(InputError, match="larger than 50 bytes"):
        read_yaml(big, max_bytes=50)
    assert read_yaml(big).value == {}


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab01:-[]{}&*!%|>'\"?#,.~ \n\t\\u\u202e"), max_size=40))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        doc = parse_yaml(text.encode(), "p.yaml")
    except InputError as err:
        assert str(err).startswith("p.yaml:") and "\n" not in str(err)
    else:
        assert isinstance(doc.value, dict | list | str | int | float | bool)


class Base(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Reference(Base):
    baseline: float


class Bound(Base):
    kind: Literal["bound"]
    id: str
    metric: str | list[str]
    min: float | Literal["declared"] | Reference | None = None


class Smoke(Base):
    kind: Literal["smoke"]
    id: str
    checks: list[str]


class Pack(Base):
    name: str
    status: Literal["in_force", "guidance"] = "in_force"
    rules: list[Annotated[Bound | Smoke, Field(discriminator="kind")]] = []
    limits: dict[str, Reference] = {}


@pytest.mark.parametrize(("text", "said"), [
    ("nam: x", 'p.yaml:1:1: unknown key "nam"; did you mean "name"?'),
    ("name: x\nzzz: 1", 'p.yaml:2:1: unknown key "zzz"; known keys: limits, name, rules, status'),
    ("{}", 'p.yaml:1:1: key "name" is missing'),
    ("name: 3", 'p.yaml:1:1: "name" must be text, not 3'),
    ("name: x\nstatus: in_forc", '"in_forc" is not one of in_force, guidance; did you mean "in_force"?'),
    ("name: x\nrules:\n- {kind: bond}", 'p.yaml:3:4: "kind": "bond" is not one of bound, smoke; did you mean'),
    ("name: x\nrules:\n- {id: a}", 'p.yaml:3:3: key "kind" is missing'),
    ("name: x\nrules:\n- {kind: bound, id: a, metrc: r}", 'p.yaml:3:24: unknown key "metrc"; did you mean "metric"?'),
    ("name: x\nrules:\n- {kind: smoke, id: a, metric: r}", 'unknown key "metric"; known keys: checks, id, kind'),
    ("name: x\nrules:\n- {kind: bound, id: a, metric: 3}", "must be text or a list, not 3"),
    ("name: x\nrules:\n- {kind: bound, id: a, metric: r, min: {basline: 1}}", 'did you mean "baseline"?'),
    ("name: x\nrules:\n- {kind: bound, id: a, metric: r, min: decl}", "a number or a mapping or declared"),
    ("name: x\nrules: smoke", 'p.yaml:2:1: "rules" must be a list, not "smoke"; write it as [smoke]'),
    ("name: x\nlimits: {q: {baslin: 3}}", 'p.yaml:2:14: unknown key "baslin"; did you mean "baseline"?'),
    ("- 1", "p.yaml:1:1: the file must be a mapping, not a list"),
    ("name: x\nrules:\n- {kind: smoke, id: 1, checks: [2]}\n- {kind: bond}", 'p.yaml:3:17: "id" must be text'),
])
def test_first_problem_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        validate(Pack, parse_yaml(text.encode(), "p.yaml"))
    assert said in str(caught.value)


def test_validate_part_of_a_file() -> None:
    doc = parse_yaml(b"packs:\n- {name: x, limits: {q: {baseline: 3}}}\n- {name: 1}", "p.yaml")
    assert validate(Pack, doc, ["packs", 0]).limits["q"].baseline == 3.0
    with pytest.raises(InputError) as caught:
        validate(Pack, doc, ["packs", 1], rule="second")
    assert str(caught.value) == 'p.yaml:3:4: second: "name" must be text, not 1; change the value'


def test_reading_imports_nothing_heavy() -> None:
    code = ("import sys; import govern.yamlfile; assert 'ruamel' not in sys.modules and 'pydantic' not in sys.modules;"
            "govern.yamlfile.parse_yaml(b'a: 1', 'x'); assert 'numpy' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
