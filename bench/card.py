"""Size of the cards and time to draw them: five sensitive features with 40 groups, three policy packs.

    python bench/card.py [--repeats 3] [--keep DIR]

Draws rows with scores and labels from a seed, measures them once (predictions only, no model), judges them by three
packs, then times `govern render` from the stored documents in fresh processes, start-up included: HTML and PDF
together, HTML alone, and HTML of one feature with 500 groups. Drawing has one thread, so seconds are those of its
processor, which other work on the machine does not lengthen much. Ends with 1 where a card is larger or slower than it
is to be: HTML 1.5 MB, PDF 2 MB, both 5 s. On a slow machine the seconds are divided by `--slower`, how many times
slower it is.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

FEATURES = {"sex": 2, "race": 5, "age": 8, "region": 10, "occupation": 15}
PACKS = ("baseline", "eeoc-four-fifths", "japan-ai-business-guideline")
ROWS = 30_000
MOST_HTML, MOST_PDF, MOST_SECONDS = 1.5e6, 2.0e6, 5.0
VERDICT_CODES = {0, 1, 3}
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"NO_COLOR": "1"}


def govern(arguments: list[str], cwd: Path, codes: set[int]) -> float:
    """Seconds of a processor that `govern ARGUMENTS` took. Raises SystemExit with its output when it ends with another
    code."""
    before = os.times()
    done = subprocess.run([sys.executable, "-m", "govern", *arguments], cwd=cwd, env=ENVIRONMENT, capture_output=True,
                          text=True)
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    if done.returncode not in codes:
        raise SystemExit(f"govern {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return seconds


def rows(file: Path, features: dict[str, int], n: int) -> None:
    """Writes `n` rows: levels of unequal size, a label, and a score that depends a little on the first feature."""
    draw = random.Random(0)
    levels = {name: [f"{name} {chr(97 + i % 26)}{i // 26 or ''}" for i in range(k)] for name, k in features.items()}
    weights = {name: [1 + 3 / (1 + i) for i in range(k)] for name, k in features.items()}
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([*features, "score", "label"])
        for _ in range(n):
            chosen = [draw.choices(levels[name], weights[name])[0] for name in features]
            score = draw.betavariate(2, 3.2 + 0.4 * (chosen[0] == levels[next(iter(features))][0]))
            writer.writerow([*chosen, f"{score:.4f}", int(draw.random() < score)])


def documents(folder: Path, features: dict[str, int], n: int, packs: tuple[str, ...]) -> tuple[Path, Path]:
    """The evidence of `n` drawn rows, and the verdict of the packs on it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows(folder / "rows.csv", features, n)
    sensitive = [x for name in features for x in ("--sensitive", name)]
    govern(["measure", "--data", "rows.csv", "--target", "label", "--positive", "1", "--favourable", "1", "--score",
            "score", "--threshold", "0.5", "--out", ".", "--compute", "skip", *sensitive], folder, {0})
    govern(["check", "evidence.json", *[x for pack in packs for x in ("--policy", pack)], "--out", "."], folder,
           VERDICT_CODES)
    return folder / "evidence.json", folder / "verdict.json"


def drawn(folder: Path, formats: tuple[str, ...], repeats: int) -> tuple[float, dict[str, int]]:
    """Median seconds of `govern render`, and the sizes of what it wrote in bytes."""
    asked = ["render", "evidence.json", "verdict.json", "--out", "out", *[x for f in formats for x in ("--format", f)]]
    seconds = median(govern(asked, folder, {0}) for _ in range(repeats))
    return seconds, {f: (folder / "out" / f"card.{f}").stat().st_size for f in formats}


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--slower", type=float, default=1.0)
    parser.add_argument("--keep", type=Path, help="folder for documents and cards, which are kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="govern-bench-") as scratch:
        folder = asked.keep or Path(scratch)
        evidence, _ = documents(folder / "forty", FEATURES, ROWS, PACKS)
        found = json.loads(evidence.read_text())["groups"]
        print(f"{ROWS:,} rows, {len(FEATURES)} features, {sum(FEATURES.values())} groups, "
              f"{len(found) - 1 - sum(FEATURES.values())} intersections, {len(PACKS)} packs")
        both, sizes = drawn(folder / "forty", ("html", "pdf"), asked.repeats)
        alone, _ = drawn(folder / "forty", ("html",), asked.repeats)
        documents(folder / "many", {"branch": 500}, ROWS, ("baseline",))
        many, large = drawn(folder / "many", ("html",), 1)
    told = [("HTML", sizes["html"] / 1e6, MOST_HTML / 1e6, "MB"), ("PDF", sizes["pdf"] / 1e6, MOST_PDF / 1e6, "MB"),
            ("both", both / asked.slower, MOST_SECONDS, "s")]
    for what, seen, most, unit in told:
        print(f"{what:<24}{seen:7.2f} {unit:<3} {'kept' if seen <= most else 'MISSED'}: at most {most:g} {unit}")
    print(f"{'HTML alone':<24}{alone / asked.slower:7.2f} s")
    print(f"{'HTML of 500 groups':<24}{many / asked.slower:7.2f} s   {large['html'] / 1e6:.2f} MB")
    if missed := [what for what, seen, most, _ in told if seen > most]:
        raise SystemExit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
