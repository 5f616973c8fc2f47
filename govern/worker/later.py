"""Modules that the libraries of models import and few models use, loaded at their first use.

scikit-learn imports scipy.stats for four names, SciPy's clone of NumPy all of f2py: loading them takes a third of the
time before a model can be loaded. In the model's process such a module is put in place empty. What is asked of it
loads it, in place; the names given here are stood in for by objects that load it when they are used.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType
from typing import Any, Final

# Module: the names that libraries take from it when they are imported, as read in scikit-learn 1.9 and SciPy 1.17.
# A name that is missing here costs time, not truth: it loads its module at once.
LATER: Final[dict[str, tuple[str, ...]]] = {
    "numpy.f2py": (),
    "scipy.integrate": ("trapezoid",),
    "scipy.interpolate": ("BSpline",),
    "scipy.stats": ("chi2", "gmean", "rankdata", "spearmanr"),
}

_lock: Final = RLock()
_seconds = 0.0


def install() -> None:
    """From now on the modules of LATER are loaded at their first use."""
    sys.meta_path.insert(0, _Finder())


@contextmanager
def absent(name: str) -> Generator[None]:
    """Lets imports meanwhile find no module `name`: one that they try, and do without."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def seconds() -> float:
    """Time spent so far on loading modules late, so that it is not counted as the model's."""
    return _seconds


class _Waiting(ModuleType):
    """A module that is not loaded yet; its class is changed when it is."""

    def __getattr__(self, name: str) -> Any:
        if name in LATER[self.__name__]:
            return _StandIn(self, name)
        _load(self)
        return getattr(self, name)


class _StandIn:
    """A function, object or class of a module that may not be loaded yet."""

    def __init__(self, module: ModuleType, name: str) -> None:
        self._module, self._name = module, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._real()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._real())

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self._real())

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._real(),)

    def _real(self) -> Any:
        _load(self._module)
        return getattr(self._module, self._name)


def _load(module: ModuleType) -> None:
    """Loads a waiting module in place; does nothing to one that is loaded."""
    global _seconds
    with _lock:
        if type(module) is not _Waiting:
            return
        before, started = _seconds, time.perf_counter()
        module.__class__ = ModuleType  # type: ignore[assignment]
        module.__spec__.loader.exec_module(module)  # type: ignore[union-attr]
        # One that loads others meanwhile holds their time.
        _seconds = before + time.perf_counter() - started


class _Finder:
    """Finds the modules of LATER, and the parts of those that still wait."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        parent = sys.modules.get(name.rpartition(".")[0])
        if type(parent) is _Waiting:
            # A part needs the whole, and loading the whole may have loaded the part.
            _load(parent)
            return _There(sys.modules[name]).spec if name in sys.modules else None
        spec = PathFinder.find_spec(name, path) if name in LATER else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Later(spec.loader)  # type: ignore[assignment]
        return spec


class _Later:
    """Puts a module in place without running it."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self.loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.loader
        module.__spec__.loader = self.loader  # type: ignore[union-attr]
        module.__class__ = _Waiting


class _There:
    """Gives a module that is already loaded, as it is: the import system takes the spec that it finds in it."""

    def __init__(self, module: ModuleType) -> None:
        self.module, self.own = module, module.__spec__
        self.spec = module.__spec__ = ModuleSpec(module.__name__, self)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.own
