"""`govern policy explain`: one rule, what it is for and how to read what it says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from govern.cli.pages import Block, Heading, Rows, Text, page
from govern.cli.params import takes
from govern.cli.policy_doc import heading, told
from govern.errors import ExitCode, InputError, nearest, printable

if TYPE_CHECKING:
    from govern.cli.steps import Facts
    from govern.evidence import Evidence
    from govern.inputs.settings import Settings
    from govern.metrics import Metric
    from govern.policy.fields import Rule
    from govern.policy.schema import Policy
    from govern.verdict import Finding


COUNTS = ("tp, fp, fn, tn", "rows predicted positive rightly (tp) and wrongly (fp), predicted negative wrongly (fn) "
          "and rightly (tn); selected: rows predicted to have the favourable label")


@takes("policy explain")
def explain(
    rule: Annotated[str, typer.Argument(metavar="RULE", show_default=False,
                                        help="The id of a rule, or POLICY/ID where several policies have it.")],
    given: dict[str, Any],
) -> int:
    """Explain a rule: what it is for, how it is computed, how to read it, its strengths and limits, where it comes
    from, what it asks and whose that is. With --evidence also what was seen.

    The rule is looked for in the policies of --policy, else in those of govern.yaml, else in all that are shipped.

    Examples: govern policy explain BASE-08; govern policy explain BASE-08 --evidence govern-report/evidence.json
    """
    from govern.cli import steps
    from govern.inputs.config import load_settings
    from govern.metrics import own

    settings = load_settings({k: given[k] for k in ("phase",) if k in given}, config=given.get("config"), cwd=Path(),
                             measuring=False)
    facts = steps.stored(given["evidence"], {}) if "evidence" in given else None
    known = own(settings.plain()) | (own(facts.evidence.settings) if facts else {})
    searched = _policies(given, settings, known)
    policy, found = _find(rule, searched)
    blocks = _explained(policy, found, known)
    if facts is not None:
        blocks += _seen(policy, found, facts, settings, given)
    others = [p.info.name for p in searched if p is not policy and any(r.id == found.id for r in p.rules)]
    if "/" not in rule and others:
        blocks += [Heading("Elsewhere"), Text(f"Also a rule of {', '.join(others)}: govern policy explain "
                                              f"{others[0]}/{found.id}")]
    typer.echo(page(blocks, given.get("format", "text")), nl=False)
    return ExitCode.PASS


def _policies(given: dict[str, Any], settings: Settings, known: dict[str, Metric]) -> list[Policy]:
    """The policies in which the rule is looked for."""
    from govern.policy.packs import load_policy, shipped

    if "policy" in given:
        return [load_policy(name, own=known) for name in given["policy"]]
    if settings.config_file is not None:
        return [load_policy(name, base=settings.policies_base, own=known) for name in settings.policies]
    return [load_policy(pack.name, own=known) for pack in shipped()]


def _find(asked: str, policies: Sequence[Policy]) -> tuple[Policy, Rule]:
    """The first rule of that id, with its policy. Raises InputError naming the nearest one."""
    known: dict[str, tuple[Policy, Rule]] = {}
    for policy in policies:
        for rule in policy.rules:
            known.setdefault(rule.id, (policy, rule))
            known[f"{policy.info.name}/{rule.id}"] = (policy, rule)
    if asked not in known:
        where = ", ".join(p.info.name for p in policies)
        raise InputError(f'no rule "{printable(asked)}" in {where}',
                         fix=nearest(asked, list(known)) or "name its policy with --policy")
    return known[asked]


def _explained(policy: Policy, rule: Rule, measured: dict[str, Metric]) -> list[Block]:
    from govern.policy.manual import PURPOSE, manual

    kind = manual(rule.fields.kind)
    blocks: list[Block] = [
        Heading(heading(rule), 1),
        Rows((("policy", f"{policy.info.name} {policy.info.version}"), ("kind", rule.fields.kind))),
        Heading(PURPOSE), Text(kind.purpose),
    ]
    for section, text in kind.sections.items():
        if section == PURPOSE:
            continue
        blocks += [Heading(section), Text(text)]
        if section == "How it is computed":
            blocks += _metrics(rule, measured)
    if "How it is computed" not in kind.sections:
        blocks += _metrics(rule, measured)
    return [*blocks, Heading("What this rule asks, and whose that is"), Rows(told(rule))]


def _metrics(rule: Rule, measured: dict[str, Metric]) -> list[Block]:
    """The definition of each metric that the rule names, with the counts it is computed from."""
    from govern.metrics import METRICS
    from govern.policy.fields import as_list

    fields = rule.fields
    names = [*as_list(getattr(fields, "metric", None) or []), *(getattr(fields, "checks", None) or [])]
    rows = [METRICS.get(name) or measured.get(name) for name in names]
    said = tuple((row.title, _defined(row)) for row in rows if row is not None)
    if any(row.numerator for row in rows if row is not None):
        said += (COUNTS,)
    if "primary" in names:
        said += (("primary", "the metric that the owner declares as declared.primary"),)
    return [Rows(said)] if said else []


def _defined(row: Metric) -> str:
    ends = [f"from {row.low:g}" if row.low is not None else "", f"to {row.high:g}" if row.high is not None else ""]
    span = " ".join(end for end in (*ends, row.unit) if end)
    better = "" if row.better == "neither" else f"{row.better} is better"
    counts = f" = {_sum(row.numerator)} / {_sum(row.denominator)}" if row.numerator else ""
    return "; ".join(part for part in (row.definition + counts, span, better) if part)


def _sum(counts: Sequence[str]) -> str:
    return f"({' + '.join(counts)})" if len(counts) > 1 else "".join(counts)


def _seen(policy: Policy, rule: Rule, facts: Facts, settings: Settings, given: dict[str, Any]) -> list[Block]:
    """What the rule says of evidence; its whole policy is judged, because the family of comparisons belongs to it."""
    from govern.cli import steps

    verdict = steps.judged(facts, settings, [policy], given, steps.baseline_of(given))
    blocks: list[Block] = [Heading(f"Seen in evidence {facts.evidence_sha256[:8]}, at phase {verdict.phase}")]
    return [*blocks, *(_finding(f, facts.evidence) for f in verdict.findings if f.rule == rule.id)]


def _finding(finding: Finding, evidence: Evidence) -> Block:
    """A finding of the rule as rows: what came of it, what was seen, the bound, what would settle it."""
    from govern.formats.words import reason

    found = reason(finding, evidence)
    rows = (("outcome", f"{finding.outcome}: {found.word}"), ("seen", found.sentence),
            ("bound", found.bound if found.limit else ""), ("why", finding.reason or ""),
            ("what would do", found.settle),
            ("counts as", finding.counts_as if finding.counts_as != "PASS" else ""))
    return Rows(tuple((label, text) for label, text in rows if text))
