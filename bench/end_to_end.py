"""Wall time and peak memory of `govern report` beside the script a user would write today (bench/peer.py).

    pip install -r bench/requirements.txt
    python bench/end_to_end.py            # peer without any interval: 50,000 and 1,000 rows
    python bench/end_to_end.py --full     # also against fairlearn's bootstrap, n_boot=100 (minutes)

Makes its data and model (bench/data.py), then runs both sides in turn, each in a fresh process with one
thread and compiled bytecode. Memory is the peak of the larger single process of a side. This process
imports only the standard library: a child's peak reads at least that of its parent when it was started.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
VERDICT_CODES = {0, 1, 3}
MIB = 1024 * 1024

# The same on both sides: one thread, bytecode written, no library told to pretend another processor.
ENVIRONMENT = {k: v for k, v in os.environ.items()
               if k not in {"PYTHONDONTWRITEBYTECODE", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}}
ENVIRONMENT |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NO_COLOR": "1", "CI": "true"}


@dataclass(frozen=True)
class Run:
    """Wall time in seconds and peak memory of the larger process in MiB."""

    seconds: float
    peak: float


def run(arguments: list[str], cwd: Path, codes: set[int]) -> Run:
    """One run of `python ARGUMENTS`. Raises SystemExit with its output when it ends with another code."""
    log = cwd / "log.txt"
    with log.open("wb") as output:
        start = time.perf_counter()
        child = subprocess.Popen([sys.executable, *arguments], cwd=cwd, env=ENVIRONMENT,
                                 stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in codes:
        raise SystemExit(f"{' '.join(arguments)} ended with {child.returncode}:\n{log.read_text()[-3000:]}")
    # wait4 reports the larger of the child and the processes it waited for: bytes on macOS, else KiB.
    return Run(seconds, usage.ru_maxrss / (MIB if sys.platform == "darwin" else 1024))


def govern(case: Path) -> Run:
    done = run(["-m", "govern", "report", "model.pkl", "--data", "eval.parquet", "--target", "income",
                "--positive", "1", "--favourable", "1", "--threshold", "0.5", "--sensitive", "sex",
                "--sensitive", "race", "--sensitive", "sex:race", "--out", "govern"], case, VERDICT_CODES)
    complete(case / "govern", "evidence.json", "compute.json", "verdict.json", "card.html", "card.pdf")
    return done


def peer(case: Path, boot: int) -> Run:
    done = run([str(HERE / "peer.py"), "model.pkl", "eval.parquet", "peer", "--boot", str(boot)], case, {0})
    complete(case / "peer", "card.html", "card.pdf")
    return done


def complete(folder: Path, *names: str) -> None:
    """Raises SystemExit when a side left something out; clears the folder for the next run."""
    for name in names:
        if not (folder / name).exists():
            raise SystemExit(f"{folder.name} wrote no {name}")
        (folder / name).unlink()


def compare(title: str, case: Path, pairs: int, boot: int) -> None:
    """Prints one comparison: `pairs` interleaved runs of each side."""
    both = [(govern(case), peer(case, boot)) for _ in range(pairs)]
    ours, theirs = zip(*both, strict=True)
    print(f"\n{title}; {pairs} interleaved pair{'s' if pairs > 1 else ''}, median (least – most)")
    for name, side in (("govern report", ours), (f"peer, n_boot={boot}", theirs)):
        seconds = sorted(r.seconds for r in side)
        print(f"  {name:<18}{median(seconds):8.2f} s ({seconds[0]:.2f} – {seconds[-1]:.2f})"
              f"{max(r.peak for r in side):8.0f} MiB peak")
    speed = median(t.seconds / o.seconds for o, t in both)
    memory = max(r.peak for r in ours) / max(r.peak for r in theirs)
    print(f"  peer / govern: {speed:.1f} times the time; govern / peer: {memory:.2f} of the memory")


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--small-rows", type=int, default=1_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--peer-boot", type=int, default=0, help="n_boot of the peer in the first comparison")
    parser.add_argument("--full", action="store_true", help="also one pair against n_boot=100")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="govern-bench-") as scratch:
        large, small = Path(scratch, "large"), Path(scratch, "small")
        for case, rows in ((large, asked.rows), (small, asked.small_rows)):
            case.mkdir()
            run([str(HERE / "data.py"), str(case), "--rows", str(rows)], case, {0})
        # Not counted: compiles bytecode and fills the page cache for both sides.
        govern(small), peer(small, 0)
        compare(f"{asked.rows:,} rows", large, asked.pairs, asked.peer_boot)
        compare(f"{asked.small_rows:,} rows", small, asked.pairs, 0)
        if asked.full:
            compare(f"{asked.rows:,} rows", large, 1, 100)


if __name__ == "__main__":
    main()
