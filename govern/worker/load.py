"""Load a model from bytes that were scanned, and say what it is. Runs in the model's process only."""

from __future__ import annotations

import importlib
import io
import math
import pickle
import re
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from govern.worker.protocol import Buffer, Failure, Header

PACKAGES: Final = {"sklearn": "scikit-learn"}
MAX_PARAMETERS: Final = 20
MAX_WARNINGS: Final = 10
MAX_PARTS: Final = 2000
SAVED_WITH: Final = re.compile(rb"_sklearn_version.{0,12}?(\d+\.\d+[0-9a-z.]{0,12})", re.DOTALL)
MISSING_ATTRIBUTE: Final = re.compile(r"Can't get attribute '([^']+)' on <module '([^']+)'")


@dataclass(frozen=True)
class Loaded:
    """A model in memory: `names` it remembers for its columns, `classes` as text in predict_proba's order.

    A model without classes is a regressor. `kept` is what was made of the model and serves again.
    """

    model: Any
    names: tuple[str, ...] | None
    classes: tuple[str, ...]
    has_score: bool
    kept: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def task(self) -> str:
        """classifier or regressor."""
        return "classifier" if self.classes else "regressor"


def load(data: Buffer, format: str) -> tuple[Loaded, Header]:
    """The model in `data` ("pickle" or "joblib", compressed too) and its description for the parent.

    Raises Failure where the bytes cannot be loaded here, or hold something without `predict`.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        started = time.perf_counter()
        model = _unpickle(data, format)
        seconds = time.perf_counter() - started
    if not callable(getattr(model, "predict", None)) or isinstance(model, type):
        raise Failure("not_model", type=type_name(model))
    use_one_thread(model)
    last = last_step(model)
    classes = _classes(model, last)
    if not classes:
        _refuse_other_kinds(model)
    names = _names(model)
    loaded = Loaded(model, names, classes, bool(classes) and callable(getattr(model, "predict_proba", None)))
    n_features = getattr(model, "n_features_in_", None)
    return loaded, {
        "type": _described_type(model),
        "task": loaded.task,
        "libraries": _libraries(model, bool(names)),
        "features": names,
        "n_features": int(n_features) if n_features is not None else None,
        "classes": classes,
        "has_score": loaded.has_score,
        "parameters": _parameters(last),
        "warnings": _texts(caught),
        "load_seconds": seconds,
    }


def _unpickle(data: Buffer, format: str) -> Any:
    try:
        if format == "joblib":
            import joblib

            return joblib.load(io.BytesIO(data))
        return pickle.loads(data)  # noqa: S301 - the scan allowed it, and this process exists to confine it
    except MemoryError:
        raise
    except ModuleNotFoundError as e:
        if e.name and e.name.split(".")[0] not in sys.modules:
            raise Failure("module", name=e.name) from e
        raise _not_loadable(data, e) from e
    except AttributeError as e:
        found = MISSING_ATTRIBUTE.match(str(e))
        if found and (found[2] == "__main__" or not _is_known_library(found[2])):
            raise Failure("attribute", name=found[1], module=found[2]) from e
        raise _not_loadable(data, e) from e
    except Exception as e:
        raise _not_loadable(data, e) from e


def _not_loadable(data: Buffer, error: Exception) -> Failure:
    """The failure that names the saved and the installed library version where the bytes tell the former."""
    found = SAVED_WITH.search(data)
    if found and "sklearn" in sys.modules:
        installed, saved = str(sys.modules["sklearn"].__version__), found[1].decode("ascii").rstrip(".")
        if saved != installed:
            versions = {"library": "scikit-learn", "saved": saved, "installed": installed}
            return Failure("version", **versions, text=str(error))
    return Failure("unreadable", text=str(error) or type(error).__name__)


def _is_known_library(module: str) -> bool:
    return module.split(".")[0] in {"sklearn", "numpy", "scipy", "pandas", "lightgbm", "xgboost", "joblib"}


def label(value: Any) -> str:
    """A label as text: whole numbers without decimals, booleans as true and false, text as it is."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _classes(model: Any, last: Any) -> tuple[str, ...]:
    found = getattr(model, "classes_", None)
    if found is None:
        found = getattr(last, "classes_", None)
    if found is None:
        return ()
    if any(hasattr(c, "__len__") and not isinstance(c, (str, bytes)) for c in found):
        raise Failure("unsupported", text="it predicts several targets at once")
    return tuple(label(c) for c in found)


def _refuse_other_kinds(model: Any) -> None:
    """Raises Failure for a model without classes that says it is something else than a regressor."""
    try:
        kind = model.__sklearn_tags__().estimator_type
    except Exception:
        # Boosters and classes of the user's own say nothing about themselves.
        kind = getattr(model, "_estimator_type", None)
    if kind == "classifier":
        raise Failure("unsupported", text="it has no classes_, so its labels cannot be told apart")
    if isinstance(kind, str) and kind != "regressor":
        text = f"it says it is a {kind.replace('_', ' ')}, neither a classifier nor a regressor"
        raise Failure("unsupported", text=text)


def _names(model: Any) -> tuple[str, ...] | None:
    """The column names the model or its first step remembers; LightGBM's own Column_0, … are none."""
    for part in _front(model):
        names = getattr(part, "feature_names_in_", None)
        if names is not None:
            found = tuple(str(n) for n in names)
            return None if found == tuple(f"Column_{i}" for i in range(len(found))) else found
    return None


def _front(model: Any) -> Iterator[Any]:
    """The model, what it wraps (`best_estimator_`) and the first step of a pipeline, outermost first."""
    for _ in range(10):
        yield model
        inner = getattr(model, "best_estimator_", None)
        steps = getattr(model, "steps", None)
        if inner is not None:
            model = inner
        elif isinstance(steps, list) and steps:
            model = steps[0][1]
        else:
            return


def last_step(model: Any) -> Any:
    """The estimator that decides: inside a search its best one, inside a pipeline the last step."""
    for _ in range(10):
        inner = getattr(model, "best_estimator_", None)
        steps = getattr(model, "steps", None)
        if inner is not None:
            model = inner
        elif isinstance(steps, list) and steps:
            model = steps[-1][1]
        else:
            break
    return model


def type_name(value: Any) -> str:
    """The class of `value` with its public module: `sklearn.ensemble.RandomForestClassifier`."""
    kind = type(value)
    module = kind.__module__.split(".")
    private = [i for i, part in enumerate(module) if part.startswith("_") and part != "__main__"]
    module = module[: private[0]] if private else module
    return ".".join([*([] if module == ["builtins"] else module), kind.__qualname__])


def _described_type(model: Any) -> str:
    steps = getattr(model, "steps", None)
    inner = getattr(model, "best_estimator_", None)
    if inner is not None:
        return f"{type_name(model)} ({_described_type(inner)})"
    if isinstance(steps, list):
        return f"{type_name(model)} ({', '.join(type(step).__name__ for _, step in steps)})"
    return type_name(model)


def parts(model: Any) -> list[Any]:
    """The model and the estimators inside it, found through their attributes; at most MAX_PARTS."""
    found: list[Any] = []
    seen: set[int] = set()
    waiting = [model]
    while waiting and len(found) < MAX_PARTS:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, (list, tuple)):
            waiting += item[:MAX_PARTS]
        elif isinstance(item, dict):
            waiting += item.values()
        elif hasattr(item, "get_params") and hasattr(item, "__dict__") and not isinstance(item, type):
            found.append(item)
            waiting += vars(item).values()
    return found


def use_one_thread(model: Any) -> None:
    """Set `n_jobs` to 1 wherever the model has it, so that sums do not depend on scheduling."""
    for part in parts(model):
        if "n_jobs" in vars(part):
            part.n_jobs = 1
        booster = vars(part).get("_Booster")
        if type(booster).__module__.startswith("xgboost"):
            booster.set_param({"nthread": 1})


def _libraries(model: Any, framed: bool) -> dict[str, str]:
    used = {type(part).__module__.split(".")[0] for part in parts(model)} | {"numpy"}
    used |= {"pandas"} if framed else set()
    versions = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in sorted(used):
        version = getattr(importlib.import_module(name), "__version__", None)
        if isinstance(version, str):
            versions[PACKAGES.get(name, name)] = version
    return versions


def _parameters(estimator: Any) -> dict[str, Any]:
    """The settings of the estimator that differ from its defaults and are single values, by name."""
    try:
        now = estimator.get_params(deep=False)
        default = type(estimator)().get_params(deep=False)
    except Exception:
        return {}
    shown = {
        str(key): value
        for key, value in sorted(now.items())
        if isinstance(value, (str, bool, int, float))
        and not (isinstance(value, float) and not math.isfinite(value))
        and key not in {"n_jobs", "verbose", "silent"}
        and not _same(value, default.get(key))
    }
    return dict(list(shown.items())[:MAX_PARAMETERS])


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def _texts(caught: list[warnings.WarningMessage]) -> list[str]:
    texts: dict[str, None] = {}
    for item in caught:
        if issubclass(item.category, (DeprecationWarning, PendingDeprecationWarning, ResourceWarning)):
            continue
        saved = getattr(item.message, "original_sklearn_version", None)
        if saved is not None:
            installed = getattr(item.message, "current_sklearn_version", "")
            texts[f"saved with scikit-learn {saved}, loaded with {installed}: results may differ"] = None
        else:
            texts[" ".join(str(item.message).split())[:200]] = None
    return list(texts)[:MAX_WARNINGS]
