"""The exact names a model file may use and what for, and the names the user trusts beyond them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

from govern.errors import InputError

Name = tuple[str, str]
CLOUD = ("cloudpickle", "dill", "joblib.externals")
# Libraries whose missing classes a user may trust one by one; of the other libraries no model needs more.
TRUSTABLE = ("sklearn", "xgboost", "lightgbm")


@dataclass(frozen=True)
class AllowList:
    """Permitted names by use; read from allowed.json, which tools/make_allowlist.py writes."""

    libraries: frozenset[str]
    new: frozenset[str]  # classes made empty (NEWOBJ without arguments)
    new_args: frozenset[str]  # and those made with arguments
    call: dict[str, frozenset[str]]  # reconstructors, each with the names its arguments may hold
    states: frozenset[str]  # makers whose objects take a state that is not a dict
    items: frozenset[str]  # makers whose objects take items
    callable: frozenset[str]  # makers whose objects can be called
    references: dict[str, frozenset[str]]  # attribute → names it may hold itself
    instances: frozenset[str]  # attributes that may hold an object that can be called
    constants: frozenset[str]  # names of values that cannot be called, such as pandas.NA
    values: frozenset[str]  # names that may stand inside a list, tuple, dict or array
    known: frozenset[str] = field(default=frozenset())  # all of the above


@lru_cache(maxsize=1)
def allowed() -> AllowList:
    """The allow-list shipped with the package."""
    data = json.loads(resources.files("govern.inputs.scan").joinpath("allowed.json").read_text("utf-8"))
    return from_plain(data)


def from_plain(data: dict[str, Any]) -> AllowList:
    """The allow-list from the plain data of allowed.json: names stand there by their module."""

    def names(part: dict[str, list[str]]) -> frozenset[str]:
        return frozenset(f"{module}.{name}" for module, found in part.items() for name in found)

    groups = {group: frozenset(found) for group, found in data["groups"].items()}
    references = {
        attribute: frozenset().union(*(groups.get(name, frozenset({name})) for name in found))
        for attribute, found in data["references"].items()
    }
    call = {name: frozenset(found) for name, found in data["call"].items()}
    new, new_args, values = names(data["new"]), frozenset(data["new_args"]), frozenset().union(*references.values())
    values |= groups["types"] | groups["constants"]
    return AllowList(
        libraries=frozenset(data["libraries"]), new=new, new_args=new_args, call=call,
        states=frozenset(data["states"]), items=frozenset(data["items"]), callable=frozenset(data["callable"]),
        references=references, instances=frozenset(data["instances"]), constants=groups["constants"],
        values=values,
        known=frozenset().union(new, new_args, values, call, *call.values(), data["wrapped"]),
    )  # fmt: skip


@dataclass(frozen=True)
class Trust:
    """Names the user trusts: exact ones, and all of a package of their own.

    What a module of such a package imported from elsewhere is a name in it too; only the process that
    loads the file can tell the two apart, by the module an object says it comes from.
    """

    exact: frozenset[str] = frozenset()
    packages: tuple[str, ...] = ()

    def of(self, module: str, qualname: str) -> str | None:
        """The `--trust` text that covers a name, or None. Names with a dot of their own are never covered."""
        if not _words(module) or not qualname.isidentifier():
            return None
        if f"{module}.{qualname}" in self.exact:
            return f"{module}.{qualname}"
        return next((f"{p}.*" for p in self.packages if module == p or module.startswith(p + ".")), None)


def _words(text: str) -> bool:
    return bool(text) and all(word.isidentifier() for word in text.split("."))


def trust_of(texts: Sequence[str], allow: AllowList) -> Trust:
    """What the user's `--trust` texts cover. Raises InputError for one that would open a library."""
    exact, packages = set(), []
    for text in texts:
        package = text.removesuffix(".*")
        top = package.partition(".")[0]
        example = "trust one class: --trust my_package.MyTransformer"
        if not _words(package) or (package == text and "." not in text):
            raise InputError(f'--trust "{text}" is not a name like package.module.Class or package.*', fix=example)
        if top == "__main__":
            raise InputError(f'--trust "{text}" names a script', fix="move the class to a module and save again")
        if package != text:
            if top in allow.libraries or top in sys.stdlib_module_names or top in CLOUD:
                raise InputError(f'--trust "{text}" would admit everything in {top}', fix=example)
            packages.append(package)
        elif text not in allow.known:
            module, _, qualname = text.rpartition(".")
            if remedy(module, qualname, allow)[1] is None:
                raise InputError(f'--trust "{text}" is never accepted: it can run code or reach files', fix=example)
            exact.add(text)
    return Trust(frozenset(exact), tuple(packages))


def remedy(module: str, qualname: str, allow: AllowList) -> tuple[str, str | None]:
    """Why a name that is not on the list is refused, and the `--trust` text that would admit it or None."""
    top = module.partition(".")[0]
    if not _words(module) or not qualname.isidentifier():
        return "reaches an attribute through a name with dots or signs", None
    if top == "__main__":
        return "was defined in a script or notebook; move it to a module and save the model again", None
    if module.startswith(CLOUD):
        return "carries code inside the file; save the model with pickle or joblib", None
    if top in sys.stdlib_module_names or top in ("nt", "posix"):
        return "belongs to Python itself and can run code or reach files", None
    text = f"{module}.{qualname}"
    if top in TRUSTABLE:
        if qualname[:1].isupper() and "test" not in module and not qualname.startswith("PyFunc"):
            return f"is not among the classes of {top} known here", text
        return f"is a function of {top} that no model needs", None
    if top in allow.libraries:
        return f"belongs to {top} and is not needed to restore a model", None
    return "is not on the allow-list", text


def join(names: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Sorted `module.qualname` texts."""
    return tuple(sorted({f"{module}.{qualname}" for module, qualname in names}))
