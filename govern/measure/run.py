"""Model and data in, Evidence out. After this nothing opens the model or the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from govern import __version__
from govern.evidence import (
    EVIDENCE_SCHEMA,
    Attributions,
    Compute,
    Containment,
    Evidence,
    Measurement,
    Model,
    SmokeCheck,
    Subject,
)
from govern.explain.attributions import attributions
from govern.inputs.columns import ColumnPlan, plan_columns
from govern.inputs.config import Settings
from govern.inputs.datasets import DataSource, open_data
from govern.inputs.labels import Labels
from govern.inputs.levels import numbers, sensitive_coder
from govern.measure import from_cube, smoke
from govern.measure.machine_cost import compute_document
from govern.measure.passing import Pass, labels_of
from govern.measure.predictions import FromColumns, FromModel, refuse_misfit
from govern.measure.rates import LEVEL
from govern.measure.start import Started
from govern.worker.client import Pending
from govern.worker.replies import Explained

Progress = Callable[[str, int, int], None]
BATCH_TIMED = 1000
LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "fairlearn", "shap")


@dataclass(frozen=True)
class Measured:
    """Evidence, how to make the compute document for it (None when not timed), and what the model printed."""

    evidence: Evidence
    compute: Callable[[str], Compute] | None
    output: str = ""


def measure(settings: Settings, model: Started | None, *, created: str, timed: bool, progress: Progress,
            meanwhile: Callable[[], None]) -> Measured:
    """The facts about a started model, or about stored predictions where there is none.

    `meanwhile` is called once, when the model's process is busy explaining and there is time for other work.
    Raises InputError for anything unusable.
    """
    # Slow to import, and there is time for it while the model's process imports its own libraries: imported
    # where it is used, it made the whole report of 1,000 rows take 14 % longer on two cores.
    import fairlearn.metrics  # noqa: F401

    if model is None:
        return _measure_stored(settings, created, progress)
    return _measure_model(settings, model, created, timed, progress, meanwhile)


def _measure_model(settings: Settings, model: Started, created: str, timed: bool, progress: Progress,
                   meanwhile: Callable[[], None]) -> Measured:
    worker, file, found, data = model.worker, model.file, model.scanned, settings.data
    source, target = _source(settings)
    labels = labels_of(source, target, positive=data.positive, favourable=data.favourable)
    coders = {s.role: sensitive_coder(s, data.bands, source) for s in data.sensitive}
    progress("loading the model", 0, 0)
    described = worker.load(file.data, file.format, file.name)
    refuse_misfit(described, labels, data.threshold, file.name)
    plan = plan_columns(settings, tuple(source.columns), described.features, described.n_features)
    done = Pass(source, plan, labels, coders, scored=described.has_score, seed=settings.seed)
    answers = FromModel(worker, described, labels, plan, data.threshold, file.name)
    done.run(answers.ask, progress, "predicting")
    sample = done.sample.first(len(done.sample.table), plan.features)
    progress("checking and explaining", 0, 0)
    checking = worker.submit_smoke(sample, labels.positive)
    explaining = worker.submit_explain(sample, sample, labels.positive, settings.seed)
    timing = worker.submit_time(sample.slice(0, BATCH_TIMED), labels.positive) if timed else None
    out = from_cube.numbers(done.cube, done.levels(), data.intersections, labels)
    from_cube.add_disparities(out, labels)
    meanwhile()
    checked = checking.result()
    checks = smoke.checks(smoke.Seen(
        rows_sent=done.used, rows_answered=answers.rows, not_finite=answers.not_finite,
        invalid_rows=answers.invalid_rows if described.has_score else None, distinct=done.distinct_outputs,
        repeat_difference=checked.repeat_difference, batch_difference=checked.batch_difference))
    explained, why = _explained(explaining, done, out)
    evidence = _evidence(
        settings, created, source, labels, plan, done, out, checks,
        subjects=(Subject("model", file.name, file.sha256, file.size, file.format),),
        model=Model(described.type, described.libraries, plan.features, described.parameters, described.classes,
                    described.warnings),
        containment=Containment(
            f"{found.format}: {len(found.names)} names, " + ("all allowed" if not found.trusted else
                                                            f"{len(found.trusted)} trusted by the user"),
            found.trusted, worker.layers, worker.open),
        attributions=explained, notes=why)
    compute = None
    if timing is not None:
        progress("timing", 0, 0)
        cost = timing.result()

        def compute(sha256: str) -> Compute:
            return compute_document(
                load_seconds=described.load_seconds, single_ms=cost.single_ms, batch_ms=cost.batch_ms,
                batch_rows=cost.batch_rows, predict_rows=answers.rows, predict_seconds=answers.seconds,
                peak_memory_bytes=cost.peak_memory_bytes, file_bytes=file.size, evidence_sha256=sha256)

    return Measured(evidence, compute, worker.output)


def _explained(pending: Pending[Explained], done: Pass, out: from_cube.Numbers
               ) -> tuple[Attributions, list[str]]:
    found = pending.result()
    rows = len(found.values)
    table = done.sample.table.slice(0, rows)
    numeric = {}
    for name in found.features:
        column = table.column(name).combine_chunks()
        kind = str(column.type)
        if kind.startswith(("int", "uint", "float", "double", "halffloat", "bool")):
            numeric[name] = numbers(column, name)
    values = {role: v[:rows] for role, v in done.sampled_groups().items()}
    asked = [g for g in out.groups if g.asked]
    features = attributions(found.values, found.features, numeric, from_cube.membership(values, asked))
    notes = [] if rows == done.sample.table.num_rows else \
        [f"{rows} of {done.sample.table.num_rows} sampled rows were explained: the budget allowed no more."]
    found_all = Attributions(found.method, found.output_space, rows, found.background_rows, found.background,
                             done.seed, _finite(found.base), _finite(found.residual), found.exact, features)
    return found_all, notes


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _source(settings: Settings) -> tuple[DataSource, str]:
    path, target = settings.measurable()
    source = open_data(path)
    # A misspelt column is told before the model is loaded.
    for name in (target, *(s.column for s in settings.data.sensitive)):
        source.type_of(name)
    return source, target


def _measure_stored(settings: Settings, created: str, progress: Progress) -> Measured:
    data = settings.data
    source, target = _source(settings)
    labels = labels_of(source, target, positive=data.positive, favourable=data.favourable)
    coders = {s.role: sensitive_coder(s, data.bands, source) for s in data.sensitive}
    plan = plan_columns(settings, tuple(source.columns), None, None)
    done = Pass(source, plan, labels, coders, scored=data.score is not None, seed=settings.seed)
    reader = FromColumns(settings, plan, labels, str(source.path))
    done.run(reader.ask, progress, "reading predictions")
    out = from_cube.numbers(done.cube, done.levels(), data.intersections, labels)
    from_cube.add_disparities(out, labels)
    notes = ["No model was given: stored predictions were judged; nothing is said about the model's file, its "
             "smoke checks, its explanation or its cost."]
    evidence = _evidence(settings, created, source, labels, plan, done, out, smoke.constant_only(done.distinct_outputs),
                         subjects=(), model=None, containment=None, attributions=None, notes=notes)
    return Measured(evidence, None)


def _evidence(settings: Settings, created: str, source: DataSource, labels: Labels, plan: ColumnPlan, done: Pass,
              out: from_cube.Numbers, checks: tuple[SmokeCheck, ...], *, subjects: tuple[Subject, ...],
              model: Model | None, containment: Containment | None, attributions: Attributions | None,
              notes: Sequence[str]) -> Evidence:
    merged = settings.plain()
    merged["data"] |= {"positive": labels.positive, "negative": labels.negative, "favourable": labels.favourable,
                       "task": "binary"}
    if merged["model"].get("name") is None and settings.model.path is not None:
        merged["model"]["name"] = settings.model.path.stem
    merged |= {"versions": _versions(), "intervals": {"level": LEVEL}}
    config = settings.config_file
    subjects += (
        Subject("data", source.name, source.sha256, source.size, source.format),
        Subject("config", config.name if config else "merged settings", settings.config_sha256,
                config.stat().st_size if config else 0, "yaml" if config else "settings"))
    coder_notes = [n for c in done.coders.values() for n in c.notes()]
    measurements: list[Measurement] = [*out.measurements, *smoke.measurements(checks)]
    return Evidence(
        EVIDENCE_SCHEMA, created, subjects, merged, containment, done.population, done.facts.result(),
        tuple(out.groups), tuple(out.counts), tuple(measurements), model=model, curves=tuple(out.curves),
        attributions=attributions, smoke=checks, declared=dict(settings.declared), card=dict(settings.card),
        notes=tuple(dict.fromkeys([*labels.notes, *plan.notes, *coder_notes, *notes])))


def _versions() -> dict[str, str]:
    found = {"govern": __version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
