"""Start-up of the quick commands beside a bare typer program with two commands.

    python bench/startup.py [--repeats 15]

Prints medians of interleaved runs and their ratios beside what they are to keep: `govern --help` at most 1.3
times the bare program's, `govern check` on the evidence shipped with the baseline policy at most 0.4 s from
start to finish or at most 5 times the bare program's help, whichever is larger. Ends with 1 where one is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
EVIDENCE = ROOT / "policies" / "baseline.pass.json"
# Name: seconds and ratio to the bare program at most, None where nothing is promised.
MOST: dict[str, tuple[float | None, float | None]] = {"govern --help": (None, 1.3), "govern check": (0.4, 5.0)}
BARE = '''
import typer

app = typer.Typer()


@app.command()
def greet(name: str, loud: bool = False) -> None:
    """Says hello."""
    print("HELLO" if loud else "hello", name)


@app.command()
def leave(name: str) -> None:
    """Says goodbye."""
    print("goodbye", name)


if __name__ == "__main__":
    app()
'''


def timed(arguments: list[str], cwd: str, environment: dict[str, str]) -> float:
    """Seconds of one run. Raises SystemExit when it fails."""
    start = time.perf_counter()
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return seconds


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory(prefix="govern-bench-") as scratch:
        # Imported by a two-line program, so that its bytecode is compiled as govern's is.
        Path(scratch, "bare.py").write_text(BARE, encoding="utf-8")
        programs = {
            "bare typer --help": ["-c", "from bare import app; app()", "--help"],
            "govern --help": ["-m", "govern", "--help"],
            "govern check": ["-m", "govern", "check", str(EVIDENCE), "--policy", "baseline"],
        }
        seconds: dict[str, list[float]] = {name: [] for name in programs}
        for turn in range(repeats + 1):
            for name, arguments in programs.items():
                taken = timed(arguments, scratch, environment)
                if turn:  # the first turn compiles bytecode
                    seconds[name].append(taken)
    missed = [name for name, values in seconds.items() if not told(name, values, seconds["bare typer --help"])]
    if missed:
        raise SystemExit(f"missed: {', '.join(missed)}")


def told(name: str, values: list[float], bare: list[float]) -> bool:
    """Whether a command keeps what it is to keep; prints it."""
    taken, ratio = median(values), median(mine / other for mine, other in zip(values, bare, strict=True))
    most, times = MOST.get(name, (None, None))
    # Of two aims the larger holds: a slow machine is judged by what a bare program takes on it.
    met = [taken <= most] if most else []
    met += [ratio <= times] if times else []
    kept = not met or any(met)
    aims = [f"{1000 * most:.0f} ms"] if most else []
    aims += [f"{times:g} times"] if times else []
    aim = f"   {'kept' if kept else 'MISSED'}: at most {' or '.join(aims)}" if aims else ""
    print(f"{name:<20}{1000 * taken:7.0f} ms   {ratio:5.2f} times the bare typer --help{aim}")
    return kept


if __name__ == "__main__":
    main()
