"""Model and data in, Evidence out. After this nothing opens the model or the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from govern import __version__
from govern.evidence import EVIDENCE_SCHEMA, Compute, Containment, Evidence, Measurement, Model, SmokeCheck, Subject
from govern.explanations import Attributions, Explanation
from govern.inputs.chosen import cases_in, check_named
from govern.inputs.coders import Coder, control_coders, search_coders, sensitive_coders
from govern.inputs.columns import ColumnPlan, plan_columns
from govern.inputs.datasets import DataSource, open_data
from govern.inputs.expected import Decision
from govern.inputs.labels import Target
from govern.inputs.lockfile import LockFile
from govern.inputs.named_levels import decisions_in
from govern.inputs.settings import DataSettings, Settings
from govern.inputs.target import target_of
from govern.measure import from_cube, smoke
from govern.measure.custom import own_metrics
from govern.measure.datarows import of_rows
from govern.measure.expected import Expected
from govern.measure.explaining import ROWS as EXPLAINED_ROWS
from govern.measure.explaining import STAGE, Explaining
from govern.measure.explanation import explanation
from govern.measure.group_rows import GroupRows
from govern.measure.machine_cost import compute_document
from govern.measure.passing import SAMPLE_ROWS, Ask, Pass
from govern.measure.predictions import FromColumns, FromModel, Predicted, match_target
from govern.measure.rates import LEVEL
from govern.measure.splits import Roles
from govern.measure.start import Started
from govern.measure.subgroups import SubgroupSearch
from govern.measure.training import Training, refuse_foreign
from govern.worker.client import Worker
from govern.worker.processors import cores

Progress = Callable[[str, int, int], None]
BATCH_TIMED = 1000
MANY_ROWS = 20_000
LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "fairlearn", "shap")


@dataclass(frozen=True)
class Measured:
    """Evidence, how to make the compute document for it (None when not timed), and what the model printed so far.

    Making the compute document waits for the timing, which may go on while the evidence is written.
    """

    evidence: Evidence
    compute: Callable[[str], Compute] | None
    output: Callable[[], str] = str


def measure(settings: Settings, model: Started | None, *, created: str, timed: bool, progress: Progress,
            explained: bool = True, lock: LockFile | None = None, meanwhile: Callable[[], None] | None = None
            ) -> Measured:
    """The facts about a started model, or about stored predictions where there is none.

    Without `timed` there is no compute document, without `explained` no attributions. `lock` is recorded as it is.
    `meanwhile` is called once while the model's process is busy, so that work which needs no answer of it is not
    waited for: while it predicts the first of many rows, else while it checks and explains.
    Raises InputError for anything unusable.
    """
    found = _measure_stored(settings, created, progress) if model is None else \
        _measure_model(settings, model, created, timed, progress, explained, meanwhile)
    return found if lock is None else replace(found, evidence=_locked(found.evidence, lock))


def _locked(evidence: Evidence, lock: LockFile) -> Evidence:
    """The evidence with the lock file as a subject."""
    return replace(evidence, subjects=(*evidence.subjects, lock.subject), lock=lock.content)


def _train_source(settings: Settings) -> DataSource | None:
    """The training data, opened before the model is loaded; None where none were given."""
    return None if settings.data.train is None else open_data(settings.data.train, "--train")


def _measure_model(settings: Settings, model: Started, created: str, timed: bool, progress: Progress,
                   explained: bool, meanwhile: Callable[[], None] | None) -> Measured:
    worker, file, found, data = model.worker, model.file, model.scanned, settings.data
    source, train = _source(settings), _train_source(settings)
    target = target_of(source, data)
    coders = _coders(settings, source)
    decisions = decisions_in(data, source, target, coders)
    progress("loading the model", 0, 0)
    described = model.described()
    target = match_target(described, target, data.threshold, file.name)
    plan = plan_columns(settings, tuple(source.columns), described.features, described.n_features)
    check_named(settings.explain, plan.features, tuple(source.columns), file.name)
    cases = cases_in(source, plan.features, settings.explain.cases, settings.seed) if explained else None
    answers = FromModel(worker, described, target, plan, data.threshold, file.name)
    done = _pass(settings, source, plan, target, coders, decisions, answers.score_columns)
    if train is not None:
        refuse_foreign(train, plan)
    ask: Ask = answers.ask
    if meanwhile is not None and source.rows >= MANY_ROWS:
        ask, meanwhile = _with_first(ask, meanwhile), None
    done.run(ask, progress, "predicting")
    sample = done.sample.first(SAMPLE_ROWS, plan.features)
    progress(STAGE, 0, 0)
    checking = worker.submit_smoke(sample, answers.positive)
    explaining = Explaining(worker, done, settings, target, described, FromModel(
        worker, described, target, plan, data.threshold, file.name)) if explained else None
    training = _training(train, done, data, progress)
    if training is not None:
        training.ask(FromModel(worker, described, target, plan, data.threshold, file.name).ask)
    out = _numbers(done, settings, target)
    if meanwhile is not None:
        meanwhile()
    checked = checking.result()
    checks = smoke.checks(smoke.Seen(
        rows_sent=done.used, rows_answered=answers.rows, not_finite=answers.not_finite,
        invalid_rows=answers.invalid_rows if described.has_score else None, distinct=done.distinct_outputs,
        repeat_difference=checked.repeat_difference, batch_difference=checked.batch_difference,
        numbers=described.task == "regressor"))
    why = None if explaining is None else explaining.result(out, progress)
    more: tuple[Explanation | None, tuple[str, ...]] = (None, ()) if why is None or explaining is None else \
        explanation(why, explaining, cases, worker, described, answers.positive, settings.explain, target, out)
    _own_metrics(done, settings, target, worker, out)
    # The last thing asked of the model: it is timed while the evidence is written.
    timing = worker.submit_time(sample.slice(0, BATCH_TIMED), answers.positive) if timed else None
    evidence = _evidence(
        settings, created, source, target, plan, done, out, checks,
        subjects=(Subject("model", file.name, file.sha256, file.size, file.format),),
        model=Model(described.type, described.libraries, plan.features, described.parameters, described.classes,
                    described.warnings),
        containment=Containment(
            f"{found.format}: {len(found.names)} names, " + ("all allowed" if not found.trusted else
                                                            f"{len(found.trusted)} trusted by the user"),
            found.trusted, worker.layers, worker.open),
        attributions=None if why is None else why.attributions, explained=more[0],
        notes=() if why is None else (*why.notes, *more[1]),
        training=training)
    compute = None
    if timing is not None:
        progress("timing", 0, 0)
        if cores() == 1:
            timing.result()  # the model alone is timed, not this process beside it

        def compute(sha256: str) -> Compute:
            cost = timing.result()
            return compute_document(
                load_seconds=described.load_seconds, single_ms=cost.single_ms, batch_ms=cost.batch_ms,
                batch_rows=cost.batch_rows, predict_rows=answers.rows, predict_seconds=answers.seconds,
                peak_memory_bytes=cost.peak_memory_bytes, file_bytes=file.size, evidence_sha256=sha256)

    return Measured(evidence, compute, lambda: worker.output)


def _training(source: DataSource | None, done: Pass, data: DataSettings, progress: Progress) -> Training | None:
    """The training data, read; None where none were given."""
    if source is None:
        return None
    found = Training(source, done, data)
    found.run(progress)
    return found


def _with_first(ask: Ask, work: Callable[[], None]) -> Ask:
    """`ask`, which does `work` once the first batch is on its way."""
    left = [work]

    def asking(batch: Any) -> Callable[[], Predicted]:
        answer = ask(batch)
        while left:
            left.pop()()
        return answer

    return asking


def _pass(settings: Settings, source: DataSource, plan: ColumnPlan, target: Target, coders: dict[str, Coder],
          decisions: Sequence[Decision], columns: int) -> Pass:
    data = settings.data
    singles = tuple(s.role for s in data.sensitive)
    search = SubgroupSearch(singles, search_coders(data, source), weighted=plan.weight is not None,
                            clustered=plan.cluster is not None)
    sets = [(), *((role,) for role in singles), *data.intersections]
    kept = GroupRows(sets, clustered=plan.cluster is not None) if data.metrics else None
    return Pass(source, plan, target, coders, columns=columns, seed=settings.seed, threshold=data.threshold,
                search=search, kept=kept, expected=Expected(data, source, plan, tuple(coders), decisions),
                sampled=max(SAMPLE_ROWS, settings.explain.rows or EXPLAINED_ROWS))


def _own_metrics(done: Pass, settings: Settings, target: Target, worker: Worker, out: from_cube.Numbers) -> None:
    """Metrics of the user's own, measured in the process and added to the numbers."""
    if done.kept is not None:
        out.measurements += own_metrics(settings.data.metrics, done.kept, out.groups, done.levels(), target, worker,
                                        weighted=done.cube.weighted, repeated=done.cube.clustered, seed=settings.seed)


def _coders(settings: Settings, source: DataSource) -> dict[str, Coder]:
    """The coders of sensitive and control features by role; one column may be both."""
    return control_coders(settings.data, source) | sensitive_coders(settings.data, source)


def _numbers(done: Pass, settings: Settings, target: Target) -> from_cube.Numbers:
    data = settings.data
    shown = tuple(role for role, coder in done.coders.items() if role not in done.plan.control and not coder.asked)
    roles = Roles(tuple(s.role for s in data.sensitive), shown, data.intersections, tuple(done.plan.control),
                  {role: coder.statuses() for role, coder in done.coders.items()})
    if done.residuals is not None:
        return from_cube.regression_numbers(done.cube, done.residuals, done.levels(), roles, target)
    return from_cube.numbers(done.cube, done.levels(), roles, target, data.threshold)


def _source(settings: Settings) -> DataSource:
    path, target = settings.measurable()
    source = open_data(path)
    # A misspelt column is told before the model is loaded.
    for name in (target, *(s.column for s in settings.data.sensitive)):
        source.type_of(name)
    return source


def _measure_stored(settings: Settings, created: str, progress: Progress) -> Measured:
    if not settings.data.metrics:
        return _stored(settings, created, progress, None)
    # Without a model a process is still needed: the user's functions never run in this one.
    with Worker(model_path=settings.model.path_extra) as worker:
        worker.preload(["numpy"])
        return _stored(settings, created, progress, worker)


def _stored(settings: Settings, created: str, progress: Progress, worker: Worker | None) -> Measured:
    source, train = _source(settings), _train_source(settings)
    target = target_of(source, settings.data)
    coders = _coders(settings, source)
    decisions = decisions_in(settings.data, source, target, coders)
    plan = plan_columns(settings, tuple(source.columns), None, None)
    reader = FromColumns(settings, plan, target, str(source.path))
    done = _pass(settings, source, plan, target, coders, decisions, reader.score_columns)
    if train is not None:
        refuse_foreign(train, plan)
    done.run(reader.ask, progress, "reading predictions")
    training = _training(train, done, settings.data, progress)
    out = _numbers(done, settings, target)
    if worker is not None:
        _own_metrics(done, settings, target, worker, out)
    notes = ["No model was given: stored predictions were judged; nothing is said about the model's file, its "
             "smoke checks, its explanation or its cost."]
    evidence = _evidence(settings, created, source, target, plan, done, out, smoke.constant_only(done.distinct_outputs),
                         subjects=(), model=None, containment=None, attributions=None, notes=notes,
                         training=training)
    said = worker.output if worker is not None else ""
    return Measured(evidence, None, lambda: said)


def _evidence(settings: Settings, created: str, source: DataSource, target: Target, plan: ColumnPlan, done: Pass,
              out: from_cube.Numbers, checks: tuple[SmokeCheck, ...], *, subjects: tuple[Subject, ...],
              model: Model | None, containment: Containment | None, attributions: Attributions | None,
              notes: Sequence[str], training: Training | None, explained: Explanation | None = None) -> Evidence:
    merged = settings.plain()
    merged["data"] |= {"positive": target.positive, "negative": target.negative, "favourable": target.favourable,
                       "task": target.task, "decisions": {d.name: d.plain() for d in done.expected.decisions}}
    if target.task == "multiclass":
        merged["data"]["classes"] = list(target.classes)
    if merged["model"].get("name") is None and settings.model.path is not None:
        merged["model"]["name"] = settings.model.path.stem
    merged |= {"versions": _versions(), "intervals": {"level": LEVEL}}
    config = settings.config_file
    subjects += (
        Subject("data", source.name, source.sha256, source.size, source.format),
        *(() if training is None else (training.subject,)),
        Subject("config", config.name if config else "merged settings", settings.config_sha256,
                config.stat().st_size if config else 0, "yaml" if config else "settings"))
    searched = done.search.result(done.cube, done.residuals, done.levels(), target)
    facts = replace(done.facts.result(), period=done.expected.period, output=done.outputs.result())
    trained = None if training is None else training.result(out.groups, facts)
    measurements: list[Measurement] = [
        *out.measurements, *of_rows(done.facts, target),
        *done.expected.measurements(done.cube, done.levels(), out.groups),
        *(() if trained is None else trained.measurements), *smoke.measurements(checks)]
    if trained is not None:
        notes = [*notes, *trained.notes]
    return Evidence(
        EVIDENCE_SCHEMA, created, subjects, merged, containment, done.population, facts,
        tuple(out.groups), tuple(out.counts), tuple(measurements), target.task, model=model,
        confusions=tuple(out.confusions), curves=tuple(out.curves), thresholds=out.thresholds,
        threshold_counts=tuple(out.threshold_counts), subgroups=searched.subgroups, attributions=attributions,
        explanation=explained, train=None if trained is None else trained.facts,
        smoke=checks, declared=dict(settings.declared), card=dict(settings.card),
        notes=tuple(dict.fromkeys([*target.notes, *plan.notes, *done.alike(), *out.notes, *searched.notes, *notes])))


def _versions() -> dict[str, str]:
    found = {"govern": __version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
