"""Write govern/inputs/scan/allowed.json, the names that honest models need.

Fits the models of honest_models.py, dumps each with pickle protocols 2 to 5 and joblib, reads the dumps
with the scan's own inert machine and collects what they use. Classes of the libraries are taken over as
they are found (made empty, never called); whatever is called or held as a value must also stand in one of
the reviewed tables below, or it is reported and left out: honest files use a few names (functools.partial,
builtins.getattr) that are harmless only with the arguments govern/inputs/scan/rules.py checks.

    python tools/make_allowlist.py            # replace the file
    python tools/make_allowlist.py --merge    # add what the versions installed here need

Run it with --merge in an environment of every supported version of scikit-learn, NumPy, pandas, XGBoost
and LightGBM; the versions it saw are recorded in the file.
"""

from __future__ import annotations

import importlib
import inspect
import io
import json
import pickle
import re
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import honest_models
import joblib
import numpy as np

from govern.inputs.scan.machine import Machine, Trace
from govern.inputs.scan.nodes import Array, Global, Made, Mapping, Members
from govern.inputs.scan.source import Source, sniff

PLACE = Path(__file__).parents[1] / "govern" / "inputs" / "scan" / "allowed.json"
LIBRARIES = ("_loss", "joblib", "lightgbm", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "xgboost")
# _loss: under this bare name scikit-learn before 1.8 pickles its own module sklearn._loss._loss.
DISTRIBUTIONS = ("joblib", "lightgbm", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "xgboost")

SEEDS = range(4)  # some estimators hold other classes when chance has it so

# Calls reviewed one by one: each only restores a value from its arguments. PyFuncDistance, memmap,
# scipy.stats (it runs a template from its state) and everything that opens files stay out.
CALLS = re.compile(
    r"_codecs\.encode|builtins\.(bytearray|bytes|complex|frozenset|getattr|range|set|slice)"
    r"|collections\.(Counter|OrderedDict|defaultdict|deque)|copyreg\._reconstructor"
    r"|datetime\.(date|datetime|timedelta|timezone)|functools\.partial"
    r"|numpy\.(_core|core)\.(multiarray\.(_reconstruct|scalar)|numeric\._frombuffer)|numpy\.dtype"
    r"|numpy\.ma\.core\._mareconstruct"
    r"|numpy\.random\._pickle\.__(bit_generator|generator|randomstate)_ctor"
    r"|numpy\.random\.bit_generator\.__pyx_unpickle_SeedSequence"
    r"|pandas\.(StringDtype|_libs\.(arrays\.__pyx_unpickle_NDArrayBacked|internals\._unpickle_block)"
    r"|_libs\.tslibs\.(nattype\.__?nat_unpickle|timedeltas\._timedelta_unpickle|timestamps\._unpickle_timestamp)"
    r"|core\.arrays\.string_\.StringDtype"
    r"|core\.indexes\.(base\._new_Index|datetimes\._new_DatetimeIndex)|core\.internals\.managers\.BlockManager)"
    r"|pyarrow\.lib\.(_restore_array|py_buffer|type_for_alias)"
    r"|(sklearn\._loss\.)?_loss\.(Cy\w+|__pyx_unpickle_Cy\w+)|sklearn\.linear_model\._sgd_fast\.[A-Z]\w+"
    r"|sklearn\.(metrics\._dist_metrics|neighbors\._(ball|kd)_tree)\.newObj|sklearn\.tree\._tree\.Tree"
)
# Functions reviewed as values: pure arithmetic whatever they are given.
FUNCTIONS = re.compile(
    r"sklearn\.metrics\.(_classification|_ranking|_regression|_scorer|cluster\._supervised)"
    r"\.[a-z]\w*(_score|_loss|_error|_deviance|_corrcoef|_ratio|\.auc)"
    r"|sklearn\.feature_selection\.(_univariate_selection|_mutual_info)\.[a-z]\w*"
    r"|sklearn\.cluster\._kmeans\._kmeans_single_\w+|scipy\._lib\.array_api_compat\.numpy\._aliases\.asarray"
    r"|sklearn\.model_selection\._split\.(Stratified)?KFold|numpy\.mean"
)
TYPES = ("bool", "complex", "dict", "float", "int", "list", "object", "set", "str", "tuple", "bytes")
SCALARS = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
           "bool_", "bool", "number", "integer", "floating", "object_", "str_", "signedinteger", "generic", "category")
CONSTANTS = ("pandas._libs.missing.NA", "pandas.NA", "builtins.Ellipsis", "builtins.NotImplemented")
PLAIN_FUNCTIONS = ("nan_to_num", "clip", "around", "round", "mean", "median", "max", "min", "amax", "amin", "sum")
SPECIAL = ("expit", "logit", "erf", "log1p", "expm1", "xlogy", "boxcox", "boxcox1p", "cbrt", "log_ndtr", "ndtr")
FACTORIES = ("builtins.dict", "builtins.float", "builtins.int", "builtins.list", "builtins.set", "builtins.str",
             "collections.OrderedDict")
UFUNC_MODULES = ("numpy", "numpy._core._multiarray_umath", "numpy.core._multiarray_umath")
ALIASES = (("numpy._core.", "numpy.core."), ("numpy.core.", "numpy._core."))


def tell(line: str) -> None:
    """One line to the person who runs this."""
    sys.stderr.write(line + "\n")


def dumps(model: Any) -> Iterator[bytes]:
    """The model's bytes in every form the scan is to accept; nothing for one that cannot be pickled."""
    try:
        for protocol in range(2, 6):
            yield pickle.dumps(model, protocol)
        for compress in (0, 3):
            file = io.BytesIO()
            joblib.dump(model, file, compress=compress)
            yield file.getvalue()
    except Exception as error:
        tell(f"not dumped: {type(model).__name__}: {error}")


def read(data: bytes) -> Trace:
    """The trace of an honest file."""
    format_, codec = sniff(data)
    trace = Trace()
    Machine(Source(data, codec), trace, arrays=format_ == "joblib").load()
    return trace


def names_in(value: Any, found: set[str], seen: set[int]) -> set[str]:
    """Names anywhere inside containers."""
    if isinstance(value, Global):
        found.add(value.name)
    elif isinstance(value, list | tuple | Mapping | Members | Array) and id(value) not in seen:
        seen.add(id(value))
        inside = value.items if isinstance(value, Mapping | Members) else value
        for one in [inside.content] if isinstance(inside, Array) else inside:
            names_in(one, found, seen)
    return found


class Collected:
    """What honest files use, and what of it no table has reviewed."""

    def __init__(self) -> None:
        self.new: set[str] = set()
        self.new_args: set[str] = set()
        self.call: dict[str, set[str]] = defaultdict(set)
        self.states: set[str] = set()
        self.items: set[str] = set()
        self.references: dict[str, set[str]] = defaultdict(set)
        self.holders: dict[str, set[str]] = defaultdict(set)
        self.left_out: set[str] = set()

    def add(self, trace: Trace) -> None:
        for made in trace.made:
            name = made.maker.name
            if made.how == "new":
                if made.maker.module.partition(".")[0] in LIBRARIES or name in FACTORIES:
                    self.new.add(name)
                else:
                    self.left_out.add(f"class {name}")
                if made.args != ():
                    self.new_args.add(name)
            elif not CALLS.fullmatch(name):
                self.left_out.add(f"call {name}")
                continue
            else:
                self.call[name] |= names_in(made.args, set(), set())
            if made.items:
                self.items.add(name)
            if made.built and made.state is not None and not isinstance(made.state, Mapping):
                self.states.add(name)
                if made.how == "call":
                    self.call[name] |= names_in(made.state, set(), set())
            for key, value in made.state.pairs() if isinstance(made.state, Mapping) else ():
                if isinstance(value, Global):
                    self._hold(key, value.name)
                elif isinstance(value, Made):
                    self.holders[key].add(value.maker.name)

    def _hold(self, key: str, name: str) -> None:
        top, _, last = name.rpartition(".")
        if (top == "builtins" and last in TYPES) or (top == "numpy" and last in SCALARS):
            self.references[key].add("types")
        elif top in UFUNC_MODULES and isinstance(getattr(np, last, None), np.ufunc):
            self.references[key].add("arithmetic")
        elif FUNCTIONS.fullmatch(name):
            self.references[key].add(name)
        elif name not in CONSTANTS and key != "subclass":
            self.left_out.add(f"value {key} = {name}")


def is_callable(name: str) -> bool:
    """True when objects of the class can be called, or what the function returns can."""
    if name in ("functools.partial", "builtins.getattr"):
        return True
    module, _, last = name.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), last)
    except (ImportError, AttributeError):
        return True
    return inspect.isclass(kind) and any("__call__" in vars(base) for base in kind.__mro__)


def by_module(names: set[str]) -> dict[str, list[str]]:
    """Sorted names under their sorted modules."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        module, _, last = name.rpartition(".")
        found[module].append(last)
    return dict(sorted(found.items()))


def aliases(names: set[str]) -> set[str]:
    """The names, and those of numpy.core and numpy._core under the other's name."""
    return names | {new + name.removeprefix(old) for name in names for old, new in ALIASES if name.startswith(old)}


def collect() -> dict[str, Any]:
    """The content of allowed.json for the versions installed here."""
    from sklearn.utils import all_estimators

    found = Collected()
    for seed in SEEDS:
        for _, model in honest_models.models(seed):
            for data in dumps(model) if model is not None else ():
                found.add(read(data))
    found.new |= {f"{kind.__module__}.{kind.__name__}" for _, kind in all_estimators()}
    found.call["collections.defaultdict"] |= set(FACTORIES)
    for line in sorted(found.left_out):
        tell(f"left out, not reviewed: {line}")
    arithmetic = {f"{module}.{name}" for name in dir(np) if isinstance(getattr(np, name), np.ufunc)
                  for module in UFUNC_MODULES}
    arithmetic |= {f"numpy.{name}" for name in PLAIN_FUNCTIONS}
    arithmetic |= {f"scipy.special._ufuncs.{name}" for name in SPECIAL}
    found.references["_score_func"] |= {name for name in functions_of("sklearn.metrics") if FUNCTIONS.fullmatch(name)}
    found.references["score_func"] |= functions_of("sklearn.feature_selection")
    for key in ("func", "inverse_func"):
        found.references[key].add("arithmetic")
    for key in ("dtype", "dtype_include", "dtype_exclude"):
        found.references[key].add("types")
    makers = found.new | set(found.call)
    callable_ = {name for name in makers if is_callable(name)}
    instances = {key for key, held in found.holders.items() if held & callable_}
    call: dict[str, set[str]] = defaultdict(set)
    for name, held in found.call.items():
        for alias in aliases({name}):
            call[alias] |= held
    return {
        "schema": "govern.allowed/1",
        "made_from": versions(),
        "libraries": list(LIBRARIES),
        "new": by_module(found.new),
        "new_args": sorted(found.new_args),
        "call": {name: sorted(held) for name, held in sorted(call.items())},
        "states": sorted(aliases(found.states)),
        "items": sorted(found.items),
        "callable": sorted(callable_),
        "groups": {
            "arithmetic": sorted(arithmetic),
            "constants": sorted(CONSTANTS),
            "types": sorted({f"builtins.{t}" for t in TYPES} | {f"numpy.{s}" for s in SCALARS}),
        },
        "references": {key: sorted(held) for key, held in sorted(found.references.items())},
        "instances": sorted(instances),
        "wrapped": ["joblib.numpy_pickle.NumpyArrayWrapper", "numpy.matrix", "numpy.matrixlib.defmatrix.matrix",
                    "numpy.memmap", "numpy.ndarray"],
    }


def functions_of(module: str) -> set[str]:
    """Public functions of a module under the names by which they are pickled."""
    there = importlib.import_module(module)
    public = [getattr(there, name) for name in there.__all__]
    return {f"{one.__module__}.{one.__name__}" for one in public if inspect.isfunction(one)}


def versions() -> dict[str, list[str]]:
    """Installed versions of the libraries."""
    found: dict[str, list[str]] = {name: [] for name in DISTRIBUTIONS}
    for name in DISTRIBUTIONS:
        for distribution in (name, f"{name}-cpu"):
            try:
                found[name].append(version(distribution))
            except PackageNotFoundError:
                continue
    return found


def merged(old: Any, new: Any) -> Any:
    """Everything of both, lists sorted."""
    if isinstance(new, dict):
        keys = sorted({*old, *new})
        return {key: merged(old.get(key, type(new.get(key))()), new.get(key, type(old.get(key))())) for key in keys}
    return sorted({*old, *new}) if isinstance(new, list) else new


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    content = collect()
    if "--merge" in sys.argv:
        content = merged(json.loads(PLACE.read_text("utf-8")), content)
    PLACE.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", "utf-8")
    classes = sum(map(len, content["new"].values()))
    tell(f"{classes} classes, {len(content['call'])} reconstructors, {PLACE.stat().st_size:,} bytes")
