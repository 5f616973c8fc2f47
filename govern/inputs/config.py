"""The settings of a run: flags over `govern.yaml` over defaults, checked, merged and typed.

Trust never travels with the artefact: only the working folder's `govern.yaml` or the one named by
`--config` is read, and what it may say about trust is limited where that folder is the model's own.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from govern.codec import digest, dumps
from govern.errors import InputError, nearest, printable
from govern.inputs.expected import contracts_of, decisions_of, period_of, refuse_expected
from govern.inputs.options import KEYED, Option, later_text, refuse_later
from govern.inputs.schema import PRIMARY_METRICS, bands_from_flags, config_model, texts_as_written
from govern.inputs.settings import (
    CONFIG_NAME,
    DataSettings,
    ExplainSettings,
    ModelSettings,
    OwnMetric,
    ReportSettings,
    SensitiveFeature,
    Settings,
    Source,
)
from govern.metrics import METRICS, declarable
from govern.metrics import own as own_metrics
from govern.yamlcheck import first_problem
from govern.yamlfile import YamlDoc, read_yaml, validate

MAX_SEARCHED = 8


def load_settings(flags: Mapping[str, Any], *, config: Path | None, cwd: Path,
                  measuring: bool = True) -> Settings:
    """The merged settings; `flags` maps option names to the values given, `config` is `--config`.

    Paths stay as typed when `cwd` is `Path()`. With `measuring` it is an error to leave out what a
    measurement cannot do without. Raises InputError.
    """
    given = {name: value for name, value in flags.items() if value is not None and value not in ([], ())}
    refuse_later(given)
    file = cwd / (config or CONFIG_NAME)
    doc = read_yaml(file) if config is not None or file.is_file() else None
    from_file = {} if doc is None else _file_values(doc)
    from_flags = {o.key: _flag_value(o, given[o.key]) for o in KEYED if o.key in given}
    values = {o.key: o.default for o in KEYED} | from_file | from_flags
    source: dict[str, Source] = {
        o.key: "flag" if o.key in from_flags else "file" if o.key in from_file else "default" for o in KEYED
    }
    # a role named by a flag keeps the column and levels that the file gives it
    known, _ = _sensitive(from_file.get("data.sensitive") or [], {})
    values["data.sensitive"] = _sensitive(values["data.sensitive"], {s.role: s for s in known})
    bases = {key: file.parent if said == "file" else cwd for key, said in source.items()}
    settings = _typed(values, source, bases, file if doc else None)
    sha256 = doc.sha256 if doc else digest(dumps(settings.plain()))
    settings = dataclasses.replace(settings, config_sha256=sha256)
    if doc is not None and config is None:
        _refuse_borrowed_trust(settings, doc)
    _refuse_contradictions(settings)
    if measuring:
        settings.measurable()
    return settings


def _file_values(doc: YamlDoc) -> dict[str, Any]:
    """Values of `govern.yaml` by option key. Raises InputError with the place."""
    doc = dataclasses.replace(doc, value=texts_as_written(doc.value, doc.text))
    read = validate(config_model(), doc).model_dump(exclude_none=True)
    _refuse_unknown_primary(read, doc)
    _refuse_unknown_limits(read, doc)
    found: dict[str, Any] = {}
    for option in KEYED:
        section, _, name = option.key.rpartition(".")
        value = (read.get(section, {}) if section else read).get(name)
        if value is None:
            continue
        if option.later and value != []:
            raise doc.error(option.key.split("."), later_text(option.key), "leave it out")
        found[option.key] = value
    return found


def _refuse_unknown_primary(read: Mapping[str, Any], doc: YamlDoc) -> None:
    """Raises InputError for a primary metric that is not known, or of which nobody said which side is better, and for
    a limit outside its range."""
    primary = read.get("declared", {}).get("primary", {})
    metric, own = primary.get("metric"), read.get("data", {}).get("metrics", {})
    if metric is None:
        return
    if metric in PRIMARY_METRICS:
        low, high = METRICS[metric].low, METRICS[metric].high
        for key in ("min", "max"):
            limit = primary.get(key)
            if limit is not None and ((low is not None and limit < low) or (high is not None and limit > high)):
                raise doc.error(("declared", "primary", key), f'"{key}": {limit:g} lies outside the range of {metric}',
                                "write shares as fractions, 0.8 for 80 %")
        return
    if metric not in own:
        raise doc.error(("declared", "primary", "metric"), f'"metric": unknown metric "{printable(metric)}"',
                        nearest(metric, [*PRIMARY_METRICS, *own]) or "use one such as roc_auc")
    if own[metric]["better"] == "neither":
        raise doc.error(("declared", "primary", "metric"),
                        f'"metric": which side of the primary metric "{metric}" is better is not said',
                        f"add better: higher or better: lower to {metric} under data.metrics")


def _refuse_unknown_limits(read: Mapping[str, Any], doc: YamlDoc) -> None:
    """Raises InputError for a declared limit of what no rule judges, and for one outside its range."""
    known = declarable(own_metrics(read))
    for name, limit in read.get("declared", {}).items():
        if name == "primary":
            continue
        if name not in known:
            raise doc.error(("declared", name), f'unknown key "{printable(name)}"', nearest(name, ["primary", *known])
                            or "name a metric, or METRIC_ratio or METRIC_difference for a gap between groups")
        low, high, _ = known[name]
        for key, number in limit.items() if isinstance(limit, dict) else [("", limit)]:
            if (low is not None and number < low) or (high is not None and number > high):
                raise doc.error(("declared", name, *([key] if key else [])), f"{number:g} lies outside the range of "
                                f"{name}", "write shares as fractions, 0.8 for 80 %")


def _flag_value(option: Option, raw: Any) -> Any:
    """The checked value of a flag. Raises InputError naming the flag."""
    section, _, name = option.key.rpartition(".")
    try:
        value = raw
        if option.kind == "band":
            value = bands_from_flags(list(raw))
        elif option.repeatable:
            value = [str(v) if option.kind == "path" else v for v in raw]
        elif option.kind == "path":
            value = str(raw)
        plain = {section: {name: value}} if section else {name: value}
        read = config_model().model_validate(plain).model_dump(exclude_none=True)
        return read[section][name] if section else read[name]
    except ValidationError as err:
        _, what, fix = first_problem(config_model(), plain, err.errors(include_url=False), lambda _: (0, 0))
        raise InputError(what.removeprefix(f'"{name}": '), fix=fix, where=option.flag) from None
    except ValueError as err:
        what, _, fix = str(err).partition("; ")
        raise InputError(what, fix=fix, where=option.flag) from None


def _sensitive(given: Any, known: Mapping[str, SensitiveFeature]
               ) -> tuple[tuple[SensitiveFeature, ...], tuple[tuple[str, ...], ...]]:
    """Single features and asked intersections in order; features only named in an intersection come last."""
    items = [given] if isinstance(given, dict) else given
    pairs = [p for item in items for p in (item.items() if isinstance(item, dict) else [(item, None)])]
    singles: dict[str, SensitiveFeature] = {}
    crossed: dict[frozenset[str], tuple[str, ...]] = {}
    for name, long in pairs:
        parts = tuple(name.split(":"))
        if len(parts) > 1:
            crossed.setdefault(frozenset(parts), parts)
        elif not isinstance(long, dict):
            singles.setdefault(name, known.get(name, SensitiveFeature(name, long or name)))
        else:
            singles[name] = SensitiveFeature(name, long.get("column") or name, long["levels"],
                                             tuple(long["unknown"]))
    for role in (r for parts in crossed.values() for r in parts):
        singles.setdefault(role, known.get(role, SensitiveFeature(role, role)))
    return tuple(singles.values()), tuple(crossed.values())


def _typed(v: Mapping[str, Any], source: Mapping[str, Source], bases: Mapping[str, Path],
           config_file: Path | None) -> Settings:
    def path(key: str) -> Path | None:
        return None if v[key] is None else bases[key] / v[key]

    singles, crossed = v["data.sensitive"]
    features = v["data.features"]
    return Settings(
        model=ModelSettings(path("model.path"), v["model.name"], v["model.version"], tuple(v["model.trust"]),
                            tuple(bases["model.path_extra"] / p for p in v["model.path_extra"])),
        data=DataSettings(path("data.path"), v["data.target"], v["data.positive"], v["data.favourable"],
                          v["data.threshold"], v["data.score"], v["data.prediction"],
                          None if features is None else tuple(features), singles, crossed,
                          {k: tuple(c) for k, c in (v["data.bands"] or {}).items()},
                          tuple(dict.fromkeys(v["data.control"])), v["data.weight"], v["data.cluster"],
                          v["data.task"], tuple(v["data.classes"]),
                          tuple(OwnMetric(name, m["function"], m["better"], m.get("low"), m.get("high"))
                                for name, m in (v["data.metrics"] or {}).items()),
                          tuple(dict.fromkeys(v["data.search"])),
                          path("data.train"), v["data.date"], period_of(v["data.period"]), v["data.shares"] or {},
                          tuple(v["data.cases"] or ()), tuple(dict.fromkeys(v["data.pairs"])),
                          decisions_of(v["data.decisions"]), contracts_of(v["data.contract"])),
        policies=tuple(v["policies"]), policies_base=bases["policies"], phase=v["phase"],
        declared=v["declared"] or {}, waivers=tuple(v["waivers"] or ()),
        report=ReportSettings(bases["report.out"] / v["report.out"],
                              tuple(dict.fromkeys(v["report.formats"])), v["report.lang"], v["report.edition"],
                              v["report.suppress_below"], v["report.organisation"], v["report.colour"],
                              path("report.logo"), tuple(bases["report.sections"] / p for p in v["report.sections"]),
                              v["report.paper"]),
        explain=ExplainSettings(v["explain.background"], v["explain.rows"], v["explain.precision"],
                                v["explain.directions"] or {}, v["explain.reasons"] or {},
                                tuple(dict.fromkeys(v["explain.prohibited"])), v["explain.most_reasons"],
                                tuple(v["explain.cases"] or ())),
        seed=v["seed"], card=v["card"] or {}, source=source, config_file=config_file, config_sha256="",
    )


def _refuse_borrowed_trust(settings: Settings, doc: YamlDoc) -> None:
    """Raises InputError when the working folder's file, which is also the model's folder, extends trust."""
    path = settings.model.path
    here = Path(doc.name).resolve().parent
    if path is None or here not in (path.resolve().parent, path.absolute().parent.resolve()):
        return
    shipped = re.compile(r"[a-z0-9][a-z0-9-]*")
    from_file = {key for key, said in settings.source.items() if said == "file"}
    asked = {"model.trust": settings.model.trust, "model.path_extra": settings.model.path_extra,
             "waivers": settings.waivers, "data.metrics": settings.data.metrics,
             "policies": [p for p in settings.policies if not shipped.fullmatch(p)]}
    for key, value in asked.items():
        if value and key in from_file:
            what = f'"{key}" in a {CONFIG_NAME} beside the model counts only when asked'
            raise doc.error(key.split("."), what, f"if the file is yours, add --config {CONFIG_NAME}")


def _refuse_contradictions(settings: Settings) -> None:
    """Raises InputError when two settings cannot both be meant."""
    d = settings.data
    roles = [s.role for s in d.sensitive]
    for role in d.bands:
        if role not in roles and role not in d.control:
            raise InputError(f'bands are given for "{role}", which is not a sensitive feature',
                             fix=nearest(role, [*roles, *d.control]) or f"add --sensitive {role}")
    _refuse_search(d)
    refuse_expected(d)
    stored = "--score" if d.score is not None else "--prediction" if d.prediction is not None else None
    if settings.model.path is not None and stored:
        raise InputError(f"both a model and {stored} are given", fix="leave one of them out")
    if d.score is not None and d.prediction is None and d.threshold is None:
        raise InputError("--score alone does not say who is predicted positive",
                         fix="add --threshold or --prediction")
    if d.prediction is not None and d.threshold is not None and d.task in ("binary", "multiclass"):
        raise InputError("both --prediction and --threshold say who is predicted positive",
                         fix="leave one of them out")


def _refuse_search(data: DataSettings) -> None:
    """Raises InputError when subgroups cannot be searched over the columns asked for."""
    columns = {s.role: s.column for s in data.sensitive}
    taken = next((c for c in data.search if columns.get(c, c) != c), None)
    if taken is not None:
        raise InputError(f'searched column "{printable(taken)}" has the name of a sensitive feature', where="--search",
                         fix="give the sensitive feature another name")
    more = len(set(data.search) - set(columns.values()))
    if data.search and len(columns) + more > MAX_SEARCHED:
        raise InputError(f"{len(columns)} sensitive features and {more} further columns are too many to search",
                         where="--search", fix=f"search at most {MAX_SEARCHED} in all")
