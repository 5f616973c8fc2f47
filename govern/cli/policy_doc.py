"""`govern policy doc`: rule kinds and policies as texts to read, all from where they are declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from govern.cli.pages import Block, Heading, Rows, Text, Verbatim, page
from govern.cli.params import takes
from govern.errors import ExitCode

if TYPE_CHECKING:
    from govern.policy.fields import Rule
    from govern.policy.manual import FieldRow


@takes("policy doc")
def doc(
    given: dict[str, Any],
    name: Annotated[str | None, typer.Argument(metavar="[NAME|FILE|KIND]", show_default=False,
                                               help="A shipped policy, a file, or a rule kind; without one, "
                                                    "what there is.")] = None,
) -> int:
    """Say what a rule kind does, or what a policy asks for; without a name, list what there is.

    A kind: what it is for, how it is computed and read, strengths, limits, source, its fields and an example. A
    policy: every rule with its limits, its severity by phase and whose it is.

    Examples: govern policy doc disparity; govern policy doc house.yaml --format md > house.md
    """
    from govern.policy.rules import KINDS

    blocks = _contents() if name is None else _kind(name) if name in KINDS else _policy(name, given)
    typer.echo(page(blocks, given.get("format", "text")), nl=False)
    return ExitCode.PASS


def _contents() -> list[Block]:
    """The kinds with what they are for, and the shipped policies."""
    from govern.policy.manual import manual
    from govern.policy.packs import shipped
    from govern.policy.rules import KINDS

    kinds = tuple((kind, _first_sentence(manual(kind).purpose)) for kind in KINDS)
    packs = tuple((p.name, f"{p.title['en']} (version {p.version}, {p.status.replace('_', ' ')}, as of {p.as_of})")
                  for p in shipped())
    return [Heading("Rule kinds"), Rows(kinds), Heading("Policies that are shipped"), Rows(packs)]


def _first_sentence(text: str) -> str:
    first = text.split("\n\n")[0].split(". ")[0].rstrip(".")
    return first if first.endswith("?") else first + "."


def _kind(kind: str) -> list[Block]:
    from govern.policy.manual import PURPOSE, manual

    found = manual(kind)
    blocks: list[Block] = [Heading(f"Rule kind {kind}", 1), Text(found.purpose)]
    for section, text in found.sections.items():
        if section != PURPOSE:
            blocks += [Heading(section), Text(text)]
    if found.fields:
        blocks += [Heading("Fields"), _fields(found.fields)]
    for whose, fields in found.shared.items():
        blocks += [Heading(f"Fields of {whose}"), _fields(fields)]
    if found.example:
        blocks += [Heading("Example"), Verbatim(found.example)]
    return blocks


def _fields(fields: tuple[FieldRow, ...]) -> Rows:
    def said(row: FieldRow) -> str:
        more = "required" if row.required else f"default {row.default}" if row.default else ""
        return f"{row.meaning} ({more})" if more else row.meaning

    return Rows(tuple((row.name, said(row)) for row in fields))


def _policy(name: str, given: dict[str, Any]) -> list[Block]:
    """A policy's head and its rules, after extending and overriding, and what the kinds do that they use."""
    from govern.cli.reading import policy_of
    from govern.errors import InputError, nearest
    from govern.policy.describe import as_text
    from govern.policy.manual import manual
    from govern.policy.packs import find, shipped
    from govern.policy.rules import KINDS
    from govern.policy.schema import read_head
    from govern.yamlfile import read_yaml

    try:
        path = find(name)
    except InputError as err:
        known = [*KINDS, *(p.name for p in shipped())]
        raise InputError(f'no policy or kind "{name}"', fix=nearest(name, known) or err.fix) from None
    policy = policy_of(name, given)
    info, head = policy.info, read_head(read_yaml(path))
    about = [("title", info.title.get("ja", "")), ("status", info.status.replace("_", " ")), ("as of", info.as_of),
             ("applies from", info.applies_from or ""), ("sunset", info.sunset or ""),
             ("applies when", as_text(head.applies_when or {})), ("waivers", f"at most {head.waiver_days} days ahead"),
             ("extends", ", ".join(head.extends)), ("defaults", as_text(head.defaults)), ("digest", info.sha256)]
    blocks: list[Block] = [
        Heading(f"{info.name} {info.version}: {info.title['en']}", 1),
        Rows(tuple((label, text) for label, text in about if text)),
    ]
    for rule in policy.rules:
        blocks += [Heading(heading(rule)), Rows((("kind", rule.fields.kind), *told(rule)))]
    used = tuple((kind, _first_sentence(manual(kind).purpose))
                 for kind in KINDS if any(rule.fields.kind == kind for rule in policy.rules))
    return [*blocks, Heading("The kinds of these rules (govern policy doc KIND)"), Rows(used)]


def heading(rule: Rule) -> str:
    """A rule's id and title."""
    from govern.policy.fields import texts

    return f"{rule.id}  {texts(rule.fields.title)['en']}"


def told(rule: Rule) -> tuple[tuple[str, str], ...]:
    """What a rule says, as rows: its title in Japanese where it has one, and the word for whose it is."""
    from govern.formats.strings import strings
    from govern.policy.describe import rows
    from govern.policy.fields import texts

    title, t = texts(rule.fields.title), strings()
    said = tuple((label, f"{t(f'basis.{text}')} ({text})" if label == "basis" and t(f"basis.{text}") != text else text)
                 for label, text in rows(rule))
    return ((("title", title["ja"]),) if "ja" in title else ()) + said
