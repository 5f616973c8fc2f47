"""What is going on: a live display on a terminal, plain lines in CI, nothing with --quiet; always stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int, int], None]


@contextmanager
def progress(quiet: bool) -> Iterator[Progress]:
    """A function (stage, rows done, rows in all or 0) that shows progress while the block runs."""
    if quiet:
        yield lambda stage, done, total: None
    elif sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb":
        yield from _live()
    else:
        yield _lines()


def _lines() -> Progress:
    said: set[str] = set()

    def tell(stage: str, done: int, total: int) -> None:
        if stage not in said:
            said.add(stage)
            sys.stderr.write(f"govern: {stage}\n")
            sys.stderr.flush()

    return tell


def _live() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    bars = Bars(SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=20),
                TextColumn("{task.fields[rows]}"), TimeElapsedColumn(), console=Console(stderr=True), transient=True)
    with bars:
        task = bars.add_task("starting", total=None, rows="")

        def tell(stage: str, done: int, total: int) -> None:
            rows = f"{done:,} rows" if done else ""
            bars.update(task, description=stage, completed=done, total=total or None, rows=rows)

        yield tell
