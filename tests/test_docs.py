"""The documents name everything there is, and what they name is there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from govern.errors import ExitCode
from govern.inputs.options import OPTIONS
from govern.metrics import METRICS
from govern.policy.rules import KINDS

ROOT = Path(__file__).parent.parent
TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
DOCUMENTS = [*(ROOT / name for name in TOP), *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
README = (ROOT / "README.md").read_text(encoding="utf-8")

# The README ends where the reference begins, so these must be in the README itself.
COMMANDS = ("report", "measure", "check", "render", "demo", "scan", "selftest", "doctor", "policy")
POLICY_COMMANDS = ("list", "show", "doc", "explain", "lint", "test", "diff", "lock", "schema")

# Machine names and folders of whoever wrote a document have no place in it.
PRIVATE = re.compile(r"/(?:work|tmp|home|root|Users)/|localhost|\b\d+\.\d+\.\d+\.\d+\b")
# Words a document must not use about a model, a group or a company.
JUDGEMENTS = re.compile(r"\b(?:fair|unfair|unbiased|biased|compliant|violations?)\b", re.IGNORECASE)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def command_tree() -> dict[str, set[str]]:
    """Command → its options, as the command line really has them; subcommands as `policy list`."""
    import typer.main

    from govern.cli.app import app

    found: dict[str, set[str]] = {}

    def walk(command: object, path: tuple[str, ...]) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, (*path, name))
        if path:
            options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]  # type: ignore[attr-defined]
            found[" ".join(path)] = {o for p in options for o in p.opts if o.startswith("--")} - {"--help"}

    walk(typer.main.get_command(app), ())
    return found


def test_the_readme_names_every_command_and_no_other() -> None:
    commands = set(command_tree())
    assert commands - {"policy"} == {*COMMANDS[:-1], *(f"policy {name}" for name in POLICY_COMMANDS)}
    missing = [name for name in COMMANDS if f"`govern {name}" not in README]
    assert not missing
    for name in POLICY_COMMANDS:
        assert f"`govern policy {name}`" in README, name


def test_every_option_of_every_command_is_documented() -> None:
    flags = set().union(*command_tree().values())
    missing = sorted(flag for flag in flags if not re.search(rf"`{re.escape(flag)}[` ]", TEXT))
    assert not missing


def test_every_flag_in_the_documents_exists() -> None:
    tools = {"--help", "--boot", "--full", "--rows", "--no-deps", "--force-reinstall"}
    known = {flag for flags in command_tree().values() for flag in flags} | {o.flag for o in OPTIONS} | tools
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT))
    assert named - known == set()


def test_every_metric_rule_kind_and_exit_code_is_documented() -> None:
    assert [name for name in METRICS if f"`{name}`" not in TEXT] == []
    policies = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    assert [name for name in KINDS if f"`{name}`" not in policies] == []
    table = policies.partition("## Rule kinds")[2].partition("\n## ")[0]
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE))
    assert documented == set(KINDS)
    codes = set(re.findall(r"^\| (\d+) \|", README, re.MULTILINE))
    assert codes == {str(int(code)) for code in ExitCode}


def test_reference_is_what_the_code_says() -> None:
    tool = load(ROOT / "tools" / "make_reference.py")
    assert tool.reference() == tool.PLACE.read_text(encoding="utf-8"), "run: python tools/make_reference.py"
    assert set(tool.CODES) == set(ExitCode)


def anchors(path: Path) -> set[str]:
    """The anchors of a Markdown file's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_relative_links_resolve(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, part = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        inside = place.exists() and place.is_relative_to(ROOT)
        if not inside or (part and part not in anchors(place)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / "govern" / "demo" / "DATA.md"], ids=lambda p: p.name)
def test_no_private_names_and_no_judgements(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert PRIVATE.findall(text) == []
    assert JUDGEMENTS.findall(text) == []


def test_readme_settings_are_read(tmp_path: Path) -> None:
    """The `govern.yaml` of the README, and the demonstration's, pass the schema of settings."""
    from govern.inputs.config import load_settings

    (block,) = [b for b in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "govern.config/1" in b]
    (tmp_path / "govern.yaml").write_text(block, encoding="utf-8")
    settings = load_settings({"model.path": "model.pkl"}, config=None, cwd=tmp_path)
    assert settings.data.target == "default"
    assert (settings.data.positive, settings.data.favourable) == ("1", "0")
    shipped = ROOT / "govern" / "demo" / "govern.yaml"
    demo = load_settings({"model.path": "model.pkl"}, config=shipped, cwd=tmp_path)
    assert (demo.data.positive, demo.data.favourable, demo.data.threshold) == ("1", "0", 0.25)


def test_policy_example_is_read(tmp_path: Path) -> None:
    from govern.policy.packs import load_policy

    text = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    (block,) = [b for b in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "govern.policy/1" in b]
    place = tmp_path / "house-credit.yaml"
    place.write_text(block, encoding="utf-8")
    policy = load_policy(str(place))
    assert "HC-02" in {rule.id for rule in policy.rules}


def test_the_short_example_of_every_kind_is_read(tmp_path: Path) -> None:
    from govern.policy.packs import load_policy

    text = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    (block,) = [b for b in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if b.startswith("rules:")]
    place = tmp_path / "kinds.yaml"
    head = 'schema: govern.policy/1\nname: kinds\nversion: "1"\ntitle: t\nstatus: guidance\nas_of: 2026-11-25\n'
    place.write_text(head + block, encoding="utf-8")
    assert {rule.fields.kind for rule in load_policy(str(place)).rules} == set(KINDS)


def test_changelog_has_this_version() -> None:
    from govern import __version__

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text and f"## [{__version__}]" in text
