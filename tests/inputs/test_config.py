from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from govern.errors import InputError
from govern.inputs.config import load_settings
from govern.inputs.expected import Contract, Decision
from govern.inputs.options import KEYED, OPTIONS, docs_table, options_of
from govern.inputs.schema import config_schema
from govern.inputs.settings import OwnMetric, SensitiveFeature, Settings
from govern.yamlfile import parse_yaml

MEASURED = {"model.path": "model.pkl", "data.path": "eval.csv", "data.target": "y"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(flags: dict[str, Any] | None = None, text: str | None = None, **more: Any) -> Settings:
    if text is not None:
        Path("govern.yaml").write_text(text)
    return load_settings(flags or {}, **({"config": None, "cwd": Path()} | more))


def refusal(flags: dict[str, Any] | None = None, text: str | None = None, **more: Any) -> str:
    with pytest.raises(InputError) as caught:
        load(flags, text, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults(here: Path) -> None:
    s = load(MEASURED)
    assert (s.policies, s.phase, s.seed, s.report.lang, str(s.report.out)) == (
        ("baseline",), "team", 0, "en", "govern-report")
    assert s.report.formats == ("html", "pdf") and not s.formats_asked
    assert s.data.features is None and s.data.sensitive == () and s.config_file is None
    assert len(s.config_sha256) == 64
    assert {k for k, v in s.source.items() if v != "default"} == set(MEASURED)
    assert s.measurable() == (Path("eval.csv"), "y")


def test_nothing_given_names_what_is_missing_and_the_smallest_file(here: Path) -> None:
    line = refusal({"model.path": "model.pkl"})
    assert line == ("missing --data, --target; give them, or a govern.yaml here that says "
                    "data: {path: eval.csv, target: label}")
    assert "MODEL (or --score / --prediction)" in refusal()
    assert load(measuring=False).data.path is None


def test_the_smallest_file_is_enough(here: Path) -> None:
    s = load({"model.path": "sub/model.pkl"}, "data: {path: eval.csv, target: label}")
    assert s.measurable() == (Path("eval.csv"), "label")
    assert s.source["data.target"] == "file" and s.source["model.path"] == "flag"


FULL = """
schema: govern.config/1
model: {path: m/model.pkl, name: credit-approval, version: 3.10, trust: [ourlib.Encoder], path_extra: [src]}
data:
  path: d/eval.parquet
  train: d/train.csv
  target: 2020
  positive: 1.0
  favourable: no
  threshold: 1
  features: [a, 7]
  sensitive: [sex, age, "sex:age", {race_ethnicity: {column: RACE_CD, levels: {"1": White}, unknown: [9, Declined]}}]
  bands: {age: [25, 35, 45, 60.5]}
  control: [region, 9]
  weight: 7
  cluster: person
  task: multiclass
  classes: [1, 2.0, no]
  metrics: {cost: {function: "ourlib.costs:cost", better: lower, low: 0}, spread: {function: "m:f"}}
  date: day
  period: 2026-01-01..2026-06-30
  shares: {sex: {women: 0.51, men: 0.49}}
  cases: [{sex: women, age: 26–35}, {region: 1}]
  pairs: [sex, region]
  decisions: {screening: passed, interview: {column: invited, selected: 1}}
  contract: {age: {kind: number, low: 18, high: 100, missing: false}, sex: {levels: [1, w]}}
policies: [baseline, ./own.yaml]
phase: company
declared: {primary: {metric: roc_auc, min: 0.75}, latency_p95_ms: 50}
waivers: [{rule: BASE-09, owner: a, reason: b, approver: c, expires: 2026-11-03, subject: "12"}]
report: {out: o, formats: [pdf], lang: en}
seed: 7
card: {owner: Ann, limitations: [x]}
"""


def test_whole_file_is_typed_and_relative_to_its_folder(here: Path) -> None:
    (here / "conf").mkdir()
    (here / "conf" / "c.yaml").write_text(FULL)
    s = load(config=Path("conf/c.yaml"))
    assert s.model.path == Path("conf/m/model.pkl") and s.model.path_extra == (Path("conf/src"),)
    assert s.model.version == "3.10" and s.data.target == "2020" and s.data.features == ("a", "7")
    assert s.data.positive == "1" and s.data.favourable == "no" and s.data.threshold == 1.0
    assert s.data.sensitive == (
        SensitiveFeature("sex", "sex"), SensitiveFeature("age", "age"),
        SensitiveFeature("race_ethnicity", "RACE_CD", {"1": "White"}, ("9", "Declined")))
    assert s.data.intersections == (("sex", "age"),) and s.data.bands == {"age": (25.0, 35.0, 45.0, 60.5)}
    assert s.data.control == ("region", "9") and (s.data.weight, s.data.cluster) == ("7", "person")
    assert s.data.task == "multiclass" and s.data.classes == ("1", "2", "no")
    assert s.data.metrics == (OwnMetric("cost", "ourlib.costs:cost", "lower", 0.0, None),
                              OwnMetric("spread", "m:f", "neither", None, None))
    assert s.data.train == Path("conf/d/train.csv") and s.data.date == "day"
    assert s.data.period == ("2026-01-01", "2026-06-30") and s.data.shares == {"sex": {"women": 0.51, "men": 0.49}}
    assert s.data.cases == ({"sex": "women", "age": "26–35"}, {"region": "1"}) and s.data.pairs == ("sex", "region")
    assert s.data.decisions == (Decision("screening", "passed"), Decision("interview", "invited", "1"))
    assert s.data.contract == (Contract("age", "number", 18.0, 100.0, None, False),
                               Contract("sex", levels=("1", "w")))
    assert s.policies == ("baseline", "./own.yaml") and s.policies_base == Path("conf")
    assert s.declared == {"primary": {"metric": "roc_auc", "min": 0.75}, "latency_p95_ms": 50}
    assert s.waivers[0]["expires"] == "2026-11-03" and s.card == {"owner": "Ann", "limitations": ["x"]}
    assert s.formats_asked and s.report.formats == ("pdf",) and s.seed == 7
    assert s.config_file == Path("conf/c.yaml")
    assert s.config_sha256 == parse_yaml(FULL.encode(), "x").sha256


def test_plain_holds_no_folders_and_nothing_that_changes_no_number(here: Path) -> None:
    (here / "c.yaml").write_text(FULL)
    plain = load({"data.path": str(here / "eval.csv"), "report.out": "/elsewhere"}, config=Path("c.yaml")).plain()
    assert str(here) not in repr(plain) and "elsewhere" not in repr(plain)
    assert plain["data"]["path"] == "eval.csv" and plain["policies"] == ["baseline", "own.yaml"]
    assert plain["data"]["train"] == "train.csv" and plain["data"]["period"] == "2026-01-01..2026-06-30"
    assert plain["data"]["decisions"] == {"screening": {"column": "passed", "selected": None},
                                          "interview": {"column": "invited", "selected": "1"}}
    assert plain["data"]["contract"] == {"age": {"kind": "number", "low": 18.0, "high": 100.0, "missing": False},
                                         "sex": {"levels": ["1", "w"]}}
    assert plain["data"]["sensitive"][-1] == "sex:age" and plain["data"]["threshold"] == 1.0
    again = load({"data.path": str(here / "eval.csv"), "report.out": "x", "report.formats": ["html"]},
                 config=Path("c.yaml")).plain()
    assert plain == again


def test_flag_wins_over_file_over_default(here: Path) -> None:
    s = load({"phase": "poc", "report.formats": ["html"]}, "data: {path: e.csv, target: y, score: p, threshold: .5}\n"
             "phase: desk\nseed: 3")
    assert (s.phase, s.seed, s.report.formats) == ("poc", 3, ("html",))
    assert (s.source["phase"], s.source["seed"], s.source["report.lang"]) == ("flag", "file", "default")
    assert s.formats_asked


def test_settings_left_alone_are_recorded_as_such(here: Path) -> None:
    data = load(MEASURED).plain()["data"]
    assert {k: data[k] for k in ("control", "weight", "cluster", "task", "classes", "metrics")} == {
        "control": [], "weight": None, "cluster": None, "task": None, "classes": [], "metrics": {}}
    flags = {"data.control": ["region", "region"], "data.weight": "w", "data.cluster": "id", "data.task": "multiclass",
             "data.classes": ["low", "high"], "data.bands": ["region=1,2"]}
    s = load(MEASURED | flags)
    assert s.data.control == ("region",) and s.data.classes == ("low", "high")
    assert s.plain()["data"] | {"weight": "w", "cluster": "id", "task": "multiclass"} == s.plain()["data"]


def test_the_primary_metric_may_be_of_any_task(here: Path) -> None:
    for metric in ("f1_score", "macro_f1", "mean_absolute_error", "multiclass_accuracy", "roc_auc"):
        s = load(MEASURED, f"declared: {{primary: {{metric: {metric}, min: 0}}}}")
        assert s.declared["primary"]["metric"] == metric


def test_limits_may_be_declared_of_metrics_and_of_gaps_between_groups(here: Path) -> None:
    own = "data: {metrics: {cost: {function: 'm:f'}}}\n"
    declared = {"selection_rate_ratio": 0.8, "roc_auc_difference": {"max": 0.05}, "missing_share": {"max": 0.1},
                "cost": 40, "cost_difference": 5}
    text = own + f"declared: {json.dumps(declared)}"
    assert load(MEASURED, text, config=Path("govern.yaml")).declared == declared


def test_empty_repeated_flag_is_not_given(here: Path) -> None:
    s = load(MEASURED | {"data.sensitive": [], "policies": ()}, "data: {sensitive: [sex]}")
    assert [x.role for x in s.data.sensitive] == ["sex"] and s.policies == ("baseline",)


def test_intersection_adds_its_features_and_keeps_one_order(here: Path) -> None:
    s = load(MEASURED | {"data.sensitive": ["sex", "age:sex", "sex:age"], "data.bands": ["age=25,35"]})
    assert [x.role for x in s.data.sensitive] == ["sex", "age"]
    assert s.data.intersections == (("age", "sex"),) and s.data.bands == {"age": (25.0, 35.0)}


def test_flag_keeps_the_files_long_form_of_a_role(here: Path) -> None:
    s = load(MEASURED | {"data.sensitive": ["race"]}, "data: {sensitive: {race: {column: R}, sex: null}}")
    assert s.data.sensitive == (SensitiveFeature("race", "R"),)


def test_only_the_named_or_the_working_folders_file_is_read(here: Path) -> None:
    (here / "elsewhere").mkdir()
    (here / "elsewhere" / "govern.yaml").write_text("phase: desk")
    assert load(MEASURED | {"model.path": "elsewhere/model.pkl"}).phase == "team"
    (here / "govern.yaml").write_text("phase: poc")
    assert load(MEASURED, config=Path("elsewhere/govern.yaml")).phase == "desk"
    assert "no such file" in refusal(MEASURED, config=Path("absent.yaml"))


@pytest.mark.parametrize(("text", "key"), [
    ("model: {trust: [a.B]}", "model.trust"),
    ("model: {path_extra: [src]}", "model.path_extra"),
    ("data: {metrics: {cost: {function: 'a:b'}}}", "data.metrics"),
    ("policies: [baseline, ./own.yaml]", "policies"),
    ("waivers: [{rule: a, owner: b, reason: c, approver: d, expires: 2026-11-03}]", "waivers"),
])
def test_trust_does_not_travel_with_the_model(here: Path, text: str, key: str) -> None:
    line = refusal(MEASURED, text)
    assert line.startswith("govern.yaml:1:") and f'"{key}"' in line and "--config govern.yaml" in line
    assert refusal(MEASURED | {"model.path": str(here / "model.pkl")}, text) == line
    load(MEASURED, text, config=Path("govern.yaml"))
    load(MEASURED | {"model.path": "elsewhere/model.pkl"}, text)


def test_model_linked_from_elsewhere_is_still_beside_the_file(here: Path) -> None:
    (here / "store").mkdir()
    (here / "store" / "model.pkl").write_bytes(b"x")
    (here / "model.pkl").symlink_to(here / "store" / "model.pkl")
    assert '"model.trust"' in refusal(MEASURED, "model: {trust: [a.B]}")


def test_trust_by_flag_needs_no_config(here: Path) -> None:
    s = load(MEASURED | {"model.trust": ["a.B"]}, "model: {trust: [x.Y]}")
    assert s.model.trust == ("a.B",)
    assert load(MEASURED, "policies: [baseline]").policies == ("baseline",)


@pytest.mark.parametrize(("flags", "said"), [
    ({"data.bands": ["age=25,x"]}, '--band: "25,x" are not numbers; write it as age=25,35,45'),
    ({"data.bands": ["age25"]}, '--band: "age25" is not COLUMN=CUTS'),
    ({"data.bands": ["age=25,20"], "data.sensitive": ["age"]}, "cut points must rise"),
    ({"data.bands": ["age=25,nan"]}, "--band: "),
    ({"data.bands": ["agee=25"], "data.sensitive": ["age"]}, 'did you mean "age"?'),
    ({"data.sensitive": ["sex:sex"]}, "--sensitive: "),
    ({"phase": "tem"}, '--phase: "tem" is not one of desk, poc, team, company; did you mean "team"?'),
    ({"report.formats": ["hf"]}, '--format: "hf" arrives in a later version; use html or pdf or md'),
    ({"report.lang": "fr"}, '--lang: "fr" is not one of en, ja'),
    ({"data.task": "ranking"}, '--task: "ranking" is not one of binary, multiclass, regression'),
    ({"data.threshold": float("nan")}, "--threshold: "),
    ({"seed": -1}, "--seed: "),
    ({"python": "bin/python"}, "--python is not measured by this version"),
    ({"data.period": "2026-01-01..2026-02-01"}, "--period: a period is given and no column of dates; add --date"),
    ({"data.period": "2026-02-01..2026-01-01", "data.date": "d"}, "is not a period; write it as 2026-01-01.."),
    ({"data.period": "2026-01-01", "data.date": "d"}, '--period: "2026-01-01" is not a period'),
    ({"data.period": "2026-01-01..soon", "data.date": "d"}, '--period: "soon" is not a date'),
    ({"data.pairs": ["region"]}, "--pair-column: one column makes no pair"),
    ({"data.pairs": [f"c{i}" for i in range(13)]}, "13 columns are too many to pair; name at most 12"),
    ({"python": "python3"}, "--python is not measured by this version"),
    ({"data.score": "p"}, "both a model and --score are given"),
    ({"model.path": None, "data.score": "p"}, "add --threshold or --prediction"),
    ({"model.path": None, "data.prediction": "p", "data.threshold": 0.5, "data.task": "binary"},
     "both --prediction and --threshold"),
])
def test_flags_refused(here: Path, flags: dict[str, Any], said: str) -> None:
    assert said in refusal(MEASURED | flags)


@pytest.mark.parametrize(("text", "said"), [
    ("data:\n  trget: y", 'govern.yaml:2:3: unknown key "trget"; did you mean "target"?'),
    ("dat: {}", 'govern.yaml:1:1: unknown key "dat"; did you mean "data"?'),
    ("schema: govern.config/2", "is not one of govern.config/1"),
    ("phase: tem", "govern.yaml:1:1: "),
    ("policies: baseline", "write it as [baseline]"),
    ("data: {threshold: high}", '"threshold" must be a number, not "high"'),
    ("data: {bands: {age: [3, 2]}}", 'govern.yaml:1:16: "age": cut points must rise'),
    ("data: {sensitive: {race: {colum: R}}}", 'govern.yaml:1:27: unknown key "colum"; did you mean "column"?'),
    ("data: {sensitive: {'a:b': c}}", "takes no value"),
    ("data: {control: region}", "write it as [region]"),
    ("data: {metrics: {accuracy: {function: 'a:b'}}}", '"accuracy" is a metric that is measured anyway'),
    ("data: {metrics: {Cost: {function: 'a:b'}}}", '"Cost" does not name a metric; write small letters'),
    ("data: {metrics: {cost: {function: cost}}}", '"cost" does not name a function; write it as module:function'),
    ("data: {metrics: {cost: {function: 'a:b', better: more}}}", '"more" is not one of higher, lower, neither'),
    ("data: {metrics: {cost: {functon: 'a:b'}}}", 'unknown key "functon"; did you mean "function"?'),
    ("data: {metrics: {cost: {better: lower}}}", 'key "function" is missing'),
    ("data: {sensitive: [sex], shares: {sx: {w: 1}}}", '"sx" is not a sensitive feature; did you mean "sex"?'),
    ("data: {sensitive: [sex], shares: {sex: {w: 0.6, m: 0.5}}}", '"sex": shares must be above 0 and add up to 1, not'),
    ("data: {sensitive: [sex], shares: {sex: {w: 51, m: 49}}}", "add up to 1, not to 100"),
    ("data: {sensitive: [sex], shares: {sex: {w: 1, m: 0}}}", "shares must be above 0"),
    ("data: {sensitive: [sex], cases: [{sx: w}]}", "neither a sensitive nor a control feature; did you mean"),
    ("data: {sensitive: [sex], cases: [{}]}", "a case names no value; write it as {sex: women"),
    ("data: {sensitive: [sex], cases: [{sex: w}, {sex: w}]}", "data.cases: sex=w stands twice; name each case once"),
    ("data: {decisions: {all: passed}}", '"all" cannot name a decision'),
    ("data: {decisions: {hiring: {colum: passed}}}", 'unknown key "colum"; did you mean "column"?'),
    ("data: {contract: {age: {}}}", '"age": says nothing of the column'),
    ("data: {contract: {age: {low: 9, high: 3}}}", "low 9 is above high 3; swap them"),
    ("data: {contract: {age: {kind: text, low: 9}}}", "low and high are for numbers alone"),
    ("data: {contract: {age: {kind: nmber}}}", '"nmber" is not one of number, boolean, text, date'),
    ("data: {contract: {age: {levels: []}}}", "no level is allowed; name some"),
    ("declared: {latency_p95: 3}", 'did you mean "latency_p95_ms"?'),
    ("declared: {latency_p95_ms: -3}", "greater than 0"),
    ("declared: {primary: {metric: roc_acu}}", 'unknown metric "roc_acu"; did you mean "roc_auc"?'),
    ("declared: {primary: {metric: roc_auc, min: 75}}", 'yaml:1:39: "min": 75 lies outside the range of roc_auc'),
    ("declared: {selection_rate_ratoi: 0.8}", '"selection_rate_ratoi"; did you mean "selection_rate_ratio"'),
    ("declared: {roc_auc_ratio: 0.8}", 'unknown key "roc_auc_ratio"; did you mean'),
    ("declared: {missing_share: 5}", "yaml:1:12: 5 lies outside the range of missing_share; write shares as fractions"),
    ("declared: {pair_coverage: {mim: 0.9}}", 'unknown key "mim"; did you mean "min"?'),
    ("declared: {pair_coverage: {min: 90}}", "yaml:1:28: 90 lies outside the range of pair_coverage"),
    ("waivers: [{rule: a}]", 'key "owner" is missing'),
    ("waivers: [{rule: a, owner: b, reason: c, approver: d, expires: 2026-02-30}]", "is not a date"),
    ("report: {formats: [html, cyclonedx]}", "arrives in a later version"),
    ("phase: desk\nphase: team", 'govern.yaml:2:1: duplicate key "phase"'),
    ("- 1", "must be a mapping"),
])
def test_file_refused_with_place(here: Path, text: str, said: str) -> None:
    assert said in refusal(MEASURED, text)


def test_schema_agrees_with_the_reader(here: Path) -> None:
    schema = config_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = parse_yaml(FULL.replace("3.10", "'3.10'").replace("2020", "'2020'").replace(" 7]", " '7']")
                      .replace("1.0", "'1'").replace("[9,", "['9',").replace("region, 9]", "region, '9']")
                      .replace("weight: 7", "weight: '7'").replace("[1, 2.0, no]", "['1', '2', 'no']")
                      .replace("region: 1}", "region: '1'}").replace("selected: 1", "selected: '1'")
                      .replace("[1, w]", "['1', w]").encode(), "x").value
    assert list(validator.iter_errors(good)) == []
    assert list(validator.iter_errors({"dat": {}})) and list(validator.iter_errors({"phase": "tem"}))
    assert set(schema["properties"]) == {"schema", *(o.key.split(".")[0] for o in KEYED)}


def test_option_table_is_whole() -> None:
    assert len({o.name for o in OPTIONS}) == len(OPTIONS)
    for command in {c for o in OPTIONS for c in o.commands}:
        flags = [o.flag for o in options_of(command)]
        assert len(flags) == len(set(flags)), command
    assert all(o.key or o.flag for o in OPTIONS) and all(bool(o.commands) == bool(o.flag) for o in OPTIONS)
    assert {"--policy", "--phase", "--out", "--config"} <= {o.flag for o in options_of("check")}
    table = docs_table().splitlines()
    assert len(table) == len(OPTIONS) + 2 and "`0`" in next(row for row in table if "`seed`" in row)
    assert len({row.replace("\\|", "").count("|") for row in table}) == 1


def test_options_import_only_the_standard_library() -> None:
    code = ("import sys, govern.inputs.options as o; o.docs_table();"
            "assert not {'pydantic', 'numpy', 'pyarrow', 'ruamel', 'typer'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_config_needs_neither_numpy_nor_arrow() -> None:
    code = "import sys, govern.inputs.config; assert not {'numpy', 'pyarrow', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
