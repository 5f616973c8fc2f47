"""Command-line parameters made from the option table, so that every option is declared once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from govern.errors import InputError, nearest, printable
from govern.inputs.options import Option, options_of, refuse_later

Given = dict[str, Any]
TYPES: dict[str, type] = {"int": int, "float": float, "path": Path, "flag": bool}
SHORT = {"--quiet": "-q", "--verbose": "-v", "--data": "-d", "--target": "-t", "--sensitive": "-s", "--out": "-o"}


def takes(command: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a function the options of `command`; it is called with `given`, option name → value, only those given.

    The function's own parameters (arguments such as EVIDENCE) come first and are passed on by name.
    """
    rows = options_of(command)

    def wrap(function: Callable[..., int]) -> Callable[..., int]:
        own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name != "given"]

        def called(**values: Any) -> int:
            given = {o.name: v for o in rows if (v := values.pop(_identifier(o))) not in (None, False, [], ())}
            refuse_later(given)
            _refuse_other_choices(rows, given)
            return function(given=given, **values)

        called.__name__, called.__doc__ = function.__name__, function.__doc__
        parameters = [*own, *(_parameter(o) for o in rows)]
        signature = inspect.Signature(parameters, return_annotation=int)
        called.__signature__ = signature  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in parameters}
        return called

    return wrap


def _refuse_other_choices(rows: Sequence[Option], given: Given) -> None:
    """Raises InputError for a flag without a key whose value is not one of its choices; `load_settings` checks the
    others."""
    for option in rows:
        value = given.get(option.name)
        if not option.key and option.choices and value is not None and value not in option.choices:
            raise InputError(f'"{printable(value)}" is not one of {", ".join(option.choices)}', where=option.flag,
                             fix=nearest(str(value), option.choices) or "use one of them")


def _identifier(option: Option) -> str:
    return option.name.replace(".", "_").replace("-", "_")


def _parameter(option: Option) -> inspect.Parameter:
    kind: Any = TYPES.get(option.kind, str)
    if option.repeatable:
        kind = list[kind]
    if option.flag == "MODEL":
        info: Any = typer.Argument(metavar="MODEL", help=option.help, show_default=False)
        return _as_parameter(option, kind | None, info, None)
    names = [option.flag, *([SHORT[option.flag]] if option.flag in SHORT else [])]
    metavar = option.metavar or ("|".join(option.choices) if option.choices else None)
    info = typer.Option(*names, help=_help(option), metavar=metavar, rich_help_panel=option.panel,
                        show_default=False, hidden=option.later)
    return _as_parameter(option, bool if option.kind == "flag" else kind | None, info,
                         False if option.kind == "flag" else None)


def _help(option: Option) -> str:
    default = option.default
    if default in (None, "", (), False) or "default" in option.help:
        return option.help
    shown = ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)
    return f"{option.help} Default: {shown}."


def _as_parameter(option: Option, kind: Any, info: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(_identifier(option), inspect.Parameter.KEYWORD_ONLY, default=default,
                             annotation=Annotated[kind, info])
