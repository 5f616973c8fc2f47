"""Writes `docs/packs.md` from the shipped policies: every rule, whose it is, what the source says and what it needs.

    python tools/make_packs.py

tests/test_packs.py fails while the file differs from what this would write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from govern.policy.describe import PHASES, as_text, limits_text
from govern.policy.fields import DECLARED, ByPhase, Rule, as_list, texts
from govern.policy.packs import PackInfo, load_policy, shipped
from govern.policy.schema import Policy

PLACE = Path(__file__).parent.parent / "docs" / "packs.md"
HEAD = """# Policy packs

Written by `tools/make_packs.py` from the files in `policies/`; edit there. `govern policy show NAME` prints a pack,
`govern policy explain RULE` one rule, `govern policy doc KIND` the manual of a kind.

**Nothing here is legal advice.** A pack checks evidence, a person decides. What a source says is told in our own words
and apart from what was added to it; where it says "generally described as" the original was not at hand. Sources
change: each pack says on which day its sources were looked at, and a card says so when that is long ago. Whose a limit
is stands under basis:

| basis | means |
|---|---|
| law | the number or the item stands in the text of a statute or regulation |
| guidance | a supervisory or official guideline, which binds nobody by itself |
| standard | a voluntary standard |
| convention | what courts or practice commonly use |
| govern | a default of this tool, without any authority behind it |

Severities are those at desk, poc, team and company. **Needs** is what a rule reads beside the evaluation data, target,
sensitive features and predictions, and under which condition it applies; without it the rule does not apply, unless
`absent` says otherwise. The fields of the card are explained in [card-fields.md](card-fields.md).
"""
# What must be given for a metric to be measured, beside what every run has.
NEEDS_OF_METRICS: Mapping[str, str] = {
    "train_overlap_share": "`--train`",
    "unseen_value_share": "`--train`",
    "population_stability": "`--train`",
    "case_rows": "`data.cases`",
    "pair_coverage": "`data.pairs`",
    "group_share_gap": "`data.shares`",
    "group_share_stability": "`data.shares`",
    "contract_break_share": "`data.contract`",
    "out_of_period_share": "`data.date`, `data.period`",
    "median_tie_share": "scores",
    "scoring_rate": "scores",
    "calibration_error": "scores",
    "attribution_residual": "a model",
    "proxy_auc": "`--sensitive`",
}
NEEDS_OF_TABLES: Mapping[str, str] = {"scores": "scores", "decisions": "`data.decisions`", "shares": "`data.shares`",
                                      "controls": "`data.control`"}


def packs() -> str:
    """The text of `docs/packs.md`."""
    return "\n".join([HEAD, overview(), *(section(pack, load_policy(pack.name)) for pack in shipped())])


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table; bars and line breaks inside cells are made harmless."""
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(" ".join(c.split()).replace("|", "\\|") for c in cells) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows)]) + "\n"


def overview() -> str:
    """One row for each pack."""
    rows = []
    for pack in shipped():
        info = load_policy(pack.name).info
        rows.append([f"[`{pack.name}`](#{pack.name})", f"{pack.title['en']} · {pack.title['ja']}", pack.status,
                     pack.as_of, info.applies_from or "", info.sunset or ""])
    return table(["pack", "title", "status", "sources as of", "applies from", "sunset"], rows)


def section(pack: PackInfo, policy: Policy) -> str:
    """A pack: what its file says before the rules, and the rules."""
    return "\n".join([f"## {pack.name}\n", f"{pack.title['en']} · {pack.title['ja']}. Version {pack.version}.\n",
                      f"{preface(pack.path)}\n", table(
                          ["rule", "what is judged", "kind and limit", "severity", "basis", "what the source says",
                           "what was added", "needs"], [row(rule) for rule in policy.rules])])


def preface(path: Path) -> str:
    """The comment lines that stand before `rules:` in the file, as one paragraph."""
    before = path.read_text(encoding="utf-8").partition("\nrules:\n")[0]
    return " ".join(line.removeprefix("#").strip() for line in before.splitlines() if line.startswith("#"))


def row(rule: Rule) -> list[str]:
    """The cells of a rule."""
    fields = rule.fields
    title, said, ours = (texts(t) for t in (fields.title, fields.says, fields.ours))
    limit = limits_text(rule)
    kind = f"`{fields.kind}`" + (f", {limit}" if limit else "")
    basis = f"{fields.basis}: {fields.cite}" if fields.cite else str(fields.basis)
    return [rule.id, f"{title['en']} · {title['ja']}", kind, severity(fields.severity), basis, said.get("en", ""),
            ours.get("en", ""), "; ".join(needs(rule))]


def severity(value: Any) -> str:
    """One word, or those of the four phases."""
    return " ".join(getattr(value, p) for p in PHASES) if isinstance(value, ByPhase) else str(value)


def needs(rule: Rule) -> list[str]:
    """What the rule reads that a run may lack, and when it applies."""
    fields = rule.fields
    metrics = as_list(getattr(fields, "metric", None) or [])
    found = [NEEDS_OF_METRICS[m] for m in metrics if m in NEEDS_OF_METRICS]
    if getattr(fields, "split", None) == "train":
        found.append("`--train`")
    if fields.kind == "table":
        found += [NEEDS_OF_TABLES[fields.of]] if fields.of in NEEDS_OF_TABLES else []
    if fields.kind in ("smoke", "explanation"):
        found.append("a model")
    if fields.kind == "compute":
        found.append("`--compute` measure or a file")
    if fields.kind == "compare":
        found.append("`--baseline`" if fields.against == "baseline" else "")
    if fields.kind == "integrity" and "lock" in fields.require:
        found.append("`govern policy lock` before measuring")
    if fields.kind == "fresh":
        found.append("`data.date` or `data.period`" if fields.of == "data" else f"`{fields.of}`")
    if fields.kind == "attest":
        found.append(f"signatures: {', '.join(fields.roles)}")
    if "primary" in metrics:
        found.append("`declared.primary`")
    elif DECLARED in (rule.minimum, rule.maximum):
        found.append("`declared`: " + ", ".join(f"`{m}`" for m in metrics))
    if fields.kind == "document":
        place = f" in each item of `{fields.in_}`" if fields.in_ else " in each item" if fields.each else ""
        found.append("card: " + ", ".join(f"`{f}`" for f in fields.fields) + place)
    if getattr(fields, "by", None) and set(fields.by) != {"sex"}:
        found.append("sensitive: " + ", ".join(f"`{name}`" for name in fields.by))
    found += [f"when {key.removeprefix('rule')} {as_text(value)}".replace("  ", " ")
              for key, value in (fields.when or {}).items()]
    if getattr(fields, "each", None):
        found.append(f"each {as_text(fields.each)}")
    return list(dict.fromkeys(f for f in found if f))


if __name__ == "__main__":
    PLACE.write_text(packs(), encoding="utf-8")
