"""The formats for pipelines and the LL144 fragment: made from the documents alone, with the standard library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from govern.errors import InputError
from govern.evidence import Evidence
from govern.verdict import Verdict

Told = Callable[[Evidence, Verdict, Mapping[str, str]], str]
# The file of each format; github has none: its annotations are printed.
FILES = {"md": "card.md", "junit": "junit.xml", "sarif": "results.sarif", "gitlab": "gl-code-quality.json",
         "tap": "results.tap", "ll144": "ll144-summary.html"}
FORMATS = (*FILES, "github")


def tell(formats: Sequence[str], evidence: Evidence, judged: tuple[Verdict, str] | None) -> dict[str, str]:
    """The text of each of `formats` that is one of `FORMATS`, of a verdict with the SHA-256 of its file.

    The digests shown are that one and those of the documents that were judged. Raises InputError when there is no
    verdict to tell.
    """
    asked = [f for f in formats if f in FORMATS]
    if not asked:
        return {}
    if judged is None:
        raise InputError("tells a verdict, and none was given", where=f"--format {asked[0]}",
                         fix="name the VERDICT after the EVIDENCE")
    verdict, sha256 = judged
    known, digests = _formats(), {**verdict.judged, "verdict": sha256}
    return {f: known[f](evidence, verdict, digests) for f in asked}


def _formats() -> Mapping[str, Told]:
    """Imported only when one is asked for: most runs of `check` write none."""
    from govern.formats.github import github
    from govern.formats.gitlab import gitlab
    from govern.formats.junit import junit
    from govern.formats.ll144 import ll144
    from govern.formats.markdown import markdown
    from govern.formats.sarif import sarif
    from govern.formats.tap import tap

    return {"md": markdown, "junit": junit, "sarif": sarif, "gitlab": gitlab, "tap": tap, "github": github,
            "ll144": ll144}
