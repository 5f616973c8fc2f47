"""The direction of imports, file by file, against the layer table of docs/architecture.md."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "govern"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)
MAX_LINES = 400

BASE_MODULES = {"", "errors", "metrics", "dataset", "explanations", "evidence", "verdict", "lock", "codec", "yamlfile",
                "yamlcheck", "resources"}
BASE = {"base"}
BELOW_MEASURE = {"explain", "worker", "stats", "inputs"} | BASE

# What each layer may import besides itself. machine, selftest and __main__ are parts of the command line.
MAY_IMPORT: dict[str, set[str]] = {
    "base": set(),
    "inputs": BASE,
    "worker": {"inputs"} | BASE,
    "stats": {"inputs"} | BASE,
    "explain": {"worker", "stats", "inputs"} | BASE,
    "measure": BELOW_MEASURE,
    "policy": {"scalar stats"} | BASE,
    "formats": BASE,
    "demo": BASE,
    "record": {"measure", "policy", "formats"} | BELOW_MEASURE,
    "cli": {"record", "measure", "policy", "formats", "demo", "scalar stats"} | BELOW_MEASURE,
}
CLI_MODULES = {"machine", "selftest", "__main__"}

# Closed forms over single numbers: the gate may use them, so they need the standard library only.
SCALAR_STATS = {"govern.stats", "govern.stats.derived", "govern.stats.effective", "govern.stats.estimate",
                "govern.stats.intervals", "govern.stats.sizes", "govern.stats.stability", "govern.stats.fisher"}
# The one table of settings: conditions of rules name its keys. Standard library only.
SETTINGS_TABLE = "govern.inputs.options"
# Enumeration for calibrated rules needs numpy: the gate imports it inside functions only.
EXACT = "govern.stats.exact"

HEAVY = {
    "numpy", "pandas", "sklearn", "scipy", "shap", "fairlearn", "pyarrow", "weasyprint", "lightgbm",
    "xgboost", "matplotlib",
}
LIGHT_LAYERS = {"policy"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path) for path in FILES}


def layer(module: str) -> str:
    top = module.removeprefix("govern").removeprefix(".").partition(".")[0]
    if top in BASE_MODULES:
        return "base"
    return "cli" if top in CLI_MODULES else top


def imports(path: Path, *, top_level: bool = False) -> Iterator[tuple[int, str]]:
    """(line, module) of every import of a file of govern."""
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]
    return imports_of(path.read_text(encoding="utf-8"), package, top_level=top_level)


def imports_of(code: str, package: str, *, top_level: bool = False) -> Iterator[tuple[int, str]]:
    """(line, module) of every import; `from govern.x import y` is `govern.x.y` too where that is a module."""
    tree = ast.parse(code)
    for node in (_at_import(tree) if top_level else ast.walk(tree)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                source = ".".join([*above, *([source] if source else [])])
            yield node.lineno, source
            for alias in node.names:
                if f"{source}.{alias.name}" in MODULES:
                    yield node.lineno, f"{source}.{alias.name}"


def _at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run when the module is imported: not in functions, not under TYPE_CHECKING."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _at_import(node)


def show(path: Path, line: int, what: str) -> str:
    return f"{path.relative_to(ROOT)}:{line}: {what}"


def test_every_package_has_a_layer() -> None:
    unknown = {layer(module) for module in MODULES} - set(MAY_IMPORT)
    assert not unknown, f"give these a place in the layer table: {sorted(unknown)}"


def test_imports_go_downward() -> None:
    wrong = []
    for path in FILES:
        own = layer(module_name(path))
        for line, name in imports(path):
            if name.split(".")[0] != "govern":
                continue
            other = layer(name)
            allowed = other == own or other in MAY_IMPORT[own]
            if not allowed and "scalar stats" in MAY_IMPORT[own]:
                allowed = name in SCALAR_STATS
            if own == "policy" and name == SETTINGS_TABLE:
                allowed = True
            if own == "policy" and name == EXACT:
                allowed = (line, name) not in imports(path, top_level=True)
            if not allowed:
                wrong.append(show(path, line, f"{own} imports {name}"))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("where", ["base", "scalar stats"])
def test_base_and_scalar_arithmetic_import_the_standard_library_only(where: str) -> None:
    if where == "base":
        files = [p for p in FILES if layer(module_name(p)) == "base"]
    else:
        files = [p for p in FILES if module_name(p) in SCALAR_STATS]
    assert files
    wrong = [
        show(path, line, name)
        for path in files
        for line, name in imports(path, top_level=True)
        if name.split(".")[0] not in sys.stdlib_module_names | {"govern"}
    ]
    assert not wrong, "\n".join(wrong)


def test_the_gate_never_imports_heavy_libraries() -> None:
    files = [p for p in FILES if layer(module_name(p)) in LIGHT_LAYERS
             or module_name(p) in {*SCALAR_STATS, SETTINGS_TABLE}]
    wrong = [show(p, line, name) for p in files for line, name in imports(p) if name.split(".")[0] in HEAVY]
    assert not wrong, "\n".join(wrong)


def test_the_child_process_needs_nothing_of_the_parent() -> None:
    """From worker/child.py on: no other part of govern but the errors, and no pyarrow when modules load."""
    start = "govern.worker.child"
    assert start in MODULES
    seen, todo = set(), [start]
    wrong = []
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        path = ROOT / Path(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        for line, name in imports(path, top_level=True):
            if name.split(".")[0] == "pyarrow":
                wrong.append(show(path, line, name))
            elif name in MODULES and name != "govern":
                if layer(name) != "worker" and name != "govern.errors":
                    wrong.append(show(path, line, name))
                todo.append(name)
    assert not wrong, "\n".join(wrong)


def test_no_assert_guards_anything() -> None:
    """`python -O` removes asserts, so none may check input."""
    wrong = [
        show(path, node.lineno, "assert")
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert not wrong, "\n".join(wrong)


def test_files_stay_small() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    wrong = [show(path, length, f"more than {MAX_LINES} lines") for path, length in lengths.items()
             if length > MAX_LINES]
    assert not wrong, "\n".join(wrong)


def test_the_walk_finds_nested_relative_and_type_only_imports() -> None:
    code = (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import pandas\n"
        "def f():\n    import numpy\n"
        "try:\n    from .. import codec\nexcept ImportError:\n    pass\n"
        "from . import gate\n"
    )
    everywhere = {name for _, name in imports_of(code, "govern.policy")}
    assert everywhere == {"typing", "pandas", "numpy", "govern", "govern.codec", "govern.policy"} | (
        {"govern.policy.gate"} & MODULES)
    at_import = {name for _, name in imports_of(code, "govern.policy", top_level=True)}
    assert at_import == everywhere - {"pandas", "numpy"}


@pytest.mark.parametrize(
    ("module", "expected"),
    [("govern", "base"), ("govern.codec", "base"), ("govern.machine", "cli"), ("govern.cli.check", "cli"),
     ("govern.policy.rules.bound", "policy")],
)
def test_layer_of(module: str, expected: str) -> None:
    assert layer(module) == expected
