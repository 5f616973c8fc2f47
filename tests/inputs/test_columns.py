from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from govern.errors import InputError
from govern.inputs.columns import plan_columns
from govern.inputs.config import load_settings

COLUMNS = ("income", "y", "sex", "debt", "p")
MODEL = {"model.path": "model.pkl", "data.path": "eval.csv", "data.target": "y"}
STORED = {"data.path": "eval.csv", "data.target": "y", "data.prediction": "p"}


def plan(flags: dict[str, Any], names: list[str] | None = None, number: int | None = None) -> Any:
    settings = load_settings(flags, config=None, cwd=Path("no-such-folder"))
    return plan_columns(settings, COLUMNS, names, number)


def refusal(flags: dict[str, Any], names: list[str] | None = None, number: int | None = None) -> str:
    with pytest.raises(InputError) as caught:
        plan(flags, names, number)
    return str(caught.value)


def test_the_names_the_model_remembers_in_its_order() -> None:
    found = plan(MODEL | {"data.sensitive": ["sex"]}, ["sex", "income"], 2)
    assert found.features == ("sex", "income") and found.sensitive == {"sex": "sex"}
    assert found.read == ("sex", "income", "y") and found.notes == ()


def test_all_free_columns_when_their_number_fits() -> None:
    found = plan(MODEL | {"data.sensitive": ["sex"]}, None, 3)
    assert found.features == ("income", "debt", "p") and "file order" in found.notes[0]
    assert plan(MODEL | {"data.sensitive": ["sex"]}, ["Column_0", "Column_1", "Column_2"]).features == found.features
    assert "takes 7 features, and 3 columns are not otherwise used" in refusal(
        MODEL | {"data.sensitive": ["sex"]}, None, 7)
    assert "--feature" in refusal(MODEL)


def test_given_features_win_and_are_put_into_the_models_order() -> None:
    assert plan(MODEL | {"data.features": ["debt", "income"]}, None, 2).features == ("debt", "income")
    found = plan(MODEL | {"data.features": ["debt", "income"]}, ["income", "debt"], 2)
    assert found.features == ("income", "debt") and found.notes


@pytest.mark.parametrize(("flags", "names", "number", "said"), [
    ({"data.target": "zz"}, ["income"], 1, 'eval.csv: has no column "zz"; columns: income, y'),
    ({"data.target": "debts"}, ["income"], 1, 'did you mean "debt"?'),
    ({"data.sensitive": ["sx"]}, ["income"], 1, 'has no column "sx"; did you mean "sex"?'),
    ({"data.sensitive": ["y"]}, ["income"], 1, 'the sensitive feature "y" is the target itself'),
    ({}, ["income", "y"], 2, 'the target "y" is among the features'),
    ({}, ["incom"], 1, 'the model needs column "incom", which the data does not have; did you mean "income"?'),
    ({"data.features": ["income", "income"]}, None, 2, 'feature "income" is named twice'),
    ({"data.features": ["incme"]}, None, 1, 'did you mean "income"?'),
    ({"data.features": ["income", "debt"]}, None, 3, "2 features are named, the model takes 3"),
    ({"data.features": ["income", "debt"]}, ["income", "sex"], 2, 'does not know feature "debt"'),
    ({"data.features": ["income"]}, ["income", "sex"], 2, 'needs "sex" too'),
])
def test_refused(flags: dict[str, Any], names: list[str] | None, number: int | None, said: str) -> None:
    assert said in refusal(MODEL | flags, names, number)


def test_without_a_model() -> None:
    found = plan(STORED | {"data.sensitive": ["sex"]})
    assert found.features == () and found.prediction == "p" and found.read == ("y", "sex", "p")
    assert plan(STORED | {"data.features": ["debt"]}).read == ("debt", "y", "p")
    assert 'the prediction "p" is among the features' in refusal(STORED | {"data.features": ["p"]})
    assert "both the target and the stored output" in refusal(STORED | {"data.prediction": "y"})
    assert "is the stored output itself" in refusal(STORED | {"data.sensitive": ["p"]})
    assert 'has no column "q"' in refusal(STORED | {"data.prediction": "q"})


def test_weight_cluster_and_control_are_read_and_are_no_features() -> None:
    flags = {"data.weight": "p", "data.cluster": "debt", "data.control": ["sex"]}
    found = plan(MODEL | flags, None, 1)
    assert found.features == ("income",) and found.control == {"sex": "sex"}
    assert (found.weight, found.cluster) == ("p", "debt") and found.read == ("income", "y", "sex", "p", "debt")
    named = plan(MODEL | {"data.weight": "p", "data.control": ["sex"]}, ["sex", "p", "income"], 3)
    assert named.features == ("sex", "p", "income") and named.read == ("sex", "p", "income", "y")
    none = plan(MODEL, ["income"])
    assert (none.control, none.weight, none.cluster) == ({}, None, None)
    both = plan(MODEL | {"data.sensitive": ["sex"], "data.control": ["sex"]}, ["income"])
    assert both.sensitive == both.control == {"sex": "sex"} and both.read == ("income", "y", "sex")


@pytest.mark.parametrize(("flags", "said"), [
    ({"data.weight": "y"}, '"y" cannot be both the target and the weight'),
    ({"data.weight": "p"}, '"p" cannot be both the stored output and the weight'),
    ({"data.cluster": "debt", "data.weight": "debt"}, '"debt" cannot be both the weight and the cluster column'),
    ({"data.weight": "sex", "data.sensitive": ["sex"]}, 'the sensitive feature "sex" is the weight itself'),
    ({"data.cluster": "sex", "data.control": ["sex"]}, 'the control feature "sex" is the cluster column itself'),
    ({"data.control": ["y"]}, 'the control feature "y" is the target itself'),
    ({"data.control": ["sx"]}, 'has no column "sx"; did you mean "sex"?'),
    ({"data.weight": "weight"}, 'has no column "weight"'),
    ({"data.cluster": "incom"}, 'has no column "incom"; did you mean "income"?'),
    ({"data.cluster": "debt", "data.features": ["debt"]}, 'the cluster column "debt" is among the features'),
])
def test_roles_that_exclude_each_other(flags: dict[str, Any], said: str) -> None:
    assert said in refusal(STORED | flags)


def test_underscores_that_lightgbm_wrote_for_spaces_are_matched() -> None:
    settings = load_settings(MODEL, config=None, cwd=Path("no-such-folder"))
    found = plan_columns(settings, ("net income", "y", "debt"), ["net_income", "debt"], 2)
    assert found.features == ("net income", "debt") and "net income" in found.notes[0]


def test_a_lightgbm_model_with_spaces_in_its_column_names_is_measured(govern: Any, tmp_path: Path) -> None:
    import pickle

    import numpy as np
    import pandas as pd
    from lightgbm import LGBMClassifier

    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"net income": rng.normal(size=400), "debt": rng.normal(size=400),
                         "group": rng.choice(["a", "b"], 400)})
    rows["y"] = (rows["net income"] + rng.normal(size=400) > 0).astype(int)
    model = LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(rows[["net income", "debt"]], rows["y"])
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(model))
    rows.to_csv(tmp_path / "e.csv", index=False)
    ran = govern("measure", "m.pkl", "--data", "e.csv", "--target", "y", "--sensitive", "group", "--compute", "skip")
    assert ran.code == 0, ran.err
    assert ran.document("evidence.json")["attributions"]["features"][0]["feature"] == "net income"
