"""Unusable input: exit 2, one line that names the thing and the mend, no traceback, nothing written."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GOOD = "x,z,group,y\n0.1,0.2,a,1\n0.3,0.1,b,0\n-1,2,a,0\n2,1,b,1\n"
POLICY = """\
schema: govern.policy/1
name: p
version: "1"
title: {en: P}
status: in_force
as_of: 2026-01-01
rules:
"""
ARGUMENTS = ["--data", "eval.csv", "--target", "y", "--sensitive", "group"]


def put(folder: Path, name: str, text: str | bytes) -> None:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


CASES: dict[str, tuple[list[str], dict[str, str | bytes], list[str]]] = {
    "missing model": (["nothing.pkl", *ARGUMENTS], {}, ["nothing.pkl", "no such file"]),
    "missing data": (["m.pkl", "--data", "none.csv", "--target", "y"], {}, ["none.csv", "no such file"]),
    "no data and target": (["m.pkl"], {}, ["--data", "--target", "govern.yaml"]),
    "nothing at all": ([], {}, ["MODEL", "--data", "--target"]),
    "wrong target": (["m.pkl", "--data", "eval.csv", "--target", "Y"], {}, ['"Y"', 'did you mean "y"']),
    "wrong sensitive": (["m.pkl", *ARGUMENTS[:4], "--sensitive", "grup"], {}, ['"grup"', 'did you mean "group"']),
    "empty file": (["m.pkl", *ARGUMENTS], {"eval.csv": ""}, ["eval.csv", "empty"]),
    "only a header": (["m.pkl", *ARGUMENTS], {"eval.csv": "x,z,group,y\n"}, ["eval.csv", "no rows"]),
    "one-class target": (["m.pkl", *ARGUMENTS], {"eval.csv": "x,z,group,y\n1,2,a,1\n2,3,b,1\n"},
                         ["only the label", '"1"']),
    "three labels": (["m.pkl", *ARGUMENTS], {"eval.csv": "x,z,group,y\n1,2,a,1\n2,3,b,2\n3,4,a,3\n"},
                     ["no class", '"3"']),
    "numbers for a classifier": (["m.pkl", *ARGUMENTS, "--task", "regression"], {}, ["classes", "numbers"]),
    "positive of many classes": (["m.pkl", *ARGUMENTS, "--positive", "1"],
                                 {"eval.csv": "x,z,group,y\n1,2,a,1\n2,3,b,2\n3,4,a,3\n"}, ["--positive"]),
    "a class nobody has": (["m.pkl", *ARGUMENTS, "--class", "0", "--class", "2"], {}, ["--class"]),
    "misspelt settings key": (["m.pkl"], {"govern.yaml": "data:\n  path: eval.csv\n  targe: y\n"},
                              ["govern.yaml:3:3", "targe", 'did you mean "target"']),
    "misspelt policy key": (["m.pkl", *ARGUMENTS, "--policy", "p.yaml"], {"p.yaml": POLICY + """\
  - id: P-1
    kind: bound
    title: {en: Accuracy}
    metric: accuracy
    minn: 0.5
    severity: block
    basis: house
"""}, ["p.yaml:12", "P-1", "minn"]),
    "unknown metric": (["m.pkl", *ARGUMENTS, "--policy", "p.yaml"], {"p.yaml": POLICY + """\
  - {id: P-1, kind: bound, title: {en: A}, metric: acuracy, min: 0.5, severity: block, basis: house}
"""}, ["p.yaml:8", "acuracy", 'did you mean "accuracy"']),
    "unknown policy": (["m.pkl", *ARGUMENTS, "--policy", "baselin"], {}, ['"baselin"', 'did you mean "baseline"']),
    "a text as model": (["t.pkl", *ARGUMENTS], {"t.pkl": "hello, I am text\n"}, ["t.pkl"]),
    "a truncated model": (["t.pkl", *ARGUMENTS], {"t.pkl": pickle.dumps(list(range(100)))[:50]}, ["t.pkl"]),
    "a model that is none": (["t.pkl", *ARGUMENTS], {"t.pkl": pickle.dumps([1, 2, 3])}, ["t.pkl"]),
    "a hostile model": (["t.pkl", *ARGUMENTS], {"t.pkl": b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R."},
                        ["t.pkl", "os.system", "govern scan t.pkl"]),
    "unknown option": (["m.pkl", "--targt", "y"], {}, ["--targt", "--target"]),
    "wrong phase": (["m.pkl", *ARGUMENTS, "--phase", "prod"], {}, ["prod", "company"]),
    "no such language": (["m.pkl", *ARGUMENTS, "--lang", "fr"], {}, ['"fr"', "en, ja"]),
    "negative weights": (["m.pkl", *ARGUMENTS, "--weight", "x"], {}, ["--weight", "negative weights"]),
    "all weights 0": (["m.pkl", *ARGUMENTS, "--weight", "w"],
                      {"eval.csv": "x,z,group,y,w\n1,2,a,1,0\n2,3,b,0,0\n"}, ["the weight is 0"]),
    "the target as cluster": (["m.pkl", *ARGUMENTS, "--cluster", "y"], {}, ["target", '"y"']),
    "no such control": (["m.pkl", *ARGUMENTS, "--control", "regin"], {}, ['"regin"']),
    "no such training data": (["m.pkl", *ARGUMENTS, "--train", "x.csv"], {}, ["x.csv", "no such file", "--train"]),
    "empty training data": (["m.pkl", *ARGUMENTS, "--train", "t.csv"], {"t.csv": "x,z,y\n"}, ["t.csv", "no rows"]),
    "foreign training data": (["m.pkl", *ARGUMENTS, "--train", "t.csv"], {"t.csv": "a,b\n1,2\n"},
                              ["t.csv", "none of the columns", "--train"]),
    "a period without dates": (["m.pkl", *ARGUMENTS, "--period", "2026-01-01..2026-02-01"], {}, ["--period", "--date"]),
    "a period backwards": (["m.pkl", *ARGUMENTS, "--date", "x", "--period", "2026-02-01..2026-01-01"], {},
                           ["--period", "is not a period"]),
    "numbers as dates": (["m.pkl", *ARGUMENTS, "--date", "x"], {}, ['column "x"', "not dates"]),
    "texts that are no dates": (["m.pkl", *ARGUMENTS, "--date", "group"], {}, ['"a"', "no date", "2026-11-03"]),
    "no such date column": (["m.pkl", *ARGUMENTS, "--date", "grup"], {}, ['"grup"', 'did you mean "group"']),
    "one column to pair": (["m.pkl", *ARGUMENTS, "--pair-column", "x"], {}, ["--pair-column", "two columns"]),
    "a case of an unknown level": (["m.pkl", *ARGUMENTS], {"govern.yaml": "data: {cases: [{group: aa}]}\n"},
                                   ["group=aa", 'did you mean "a"']),
    "a case of an unknown feature": (["m.pkl", *ARGUMENTS], {"govern.yaml": "data: {cases: [{grup: a}]}\n"},
                                     ['"grup"', 'did you mean "group"']),
    "a share of an unknown group": (["m.pkl", *ARGUMENTS], {
        "govern.yaml": "data: {shares: {group: {a: 0.4, b: 0.3, c: 0.3}}}\n"}, ["data.shares", 'group "c"', "levels"]),
    "shares in percent": (["m.pkl", *ARGUMENTS], {"govern.yaml": "data: {shares: {group: {a: 40, b: 60}}}\n"},
                          ["govern.yaml:1:17", "add up to 1"]),
    "a decision nobody was told of": (["m.pkl", *ARGUMENTS], {
        "govern.yaml": "data: {decisions: {hired: {column: group, selected: yes}}}\n"},
        ['"hired"', '"yes"', '"a", "b"']),
    "a contract of nothing": (["m.pkl", *ARGUMENTS], {"govern.yaml": "data: {contract: {x: {}}}\n"},
                              ["govern.yaml:1:19", "says nothing"]),
    "a bad timestamp": (["m.pkl", *ARGUMENTS, "--timestamp", "yesterday"], {}, ["yesterday", "2026-"]),
    "a bad threshold": (["m.pkl", *ARGUMENTS, "--threshold", "high"], {}, ["--threshold"]),
    "score without threshold": (["--data", "eval.csv", "--target", "y", "--score", "x"], {}, ["--threshold"]),
    "scores as predictions": (["--data", "eval.csv", "--target", "y", "--prediction", "x", "--sensitive", "group"],
                              {"eval.csv": "x,group,y\n0.2,a,1\n0.7,b,0\n0.9,a,1\n"}, ["looks like scores"]),
    "missing predictions": (["--data", "eval.csv", "--target", "y", "--prediction", "x", "--sensitive", "group"],
                            {"eval.csv": "x,group,y\n1,a,1\n,b,0\n0,a,1\n"}, ['"x"', "missing in 1 row"]),
    "compute of another run": (["m.pkl", *ARGUMENTS, "--compute", "c.json"], {"c.json": "{}"}, ["c.json"]),
}


@pytest.fixture
def folder(tmp_path: Path, logistic: Any) -> Path:
    (tmp_path / "m.pkl").write_bytes((logistic.folder / "model.pkl").read_bytes())
    put(tmp_path, "eval.csv", GOOD)
    return tmp_path


@pytest.mark.parametrize("case", sorted(CASES))
def test_one_line_exit_2_nothing_written(govern: Callable[..., Any], folder: Path, case: str) -> None:
    arguments, files, words = CASES[case]
    for name, text in files.items():
        put(folder, name, text)
    before = sorted(p.name for p in folder.iterdir())
    ran = govern("report", *arguments, "--quiet", cwd=folder)
    assert ran.code == 2, (ran.out, ran.err)
    assert ran.out == ""
    assert ran.err.startswith("govern: ") and ran.err.count("\n") == 1 and len(ran.err) <= 301, ran.err
    assert "Traceback" not in ran.err and str(folder) not in ran.err
    for word in words:
        assert word in ran.err
    assert sorted(p.name for p in folder.iterdir()) == before


def test_a_model_that_raises_is_one_line(govern: Callable[..., Any], folder: Path) -> None:
    put(folder, "own_model.py", """\
class Model:
    classes_ = [0, 1]
    feature_names_in_ = ["x", "z"]
    n_features_in_ = 2
    def predict(self, x):
        raise RuntimeError("the scaler was never fitted")
    predict_proba = predict
""")
    put(folder, "own.pkl", b"\x80\x02cown_model\nModel\n)\x81.")
    before = sorted(p.name for p in folder.iterdir())
    refused = govern("report", "own.pkl", *ARGUMENTS, "--quiet", cwd=folder)
    assert refused.code == 2 and "--trust own_model.Model" in refused.err
    trusted = ["--trust", "own_model.Model", "--model-path", "."]
    ran = govern("report", "own.pkl", *ARGUMENTS, *trusted, "--quiet", cwd=folder)
    assert ran.code == 2, ran.err
    assert "the scaler was never fitted" in ran.err and ran.err.count("\n") == 1
    assert sorted(p.name for p in folder.iterdir()) == before


OWN = """\
class Model:
    classes_ = {classes}
    feature_names_in_ = ["x", "z"]
    n_features_in_ = 2
    def predict(self, x):
        return [{answer}] * len(x)
"""


@pytest.mark.parametrize(("classes", "answer", "words"), [
    ("[0, 1, 2]", "1", ["3 classes"]),
    ("[1, 5]", "1", ['no class "0"', "1, 5"]),
    ("[0, 1]", "7", ["none of its classes", "4 rows"]),
])
def test_a_model_that_does_not_answer_the_question(govern: Callable[..., Any], folder: Path, classes: str,
                                                   answer: str, words: list[str]) -> None:
    name = f"answers_{abs(hash((classes, answer)))}"
    put(folder, f"{name}.py", OWN.format(classes=classes, answer=answer))
    put(folder, "own.pkl", f"\x80\x02c{name}\nModel\n)\x81.".encode("latin-1"))
    trusted = ["--trust", f"{name}.Model", "--model-path", "."]
    ran = govern("report", "own.pkl", *ARGUMENTS, *trusted, "--quiet", cwd=folder)
    assert ran.code == 2 and ran.err.count("\n") == 1
    assert all(w in ran.err for w in words), ran.err


def test_a_folder_that_cannot_be_written_is_exit_2(govern: Callable[..., Any], folder: Path) -> None:
    put(folder, "taken", "a file stands here")
    ran = govern("measure", "--data", "eval.csv", "--target", "y", "--prediction", "y2", "--sensitive", "group",
                 "--out", "taken/report", "--quiet", cwd=folder)
    assert ran.code == 2 and ran.err.count("\n") == 1
    put(folder, "eval.csv", "p,group,y\n1,a,1\n0,b,0\n0,a,0\n")
    ran = govern("measure", "--data", "eval.csv", "--target", "y", "--prediction", "p", "--sensitive", "group",
                 "--out", "taken/report", "--quiet", cwd=folder)
    assert ran.code == 2 and "taken" in ran.err and "--out" in ran.err


def test_an_internal_error_is_70_with_no_traceback(govern: Callable[..., Any], folder: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a slip of ours")

    monkeypatch.setattr("govern.measure.run.open_data", broken)
    arguments = ["measure", "--data", "eval.csv", "--target", "y", "--prediction", "x"]
    ran = govern(*arguments, cwd=folder)
    assert ran.code == 70 and "Traceback" not in ran.err and "report it" in ran.err.splitlines()[-1]
    assert "Traceback" in govern(*arguments, "--verbose", cwd=folder).err
