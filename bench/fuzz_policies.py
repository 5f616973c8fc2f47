"""Mutated and generated policy files: each is read, and judged where it can be, or refused in one line.

    python bench/fuzz_policies.py [--files 20000] [--seed 1]

Three sorts in turn: the bytes of a shipped policy changed; its keys, values and structure changed; rules written from
the fields of the kinds with values that fit or do not. What is read is judged with the shipped evidence at a phase
drawn at random. Anything but a verdict or an InputError of one line of at most 300 characters is a bug, and so is one
that takes longer than five seconds. Prints how many were read and refused, the slowest, and the commonest messages;
seeded, so that every run of the same arguments prints the same but for the times. Exit code 1 when a bug was found.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, get_args

from govern.codec import load
from govern.errors import MAX_LINE, InputError
from govern.evidence import EVIDENCE_SCHEMA, Evidence
from govern.metrics import METRICS
from govern.policy.gate import judge
from govern.policy.packs import load_policy
from govern.policy.rules import KINDS
from govern.policy.schema import Head
from govern.resources import resource
from govern.verdict import Phase
from govern.yamlfile import parse_yaml

SLOW = 5.0
PHASES: tuple[Phase, ...] = get_args(Phase)
HEAD = {"schema": "govern.policy/1", "name": "fuzz", "version": "1", "title": "t", "status": "in_force",
        "as_of": "2026-11-03"}
# Every part of the language once, so that mutations reach it.
SAMPLE = """\
schema: govern.policy/1
name: sample
version: "1"
title: {en: Sample, ja: 見本}
status: superseded
as_of: 2025-01-01
applies_from: 2025-02-01
sunset: 2027-02-01
waiver_days: 30
applies_when: {task: [binary, regression], phase: [team, company], settings.data.weight: false}
extends: [baseline]
defaults: {error: 0.01, family: rule, min_n: 20, insufficient: review, absent: {desk: n/a, poc: n/a, team: review,
  company: fail}}
rules:
  - {id: BASE-08, override: {min: 0.90}, reason: r}
  - {id: A, kind: bound, title: t, severity: block, basis: house, metric: primary, min: {baseline: -0.02},
     max: declared}
  - {id: B, kind: disparity, title: t, severity: {desk: info, poc: warn, team: review, company: block}, basis: house,
     metric: [selection_rate, accuracy], compare: ratio, against: {group: men}, min: {baseline: -0.05}, by: [sex]}
  - {id: C, kind: document, title: t, severity: review, basis: house, each: {rule: [BASE-08, B], outcome: [fail]},
     in: card.fairness_assessments, key: groupAtRisk, fields: [harms, mitigation.strategy]}
  - {id: D, kind: document, title: t, severity: warn, basis: law, each: {card: limitations}, fields: [a.b.c],
     when: {rule: C, outcome: [fail, n/a], card.owner: true}}
  - {id: E, kind: attest, title: t, severity: review, basis: law, roles: [developer, reviewer], statement: {en: s}}
  - {id: F, kind: fresh, title: t, severity: warn, basis: law, of: card.data_period, max_days: 365}
  - {id: G, kind: integrity, title: t, severity: warn, basis: law, require: [digests, lock]}
"""
NUMBERS: tuple[Any, ...] = (0, 1, -1, 0.8, 5, 75, 1e-9, 1e300, -1e300, 10**17, 2**63, 0.30000000000000004, 10**400)
TEXTS = ("", " ", "declared", "primary", "none", "n/a", "5%", "80 %", "1e999", ".inf", "-.INF", ".nan", "0x1F", "0o17",
         "true", "~", "<<", "*a", "&a", "!!str x", "a\u202eb", "\u0000", "\ud800", "\U0001f600", "é", "未定", "A" * 400,
         "../../etc/passwd", "/", ".yaml", "2026-02-30", "2026-11-03", "overall", "sex", "sex:age", "BASE-08", "{{x}}",
         "%", "\n", "\r\n\t", "line\u2028sep", "card.", "card.a.b", "settings.data.weight", "rule")
SPLICES = (b"\x00", b"\xff", b"\t", b"\r", b": ", b"- ", b"[", b"]", b"{", b"}", b"&a ", b"*a", b"!!python/object:a ",
           b"<<: ", b"---\n", b"...\n", b"%YAML 1.1\n", b"|", b">", b"'", b'"', b"#", b"? ", b"\xef\xbb\xbf",
           b"\xe2\x80\xae", b"1e", b"\\x", b"[" * 60, b"9" * 400)


class Fuzz:
    """Files from a seed."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        folder = resource("policies")
        texts = [SAMPLE.encode(), *(p.read_bytes() for p in sorted(folder.rglob("*.yaml")) if "test" not in p.name)]
        self.sources = [(text, parse_yaml(text, "source").value) for text in texts]
        self.keys = sorted({key for kind in KINDS.values() for key in _fields(kind.fields)} | set(_fields(Head)))

    def files(self, n: int) -> Iterator[bytes]:
        """n files, the sorts in turn."""
        for i in range(n):
            text, data = self.draw.choice(self.sources)
            yield (self.cut(text), self.bent(data), self.made())[i % 3]

    def cut(self, text: bytes) -> bytes:
        """Some rules of a policy with bytes changed."""
        start = text.index(b"rules:")
        rules = re.split(rb"(?m)^(?=  - )", text[start:])
        kept = self.draw.sample(rules[1:], min(len(rules) - 1, self.draw.choice((1, 2, 4))))
        found = bytearray(text[:start] + b"rules:\n" + b"".join(kept))
        for _ in range(self.draw.choice((1, 1, 2, 5))):
            place = self.draw.randrange(len(found) + 1)
            far = place + self.draw.choice((1, 1, 3, 20))
            how = self.draw.randrange(5)
            if how == 0:
                del found[place:far]
            elif how == 1:
                found[place:place] = self.draw.choice(SPLICES)
            elif how == 2 and place < len(found):
                found[place] ^= 1 << self.draw.randrange(8)
            elif how == 3:
                found[place:place] = found[place:far]
            else:
                found[place:place + 1] = self.draw.choice(TEXTS).encode("utf-8", "surrogatepass")
        return bytes(found[:self.draw.randrange(len(found))] if self.draw.random() < 0.05 else found)

    def bent(self, data: Any) -> bytes:
        """A policy with some rules whose keys, values and structure are changed."""
        found = copy.deepcopy(data)
        found["rules"] = self.draw.sample(found["rules"], min(len(found["rules"]), self.draw.choice((1, 2, 3, 8))))
        for _ in range(self.draw.choice((1, 1, 2, 4))):
            places = list(_places(found))
            if places:
                self.bend(*self.draw.choice(places))
        return self.written(found)

    def bend(self, box: Any, step: Any) -> None:
        how = self.draw.randrange(8)
        if how <= 2:
            box[step] = self.value()
        elif how == 3:
            del box[step]
        elif how == 4:
            for _ in range(self.draw.choice((1, 3, 40))):
                box[step] = [box[step]] if self.draw.random() < 0.5 else {self.key(): box[step]}
        elif isinstance(box, list):
            box.insert(step, copy.deepcopy(self.draw.choice(box)))
        elif how == 5:
            box[self.misspelt(str(step))] = box.pop(step)
        elif how == 6:
            box[self.key()] = self.value()
        else:
            box[self.key()] = copy.deepcopy(box[step])

    def made(self) -> bytes:
        """A policy of rules written from the fields of the kinds, most of them with values that fit."""
        rules = []
        for i in range(self.draw.choice((1, 1, 2, 4))):
            kind = self.draw.choice(sorted(KINDS))
            severity = self.draw.choice(("block", "review", "warn"))
            rule = {"id": f"R{i}", "kind": kind, "title": "t", "severity": severity, "basis": "house"}
            for name, info in _fields(KINDS[kind].fields).items():
                if name not in rule and (info.is_required() or self.draw.random() < 0.15):
                    rule[name] = self.fitting(name, i)
            rules.append(rule)
        head = dict(HEAD) if self.draw.random() < 0.9 else HEAD | {self.key(): self.value()}
        return self.written(head | {"rules": rules})

    def fitting(self, name: str, i: int) -> Any:
        """A value for a field that may well be meant."""
        d = self.draw
        metric = d.choice((*METRICS, "primary"))
        some = {
            "metric": (metric, [metric, d.choice(list(METRICS))], "accuracy", "selection_rate"),
            "checks": (["smoke_finite"], ["smoke_loads", metric]), "by": (["sex"], ["sex:age"], []),
            "compare": ("ratio", "difference"), "against": ("any", "best", "largest", "overall", {"group": "men"},
                                                            "trivial", "baseline", "train"),
            "min": (0.8, 0.0, "declared", {"baseline": -0.02}, 1), "max": (0.1, 1, "declared", {"baseline": 0.5}, 5),
            "decide": ("point", "interval"), "calibrate": (True, False), "error": (0.05, 0.4), "min_n": (1, 30, 10**9),
            "min_share": (0.0, 0.5), "fields": (["owner"], ["a.b", "limitations"]), "max_days": (0, 365),
            "of": ("data", "card.data_period", "features", "output", "both", "groups", "scores"),
            "require": (["lock"], ["digests", "lock"]), "roles": (["a"], ["a", "b"]), "in": ("card.limitations",),
            "key": ("name",), "each": ({"card": "limitations"}, {"rule": f"R{d.randrange(4)}"}),
            "when": ({"rule": f"R{d.randrange(4)}", "outcome": ["fail", "pass", "n/a"]}, {"phase": ["team", "desk"]},
                     {"card.owner": True, "settings.data.threshold": 0.5}, {"task": "binary", "card.x.y": "z"}),
            "absent": ("n/a", "fail", "review"), "insufficient": ("lean", "block"), "label": ("1", "0"),
            "top": (1, 3), "features": (["x"], "sensitive"), "signs": ({"x": "rises"}, {"sex": "falls"}),
            "split": ("eval", "train"), "decisions": ("all", "none", ["screening"]), "alpha": (0.05,),
            "correction": ("holm", "none"), "columns": (["x"],), "levels": (["men"],), "tags": (["process"],),
        }
        return d.choice(some[name]) if name in some and d.random() < 0.98 else self.value()

    def value(self) -> Any:
        d = self.draw
        sort = d.randrange(7)
        return (d.choice(NUMBERS), d.choice(TEXTS), d.choice(TEXTS), None, d.random() < 0.5,
                [d.choice(TEXTS) for _ in range(d.choice((0, 1, 3)))],
                {self.key(): d.choice((*NUMBERS, *TEXTS)) for _ in range(d.choice((0, 1, 3)))})[sort]

    def key(self) -> str:
        return self.misspelt(self.draw.choice(self.keys)) if self.draw.random() < 0.3 else \
            self.draw.choice((*self.keys, *TEXTS))

    def misspelt(self, word: str) -> str:
        place = self.draw.randrange(len(word) + 1)
        return word[:place] + self.draw.choice(("", "e", "-", "É", " ")) + word[place + 1:]

    def written(self, data: Any) -> bytes:
        """The data as JSON, which is YAML in flow style, or in block style."""
        if self.draw.random() < 0.5:
            return json.dumps(data, ensure_ascii=self.draw.random() < 0.3).encode("utf-8", "surrogatepass")
        return ("\n".join(_block(data)) + "\n").encode("utf-8", "surrogatepass")


def _fields(model: Any) -> dict[str, Any]:
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    steps = list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for step in steps:
        yield data, step
        yield from _places(data[step])


def _block(data: Any, indent: int = 0) -> Iterator[str]:
    pad = " " * indent
    pairs = [(f"{k}:", v) for k, v in data.items()] if isinstance(data, dict) else [("-", v) for v in data]
    for mark, value in pairs:
        if isinstance(value, dict | list) and value:
            yield f"{pad}{mark}"
            yield from _block(value, indent + 2)
        else:
            plain = isinstance(value, str) and not re.fullmatch(r"[0-9.]*", value)
            yield f"{pad}{mark} {value if plain else json.dumps(value, ensure_ascii=False)}"


def tried(text: bytes, folder: Path, evidence: Evidence, phase: Phase, baseline: Evidence | None) -> str:
    """"read", or the message of the refusal. Raises what is a bug."""
    (folder / "p.yaml").write_bytes(text)
    try:
        policy = load_policy("p.yaml", base=folder)
        judge(evidence, judged={"evidence": "e" * 64}, policies=[policy], phase=phase, today=date(2026, 11, 22),
              baseline=baseline)
    except InputError as err:
        said = str(err)
        if not said or len(said) > MAX_LINE or not said.isprintable() or str(folder) in said:
            raise ValueError(f"not one line of at most {MAX_LINE} characters: {said!r}") from err
        return said
    return "read"


def run(files: int, seed: int) -> tuple[Counter[str], list[tuple[bytes, str]], float]:
    """What was said how often, the bugs with their files, and the seconds of the slowest file."""
    fuzz, folder = Fuzz(seed), resource("policies")
    stored = [load(folder / f"baseline.{way}.json", Evidence, EVIDENCE_SCHEMA)[0] for way in ("pass", "fail")]
    said: Counter[str] = Counter()
    bugs, slowest = [], 0.0
    with tempfile.TemporaryDirectory() as place:
        for i, text in enumerate(fuzz.files(files)):
            start = time.perf_counter()
            try:
                found = tried(text, Path(place), stored[i % 2], PHASES[i % 4], stored[0] if i % 3 else None)
                said["read" if found == "read" else re.sub(r'^[^ ]+ |"[^"]*"|[0-9]+', "", found)[:60]] += 1
            except Exception:
                bugs.append((text, traceback.format_exc()))
            took = time.perf_counter() - start
            slowest = max(slowest, took)
            if took > SLOW:
                bugs.append((text, f"took {took:.1f} s"))
    return said, bugs, slowest


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    said, bugs, slowest = run(given.files, given.seed)
    print(f"{given.files:,} files, seed {given.seed}: {said['read']:,} read and judged, "
          f"{sum(said.values()) - said['read']:,} refused with {len(said) - 1:,} different messages, {len(bugs)} bugs; "
          f"slowest {slowest:.2f} s")
    for message, n in said.most_common(12):
        print(f"{n:7,}  {message}")
    for text, trace in bugs[:5]:
        print("\n" + trace + repr(text[-600:]))
    return 1 if bugs else 0


if __name__ == "__main__":
    sys.exit(main())
