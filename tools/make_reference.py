"""Writes `docs/reference.md` from the tables of the code: settings, rule kinds, metrics, exit codes.

    python tools/make_reference.py

tests/test_docs.py fails while the file differs from what this would write.
"""

from __future__ import annotations

from pathlib import Path

from govern.errors import ExitCode
from govern.inputs.options import docs_table
from govern.metrics import METRICS, Metric
from govern.policy.fields import Defaults, Fields, LimitFields, RuleFields
from govern.policy.manual import field_rows
from govern.policy.rules import KINDS

PLACE = Path(__file__).parent.parent / "docs" / "reference.md"
HEAD = """# Reference

Written by `tools/make_reference.py` from the code; edit there. `govern COMMAND --help` shows the options of
one command, `govern policy schema` the schema of policy files.
"""
CODES = {
    ExitCode.PASS: "PASS, or the command did what it was asked",
    ExitCode.BLOCK: "BLOCK; for `scan` a refused file, for `doctor` something needed is missing, for `policy lint` and "
                    "`policy test` a finding, for `selftest` a digit that differs",
    ExitCode.UNUSABLE: "unusable input: usage, file, column, policy, refused model; nothing was written",
    ExitCode.REVIEW: "REVIEW: a person must decide",
    ExitCode.INTERNAL: "internal error",
}


def reference() -> str:
    """The text of `docs/reference.md`."""
    parts = [HEAD, "## Settings\n", docs_table(), "## Rule kinds\n", kinds(), "## Metrics\n", metrics(),
             "## Exit codes\n", exit_codes()]
    return "\n".join(parts)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; bars and line breaks inside cells are made harmless."""
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(" ".join(c.split()).replace("|", "\\|") for c in cells) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows)]) + "\n"


def kinds() -> str:
    """Every rule kind with its own fields, after the fields that all rules and all limits share."""
    shared: list[tuple[str, type[Fields], type[Fields] | None]] = [
        ("Every rule", RuleFields, None),
        ("Rules with a limit", LimitFields, RuleFields),
        ("`defaults` of a file", Defaults, None),
    ]
    parts = []
    for title, model, parent in shared:
        parts.append(f"### {title}\n\n{fields(model, parent)}")
    for name, kind in KINDS.items():
        limited = issubclass(kind.fields, LimitFields)
        says = " ".join((kind.fields.__doc__ or "").split())
        has = "the fields of every rule and of limits" if limited else "the fields of every rule"
        own = fields(kind.fields, LimitFields if limited else RuleFields)
        parts.append(f"### `{name}`\n\n{says} Besides {has}:\n\n{own}")
    return "\n".join(parts)


def fields(model: type[Fields], parent: type[Fields] | None) -> str:
    """The fields that `model` adds to `parent` or describes otherwise."""
    rows = [[f"`{row.name}`", "yes" if row.required else "", f"`{row.default}`" if row.default else "", row.meaning]
            for row in field_rows(model, parent)]
    return table(["field", "required", "default", "meaning"], rows)


def metrics() -> str:
    """Every registered metric; a rate is the sum of its counts divided by another."""
    return table(
        ["name", "family", "better", "range", "definition"],
        [[f"`{m.name}`", m.family, m.better, span(m), definition(m)] for m in METRICS.values()],
    )


def span(metric: Metric) -> str:
    """The range of a metric with its unit."""
    low = "" if metric.low is None else f"{metric.low:g}"
    high = "" if metric.high is None else f"{metric.high:g}"
    return f"{low or '−∞'} to {high or '∞'} {metric.unit}".strip()


def definition(metric: Metric) -> str:
    """What the metric is, with its counts where it is a ratio of them."""
    if not metric.numerator:
        return metric.definition
    ratio = f"{' + '.join(metric.numerator)} over {' + '.join(metric.denominator)}"
    return f"{metric.definition}: {ratio}"


def exit_codes() -> str:
    """The exit codes of every command."""
    return table(["code", "meaning"], [[str(int(c)), text] for c, text in CODES.items()]
                 + [["128+n", "ended by signal n"]])


if __name__ == "__main__":
    PLACE.write_text(reference(), encoding="utf-8")
