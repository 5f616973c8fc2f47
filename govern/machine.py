"""What this machine can do, for `govern doctor`: a part of the command line, imported only by it."""

from __future__ import annotations

import contextlib
import io
import platform
import re
import sys
import warnings
from dataclasses import dataclass

DISTRIBUTION = "govern-ml"
MINIMUM_PYTHON = (3, 11)
BOOSTERS = ("lightgbm", "xgboost")
PDF_LIBRARIES = ("gobject-2.0", "pango-1.0", "pangoft2-1.0", "harfbuzz", "harfbuzz-subset", "fontconfig")
PDF_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found, and the line that mends it when it is not ok.

    `needed` is false for what only some reports use; then a check that is not ok is no fault.
    """

    name: str
    ok: bool
    found: str
    mend: str = ""
    needed: bool = True


def checks() -> tuple[Check, ...]:
    """Every check of this machine, in the order they are shown; none raises and none prints."""
    boosters = (_booster(name) for name in BOOSTERS)
    return (_python(), *_libraries(), _definitions(), _pdf(), _fonts(), _containment(), *boosters)


def pdf_install_line() -> str:
    """The command that installs the system libraries of the PDF on this kind of machine."""
    return "brew install pango" if sys.platform == "darwin" else f"sudo apt-get install -y {PDF_PACKAGES}"


def _python() -> Check:
    wanted = ".".join(map(str, MINIMUM_PYTHON))
    return Check(
        "Python",
        sys.version_info >= MINIMUM_PYTHON,
        f"{platform.python_implementation()} {platform.python_version()}",
        f"install Python {wanted} or newer",
    )


def _libraries() -> tuple[Check, ...]:
    """One check for each library that govern requires, read from what was installed (nothing is imported)."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        mend = f"pip install {DISTRIBUTION}, or in a checkout: sh dev.sh setup"
        return (Check(DISTRIBUTION, False, "not installed, only found on the path", mend),)
    return tuple(_library(*wanted) for wanted in map(_requirement, lines) if wanted)


def _requirement(line: str) -> tuple[str, str, str] | None:
    """(`shap`, `0.49`, ``) from `shap>=0.49`, (`weasyprint`, `70`, `71`) from `weasyprint<71,>=70`; None for what only
    an extra asks for."""
    match = re.fullmatch(r"([A-Za-z0-9._-]+)\s*((?:(?:>=|<)\s*[0-9.]+\s*,?\s*)*)", line.strip())
    bounds = dict(re.findall(r"(>=|<)\s*([0-9.]+)", match[2])) if match else {}
    return (match[1], bounds.get(">=", "0"), bounds.get("<", "")) if match else None


def _library(name: str, minimum: str, below: str) -> Check:
    from importlib.metadata import PackageNotFoundError, version

    mend = f"pip install '{name}>={minimum}{',<' + below if below else ''}'"
    try:
        found = version(name)
    except PackageNotFoundError:
        return Check(name, False, "not installed", mend)
    fits = _release(minimum) <= _release(found) and not (below and _release(found) >= _release(below))
    return Check(name, fits, found, mend)


def _release(version: str) -> tuple[int, ...]:
    """(2, 4, 6) from `2.4.6`, `2.4.6rc1` or `2.4.6.dev0`, without trailing zeros."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    parts = [int(part) for part in match[0].split(".")] if match else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _definitions() -> Check:
    """Whether the disparities that govern computes from counts are those of the fairlearn installed here."""
    mend = "the two disagree on what a metric is: report it with the versions above, and do not rely on disparities"
    try:
        import fairlearn.metrics as fm

        from govern.evidence import Counts, Group
        from govern.measure.disparities import disparities
    except ImportError as err:
        return Check("Definitions of fairlearn", False, str(err)[:120], "pip install fairlearn")
    # tp, fp, fn, tn of three groups; every disparity of them differs from 0 and 1.
    cells = {"a": (5, 2, 3, 11), "b": (7, 4, 2, 6), "c": (1, 3, 4, 9)}
    y, pred, who = ([v for group, n in cells.items() for v in part(group, n)] for part in (
        lambda _, n: [1] * n[0] + [0] * n[1] + [1] * n[2] + [0] * n[3],
        lambda _, n: [1] * (n[0] + n[1]) + [0] * (n[2] + n[3]),
        lambda group, n: [group] * sum(n)))
    groups = [Group(g, ("group",), (g,), sum(n), n[0] + n[2], n[0] + n[2]) for g, n in cells.items()]
    counts: dict[tuple[str, str | None], Counts] = {
        (g, None): Counts(g, *n, selected=n[0] + n[1]) for g, n in cells.items()}
    ours = {m.metric: m.value for m in disparities({("group",): groups}, counts, favourable_is_positive=True)}
    names = [f"{base}_{kind}" for base in ("demographic_parity", "equalized_odds", "equal_opportunity")
             for kind in ("difference", "ratio")]
    other = [n for n in names if ours[n] != float(getattr(fm, n)(y, pred, sensitive_features=who))]
    found = f"{len(names)} disparities equal those of fairlearn" if not other else f"not equal: {', '.join(other)}"
    return Check("Definitions of fairlearn", not other, found, mend)


def _pdf() -> Check:
    """Whether WeasyPrint finds its system libraries; a failing import prints a banner, which is kept back."""
    from ctypes.util import find_library

    try:
        with (contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()),
              warnings.catch_warnings()):
            warnings.filterwarnings("ignore", "HarfBuzz", DeprecationWarning)
            import weasyprint
    except (OSError, ImportError) as err:
        absent = [name for name in PDF_LIBRARIES if find_library(name) is None]
        found = f"not found: {', '.join(absent)}" if absent else str(err).partition("\n")[0][:120]
        return Check("PDF libraries", False, found, pdf_install_line())
    subset = find_library("harfbuzz-subset") is not None
    return Check("PDF libraries", True, f"WeasyPrint {weasyprint.__version__} and Pango" +
                 ("" if subset else ", without harfbuzz-subset, which its later versions will need"))


def _fonts() -> Check:
    from govern.errors import GovernError
    from govern.resources import resource

    mend = f"pip install --force-reinstall --no-deps {DISTRIBUTION}"
    try:
        faces = sorted(path.stem for path in resource("templates", "fonts").glob("*.woff2"))
    except (GovernError, OSError) as err:
        return Check("Fonts of the card", False, str(err)[:120], mend)
    return Check("Fonts of the card", bool(faces), ", ".join(faces) or "none", mend)


def _containment() -> Check:
    """Which layers hold the process that loads models, and which are open on this machine."""
    from govern.errors import GovernError
    from govern.worker.client import Worker

    try:
        with Worker() as worker:
            closed, open_ = tuple(worker.layers), tuple(worker.open)
    except (GovernError, OSError) as err:
        return Check("Model process", False, str(err)[:200], "run again with --verbose and report it")
    found = "; ".join([*closed, *(f"open: {name}" for name in open_)])
    offline = any(name.startswith("no network") for name in closed)
    return Check("Model process", offline, found,
                 "the network cannot be forbidden to models here: load only files you trust", needed=False)


def _booster(name: str) -> Check:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return Check(name, True, version(name), needed=False)
    except PackageNotFoundError:
        mend = f"pip install '{DISTRIBUTION}[boosters]'"
        return Check(name, False, "not installed (only for models that use it)", mend, needed=False)
