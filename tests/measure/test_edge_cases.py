"""Data that other tools stumble over, through the command line; stored predictions keep the cases small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LABELS = {"0/1": ("0", "1"), "1.0": ("0.0", "1.0"), "bool": ("false", "true"), "yes": ("no", "yes"),
          "-1/1": ("-1", "1"), "text": ("declined", "granted")}


def rows(n: int = 120) -> list[tuple[str, int, int, float]]:
    """(group, truth, prediction, score): group a is right more often than group b."""
    found = []
    for i in range(n):
        truth, group = i % 2, "ab"[i % 3 == 0]
        right = i % (9 if group == "a" else 4) != 0
        found.append((group, truth, truth if right else 1 - truth, 0.9 if (truth == 1) == right else 0.1))
    return found


def write(path: Path, data: list[tuple[str, Any, Any, float]], head: str = "g,y,p,s") -> Path:
    path.write_text("\n".join([head, *(",".join(map(str, r)) for r in data)]) + "\n")
    return path


def value(document: dict[str, Any], metric: str, group: str) -> Any:
    return next(m for m in document["measurements"]
                if m["metric"] == metric and m.get("group", "overall") == group
                and "reference" not in m and "features" not in m)


@pytest.mark.parametrize("kind", sorted(LABELS))
def test_six_encodings_of_labels_give_the_same_counts(govern: Callable[..., Any], tmp_path: Path, kind: str) -> None:
    no, yes = LABELS[kind]
    write(tmp_path / "e.csv", [(g, (no, yes)[y], (no, yes)[p], s) for g, y, p, s in rows()])
    given = ["--positive", yes] if kind == "text" else []
    ran = govern("measure", "--data", "e.csv", "--target", "y", "--prediction", "p", "--score", "s",
                 "--sensitive", "g", *given)
    assert ran.code == 0, ran.err
    found = ran.document("evidence.json")
    expected = [(g, sum(1 for r in rows() if r[0] == g and r[1] == r[2] == 1)) for g in "ab"]
    names = {g["id"]: g["values"][0] for g in found["groups"] if g["features"]}
    assert [(names[c["group"]], c["tp"]) for c in found["counts"] if c["group"] != "overall"] == expected
    assert ("positive label was not given" in " ".join(found["notes"])) == (kind != "text")


def test_missing_sensitive_value_is_its_own_group(govern: Callable[..., Any], tmp_path: Path) -> None:
    data = [("" if i % 10 == 0 else g, y, p, s) for i, (g, y, p, s) in enumerate(rows())]
    write(tmp_path / "e.csv", data)
    ran = govern("report", "--data", "e.csv", "--target", "y", "--prediction", "p", "--sensitive", "g",
                 "--format", "html")
    found = ran.document("evidence.json")
    assert [(g["values"], g["n"]) for g in found["groups"] if g["features"]][-1] == ([None], 12)
    verdict = ran.document("verdict.json")
    judged = {c["group"] for f in verdict["findings"] for c in f.get("comparisons", [])}
    missing = next(g["id"] for g in found["groups"] if g["values"] == [None])
    assert missing not in judged
    assert "(missing)" in (tmp_path / "govern-report" / "card.html").read_text()


def test_group_without_positives_is_not_computable(govern: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path / "e.csv", [*rows(), *[("c", 0, i % 2, 0.3) for i in range(40)]])
    ran = govern("report", "--data", "e.csv", "--target", "y", "--prediction", "p", "--sensitive", "g",
                 "--format", "html")
    found = ran.document("evidence.json")
    group = next(g["id"] for g in found["groups"] if g["values"] == ["c"])
    rate = value(found, "true_positive_rate", group)
    assert (rate["value"], rate["status"]) == (None, "undefined")
    finding = next(f for f in ran.document("verdict.json")["findings"]
                   if f["rule"] == "BASE-09" and f["metric"] == "true_positive_rate")
    about = [c for c in finding["comparisons"] if group in (c["group"], c.get("reference"))]
    assert about and all(c["outcome"] == "insufficient" and c["value"] is None for c in about)
    assert finding["outcome"] != "pass"


def test_one_group_only_is_review_never_pass(govern: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path / "e.csv", [("a", y, p, s) for _, y, p, s in rows()])
    ran = govern("report", "--data", "e.csv", "--target", "y", "--prediction", "p", "--sensitive", "g",
                 "--format", "html")
    assert ran.code == 3
    support = next(f for f in ran.document("verdict.json")["findings"] if f["rule"] == "BASE-18")
    assert support["outcome"] == "fail"


def test_nobody_selected_is_review_never_pass(govern: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path / "e.csv", [(g, y, 0, s) for g, y, _, s in rows()])
    ran = govern("report", "--data", "e.csv", "--target", "y", "--prediction", "p", "--sensitive", "g",
                 "--format", "html")
    assert ran.code == 3
    outcomes = {f["rule"]: f["outcome"] for f in ran.document("verdict.json")["findings"]}
    assert outcomes["BASE-19"] == "fail" and outcomes["BASE-08"] in ("insufficient", "fail")
    assert "NaN" not in (tmp_path / "govern-report" / "evidence.json").read_text()


def test_order_of_rows_changes_nothing_but_the_data_digest(govern: Callable[..., Any], tmp_path: Path) -> None:
    data = rows(300)
    for name, order in (("a", data), ("b", data[::-1])):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "e.csv", order)
        ran = govern("measure", "--data", "e.csv", "--target", "y", "--prediction", "p", "--score", "s",
                     "--sensitive", "g", "--timestamp", "2026-01-01T00:00:00Z", cwd=tmp_path / name)
        assert ran.code == 0
    one, two = (Path(tmp_path / n / "govern-report" / "evidence.json").read_text().splitlines() for n in "ab")
    differing = [(x, y) for x, y in zip(one, two, strict=True) if x != y]
    assert len(differing) == 1 and '"role": "data"' in differing[0][0]


def test_rows_without_target_are_excluded_with_the_reason(govern: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path / "e.csv", [*rows(), *[("a", "", 1, 0.5)] * 7])
    ran = govern("measure", "--data", "e.csv", "--target", "y", "--prediction", "p", "--sensitive", "g")
    population = ran.document("evidence.json")["population"]
    assert population == {"read": 127, "used": 120, "excluded": [{"n": 7, "reason": "the target is missing"}]}


def test_bands_and_asked_intersection(govern: Callable[..., Any], tmp_path: Path) -> None:
    data = [(f"{g},{20 + i % 50}", y, p, s) for i, (g, y, p, s) in enumerate(rows())]
    write(tmp_path / "e.csv", data, head="g,age,y,p,s")
    ran = govern("measure", "--data", "e.csv", "--target", "y", "--prediction", "p", "--sensitive", "g",
                 "--sensitive", "age", "--band", "age=25,45", "--sensitive", "g:age")
    groups = ran.document("evidence.json")["groups"]
    assert [g["values"] for g in groups if g["features"] == ["age"]] == [["25 or less"], ["26–45"], ["46 or more"]]
    crossed = [g for g in groups if g["features"] == ["g", "age"]]
    assert len(crossed) == 6 and "asked" not in crossed[0]


def test_an_unasked_intersection_is_measured_and_not_judged(govern: Callable[..., Any], tmp_path: Path) -> None:
    data = [(f"{g},{'xy'[i % 2]}", y, p, s) for i, (g, y, p, s) in enumerate(rows())]
    write(tmp_path / "e.csv", data, head="g,h,y,p,s")
    ran = govern("report", "--data", "e.csv", "--target", "y", "--prediction", "p", "--sensitive", "g",
                 "--sensitive", "h", "--format", "html")
    crossed = [g for g in ran.document("evidence.json")["groups"] if len(g["features"]) == 2]
    assert len(crossed) == 4 and all(g["asked"] is False for g in crossed)
    assert not any(len(f.get("features", [])) == 2 for f in ran.document("verdict.json")["findings"])
