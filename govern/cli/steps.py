"""The steps that commands share: settings, facts, judgement, cards, what is printed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from govern.cli import actions
from govern.cli.clock import created, today
from govern.codec import as_stored, digest, document, load, write_files
from govern.errors import InputError
from govern.evidence import COMPUTE_SCHEMA, EVIDENCE_SCHEMA, Compute, Evidence
from govern.formats import ci
from govern.verdict import VERDICT_SCHEMA, Phase, Verdict

if TYPE_CHECKING:
    from govern.cli.progress import Progress
    from govern.formats.edition import Edition
    from govern.inputs.settings import ReportSettings, Settings
    from govern.measure.start import Started
    from govern.policy.schema import Policy
    from govern.worker.client import Worker

CARD_FILES = {"html": "card.html", "pdf": "card.pdf"}
REPORT_FILES = ("evidence.json", "compute.json", "verdict.json", *CARD_FILES.values(), *ci.FILES.values())


@dataclass(frozen=True)
class Facts:
    """Evidence and compute with the bytes they are (to be) stored as."""

    evidence: Evidence
    evidence_sha256: str
    compute: Compute | None
    compute_sha256: str | None
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def judged(self) -> dict[str, str]:
        """Digests of what a verdict on these facts is about, by role."""
        found = {"evidence": self.evidence_sha256}
        if self.compute_sha256:
            found["compute"] = self.compute_sha256
        return found


def settings_of(given: Mapping[str, Any]) -> Settings:
    """The merged settings of a command that measures."""
    from govern.inputs.config import load_settings

    return load_settings(given, config=given.get("config"), cwd=Path())


def measured(settings: Settings, given: Mapping[str, Any], model: Started | None, tell: Progress,
             meanwhile: Callable[[], None] | None = None) -> Facts:
    """Facts from model and data; the lock file is read first, `meanwhile` is called while the model's process is
    busy."""
    from govern.inputs.lockfile import find_lock
    from govern.measure.run import measure

    how = given.get("compute", "measure")
    taken = None if how in ("measure", "skip") else load(Path(how), Compute, COMPUTE_SCHEMA)
    found = measure(settings, model, created=created(dict(given)), timed=how == "measure", progress=tell,
                    lock=find_lock(given, settings), meanwhile=meanwhile)
    evidence, data = as_stored(found.evidence)
    sha = digest(data)
    files = {"evidence.json": data}
    timed = found.compute(sha) if found.compute is not None else None
    if model is not None:
        model.worker.close()  # its memory is not needed while cards are drawn
    for line in found.output().splitlines() if given.get("verbose") else ():
        sys.stderr.write(f"model: {line}\n")
    if taken is not None:
        compute, compute_sha = taken
        if compute.evidence_sha256 != sha:
            raise InputError("was measured with other evidence", where=str(how),
                             fix="give the compute.json of the same inputs, seed and --timestamp")
        return Facts(evidence, sha, compute, compute_sha, {**files, "compute.json": document(compute)})
    if timed is None:
        return Facts(evidence, sha, None, None, files)
    timed, data = as_stored(timed)
    return Facts(evidence, sha, timed, digest(data), {**files, "compute.json": data})


def stored(path: Path, given: Mapping[str, Any]) -> Facts:
    """Facts from files: the evidence, and the compute.json of --compute or else of the same folder if it belongs."""
    evidence, sha = load(path, Evidence, EVIDENCE_SCHEMA)
    how = given.get("compute")
    compute_path = path.with_name("compute.json") if how in (None, "measure") else Path(str(how))
    if how == "skip" or (how is None and not compute_path.exists()):
        return Facts(evidence, sha, None, None)
    compute, compute_sha = load(compute_path, Compute, COMPUTE_SCHEMA)
    if compute.evidence_sha256 != sha:
        if how is None:
            return Facts(evidence, sha, None, None)
        raise InputError("was measured with other evidence", where=str(compute_path),
                         fix="give the compute.json that was written with this evidence")
    return Facts(evidence, sha, compute, compute_sha)


def stored_files(facts: Facts, evidence: Path, verdict: tuple[Verdict, str] | None, path: Path | None
                 ) -> dict[str, bytes]:
    """The bytes of the stored documents that a card attaches. Raises InputError when a file is not the one read."""
    asked = [("evidence.json", evidence, facts.evidence_sha256)]
    asked += [("verdict.json", path, verdict[1])] if verdict and path else []
    files = {}
    for name, file, sha in asked:
        files[name] = file.read_bytes()
        if digest(files[name]) != sha:
            raise InputError("changed while it was read", where=str(file), fix="run the command again")
    return files


def stored_verdict(path: Path | None, evidence_sha256: str) -> tuple[Verdict, str] | None:
    """The verdict in a file with its digest. Raises InputError when it is about other evidence."""
    if path is None:
        return None
    verdict, sha = load(path, Verdict, VERDICT_SCHEMA)
    if verdict.judged.get("evidence") != evidence_sha256:
        raise InputError("is the verdict on other evidence", where=str(path),
                         fix="give the verdict.json that was made from this evidence")
    return verdict, sha


def policies_of(settings: Settings, evidence: Evidence | None = None) -> tuple[Policy, ...]:
    """The policies to judge by, read and checked before anything is measured. Their rules may name metrics of the
    user's own, of the settings and of stored evidence."""
    from govern.metrics import own
    from govern.policy.packs import load_policy

    known = own(settings.plain()) | (own(evidence.settings) if evidence else {})
    return tuple(load_policy(p, base=settings.policies_base, own=known) for p in settings.policies)


def baseline_of(given: Mapping[str, Any]) -> Facts | None:
    """The facts of `--baseline`: the evidence, and the compute.json beside it where it belongs to it."""
    path = given.get("baseline")
    return None if path is None else stored(Path(path), {})


def judged(facts: Facts, settings: Settings, policies: Sequence[Policy], given: Mapping[str, Any],
           baseline: Facts | None = None, lock: str | None = None) -> Verdict:
    """The verdict on the facts at the phase and on the day of the settings; `lock` is the digest of a lock file that
    must be the recorded one."""
    from govern.policy.gate import judge

    more: dict[str, str | None] = {"lock": lock}
    if baseline is not None:
        more |= {"baseline": baseline.evidence_sha256, "baseline_compute": baseline.compute_sha256}
    return judge(facts.evidence, judged=facts.judged | {role: d for role, d in more.items() if d is not None},
                 policies=policies, phase=cast("Phase", settings.phase),
                 today=today(dict(given), facts.evidence.created), compute=facts.compute, waivers=settings.waivers,
                 baseline=baseline.evidence if baseline else None,
                 baseline_compute=baseline.compute if baseline else None)


def formats_of(settings: Settings, *, drawing: bool = False) -> tuple[str, ...]:
    """Card formats that can be made here: without the PDF libraries an asked-for PDF is an error, a default
    one is left out with a warning that names the line to install. Where a process for `drawing` was started, it is
    asked, so that this one need not import them yet."""
    formats = settings.report.formats
    if "pdf" not in formats:
        return formats
    if drawing:
        from govern.formats.pdfprocess import refused as reason_against
    else:
        from govern.formats.pdf import pdf_available as reason_against
    reason = reason_against()
    if reason is None:
        return formats
    if settings.formats_asked:
        raise InputError(f"a PDF cannot be made here: {reason}", where="--format pdf", fix="or ask for html only")
    say_error(f"govern: no PDF is written: {reason}")
    return tuple(f for f in formats if f != "pdf")


def start_drawing(formats: Sequence[str], edition: Edition) -> bool:
    """Whether there is to be a full PDF; the process that draws half of it is started, so that it is ready in time."""
    if "pdf" not in formats or not edition.full:
        return False
    from govern.formats import pdfprocess

    pdfprocess.start()
    return True


def prepare(formats: Sequence[str], edition: Edition, *, shown: bool) -> None:
    """Does ahead what every card and a summary that is `shown` need: imports, templates, style sheet, fonts."""
    if shown:
        import_module("rich.console")
        import_module("govern.formats.text")
    if not set(formats) & set(CARD_FILES):
        return
    from govern.formats import html

    html.prepare()
    if "pdf" in formats:
        from govern.formats import pdf

        pdf.prepare()
        start_drawing(formats, edition)


def edition_of(report: ReportSettings) -> Edition:
    """How the card is to look, with what the organisation adds. Raises InputError for a colour, logo or section that
    cannot be used."""
    from govern.formats.edition import Brand, Edition, Section
    from govern.inputs.brand import checked_colour, logo_uri, own_section

    sections = tuple(Section(*own_section(path)) for path in report.sections)
    brand = Brand(report.organisation or "", checked_colour(report.colour), logo_uri(report.logo), sections)
    return Edition(report.lang, report.edition, report.suppress_below, brand, report.paper)


def cards(facts: Facts, verdict: tuple[Verdict, str] | None, formats: Sequence[str], edition: Edition,
          documents: Mapping[str, bytes]) -> dict[str, bytes]:
    """The cards, and what is written for pipelines, as files made from the documents alone; `documents` are the files
    that a PDF which suppresses nothing holds as attachments."""
    files = pipeline_files(facts.evidence, verdict, formats)
    if "html" not in formats and "pdf" not in formats:
        return files
    from govern.formats.html import render_html
    from govern.formats.pdfobjects import compressing

    attached = documents if "pdf" in formats and not edition.suppress_below else {}
    packing = compressing(attached.values())
    digests = dict(facts.judged)
    if verdict:
        digests["verdict"] = verdict[1]
    html = render_html(facts.evidence, verdict and verdict[0], facts.compute, digests=digests, edition=edition)
    if "html" in formats:
        files[CARD_FILES["html"]] = html.encode()
    if "pdf" in formats:
        from govern.formats.pdf import render_pdf

        identifier = bytes.fromhex(digest("".join(sorted(digests.values())).encode()))[:16]
        notes: list[str] = []
        files[CARD_FILES["pdf"]] = render_pdf(html, identifier=identifier, created=facts.evidence.created,
                                              notes=notes, paper=edition.paper, attachments=attached, packing=packing)
        for note in notes:
            say_error(f"govern: card.pdf: {note}")
    return files


def pipeline_files(evidence: Evidence, verdict: tuple[Verdict, str] | None, formats: Sequence[str]) -> dict[str, bytes]:
    """The files for pipelines among `formats`. Raises InputError when there is no verdict to tell."""
    told = ci.tell(formats, evidence, verdict)
    return {ci.FILES[name]: text.encode() for name, text in told.items() if name in ci.FILES}


def report(settings: Settings, given: Mapping[str, Any], worker: Worker, out: Path | None = None) -> Verdict:
    """Measure, judge, render and write into `out` (default: the settings' folder); print the summary."""
    from govern.cli.progress import progress
    from govern.measure.start import start

    out = out or settings.report.out
    model = start(worker, settings)
    with progress(bool(given.get("quiet"))) as tell:
        policies = policies_of(settings)
        baseline = baseline_of(given)
        # What was asked for and cannot be made is told before the long work; the PDF library is slow to import,
        # and there is time for it while the model's process imports its own.
        formats = formats_of(settings)
        edition = edition_of(settings.report)
        facts = measured(settings, given, model, tell,
                         lambda: prepare(formats, edition, shown=not given.get("quiet")))
        verdict, data = as_stored(judged(facts, settings, policies, given, baseline))
        tell("drawing the card", 0, 0)
        documents = {"evidence.json": facts.files["evidence.json"], "verdict.json": data}
        files = {**facts.files, "verdict.json": data,
                 **cards(facts, (verdict, digest(data)), formats, edition, documents)}
    write_files(out, files, replaces=REPORT_FILES)
    if not given.get("quiet"):
        show(facts.evidence, verdict, files, out)
    actions.tell_github(settings, facts.evidence, (verdict, digest(data)), quiet=bool(given.get("quiet")))
    return verdict


def show(evidence: Evidence, verdict: Verdict | None, files: Mapping[str, bytes], out: Path) -> None:
    """Print the summary, at most 80 columns wide, in colour where the terminal takes it."""
    from rich.console import Console

    from govern.formats.text import summary

    console = Console(highlight=False, soft_wrap=True)
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    digests = {name: digest(data) for name, data in files.items()}
    text = summary(evidence, verdict, digests, out=str(out), width=min(80, max(40, console.width)), unicode=unicode)
    before, after = actions.guard(text.plain)
    typer.echo(before, nl=False)
    console.print(text, end="")
    typer.echo(after, nl=False)


def files_line(out: Path, files: Mapping[str, bytes]) -> str:
    """One line that says what was written where, with the digests of the documents."""
    shown = [f"{n} ({digest(d)[:8]})" if n.endswith(".json") else n for n, d in files.items()]
    return f"{out}/  {'  '.join(shown)}"


def say(line: str) -> None:
    """Print a line of the result."""
    typer.echo(line)


def say_error(line: str) -> None:
    """Print a warning."""
    typer.echo(line, err=True)
