from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govern.errors import InputError
from govern.inputs.datasets import DataSource, open_data

TABLE = pa.table({
    "age": pa.array([25, 61, None, 40], pa.int64()),
    "income": pa.array([1.5, None, 3.0, -4.25], pa.float64()),
    "sex": pa.array(["f", "m", None, "f"], pa.string()),
    "member": pa.array([True, False, None, True], pa.bool_()),
})


def write(path: Path, table: pa.Table = TABLE) -> Path:
    name = path.name
    if name.endswith(".gz"):
        plain = write(path.with_name(name[:-3]), table)
        path.write_bytes(gzip.compress(plain.read_bytes()))
    elif path.suffix in (".csv", ".tsv"):
        options = arrow_csv.WriteOptions(delimiter="\t" if path.suffix == ".tsv" else ",")
        arrow_csv.write_csv(table, path, options)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    elif path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=2)
    elif path.suffix == ".feather":
        feather.write_feather(table, str(path))
    elif path.suffix == ".arrows":
        with pa.OSFile(str(path), "wb") as sink, ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=3)
    else:
        path.mkdir()
        pq.write_table(table.slice(2), path / "part-1.parquet")
        pq.write_table(table.slice(0, 2), path / "part-0.parquet")
        (path / "_SUCCESS").write_text("")
    return path


def rows(source: DataSource, columns: list[str], size: int = 65_536) -> list[dict[str, Any]]:
    return [row for batch in source.batches(columns, size) for row in batch.to_pylist()]


def refusal(path: Path, read: list[str] | None = None) -> str:
    with pytest.raises(InputError) as caught:
        source = open_data(path)
        if read is not None:
            rows(source, read)
    assert "\n" not in str(caught.value) and len(str(caught.value)) <= 292
    return str(caught.value)


@pytest.mark.parametrize(("name", "kind"), [
    ("t.csv", "csv"), ("t.csv.gz", "csv"), ("t.tsv", "csv"), ("t.jsonl", "json lines"), ("t.jsonl.gz", "json lines"),
    ("t.parquet", "parquet"), ("t.feather", "arrow"), ("t.arrows", "arrow"), ("folder", "parquet"),
])
def test_every_format_gives_the_same_batches(tmp_path: Path, name: str, kind: str) -> None:
    source = open_data(write(tmp_path / name))
    assert (source.format, source.name, source.rows) == (kind, name, 4)
    assert list(source.columns) == TABLE.column_names and source.size > 0
    assert rows(source, ["sex", "age", "member", "income"]) == TABLE.select(
        ["sex", "age", "member", "income"]).to_pylist()
    sizes = [b.num_rows for b in source.batches(["income"], 3)]
    assert sum(sizes) == 4 and max(sizes) <= 3 and min(sizes) >= 1
    assert next(source.batches(["income"])).schema.names == ["income"]


def test_file_digest_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv.gz")
    source = open_data(path)
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() and source.size == path.stat().st_size


def test_folder_digest_covers_names_and_contents(tmp_path: Path) -> None:
    first, second = open_data(write(tmp_path / "a")), open_data(write(tmp_path / "b"))
    assert first.sha256 == second.sha256
    (tmp_path / "b" / "part-1.parquet").rename(tmp_path / "b" / "part-2.parquet")
    assert open_data(tmp_path / "b").sha256 != first.sha256


def test_signature_decides_before_the_name(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet").rename(tmp_path / "t.csv")
    assert open_data(path).format == "parquet"
    lines = write(tmp_path / "u.jsonl").rename(tmp_path / "u.txt")
    assert open_data(lines).format == "json lines"


def csv(tmp_path: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_csv_types_are_those_of_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("govern.inputs.delimited.BLOCK", 64)
    head = "whole,number,text,flag,late,later,date\n"
    early = "".join(f"{i},{i},{i},true,,,2020-01-0{i % 9 + 1}\n" for i in range(50))
    for tail in ("7,1.5,x1,maybe,3,false,2020-01-01\n", "7,1e3,x1,2,-3,True,soon\n",
                 "7,-inf,x1,2,-3,True,soon\n"):
        for text in (head + early + tail, head + tail + early):
            source = open_data(csv(tmp_path, text))
            types = [str(t) for t in source.columns.values()]
            assert types == ["int64", "double", "string", "string", "int64", "bool", "string"], text
            assert source.rows == 51 and len(rows(source, list(source.columns))) == 51


def test_csv_missing_values_bom_quotes_and_newlines(tmp_path: Path) -> None:
    text = '\ufeffa,b,c\n1,"x, ""y""\nz",NA\n,"",3\n007,None,null\n'
    source = open_data(csv(tmp_path, text))
    assert rows(source, ["a", "b", "c"]) == [
        {"a": 1, "b": 'x, "y"\nz', "c": None}, {"a": None, "b": None, "c": 3}, {"a": 7, "b": None, "c": None}]


def test_csv_with_another_delimiter_and_large_numbers(tmp_path: Path) -> None:
    source = open_data(csv(tmp_path, "a;b;c\n1;2,5;9223372036854775808\n"))
    assert rows(source, ["a", "b", "c"]) == [{"a": 1, "b": "2,5", "c": 9223372036854775808.0}]


def test_all_missing_column_is_a_number_column(tmp_path: Path) -> None:
    source = open_data(csv(tmp_path, "a,b\n1,\n2,\n"))
    assert source.type_of("b") == pa.float64() and rows(source, ["b"]) == [{"b": None}, {"b": None}]


@pytest.mark.parametrize(("text", "said"), [
    ("", "is empty"),
    ("\n\n", "is empty"),
    ("a,b\n", "has no rows"),
    ("a,b,a\n1,2,3\n", 'has two columns called "a"'),
    ("a,b\n1,2\n3\n4,5\n", "t.csv:3: is not readable as CSV: 1 values where the header has 2 columns"),
    ('a,b\n1,2\n3,"4\n5,6\n', "t.csv:3: is not readable as CSV: a quote is not closed"),
    ('a,b\n"1,2\n3,4\n', "is not readable as CSV"),
    (b"a,\xff\n1,2\n", "is not UTF-8 text"),
    (b"a,b\n1,\xff\n", 'column "b" is not UTF-8 text'),
    (b"a,b\n1,x\n" + b"1,y\n" * 2_000_000 + b"1,\xff\n", 'column "b" is not UTF-8 text'),
    ("a,b\n1,2\n".encode("utf-16"), "is not a text file"),
    (b"PK\x03\x04xxxx", "is not a text file"),
])
def test_csv_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert said in refusal(csv(tmp_path, text))


def test_missing_file_and_column(tmp_path: Path) -> None:
    assert "no such file; check --data" in refusal(tmp_path / "absent.csv")
    path = csv(tmp_path, "income,age\n1,2\n")
    assert refusal(path, ["incme"]).endswith('has no column "incme"; did you mean "income"?')
    assert refusal(path, ["zzz"]).endswith('has no column "zzz"; columns: income, age')


def test_broken_gzip(tmp_path: Path) -> None:
    whole = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(50_000)))
    assert "is not readable as csv" in refusal(csv(tmp_path, whole[:-2000], "t.csv.gz"))
    assert "is not readable as json lines" in refusal(csv(tmp_path, gzip.compress(b"{}\n" * 50_000)[:60], "t.jsonl.gz"))
    two = csv(tmp_path, gzip.compress(b"a\n1\n") + gzip.compress(b"2\n"), "two.csv.gz")
    assert rows(open_data(two), ["a"]) == [{"a": 1}, {"a": 2}]


def test_json_lines_types_and_missing_keys(tmp_path: Path) -> None:
    lines = ['{"a": 1, "b": true, "d": "2020-01-01", "e": NaN}', "", '{"a": 2.5, "c": "x", "b": 1}', '{"a": null}']
    source = open_data(csv(tmp_path, "\n".join(lines), "t.jsonl"))
    assert [str(t) for t in source.columns.values()] == ["double", "string", "string", "double", "string"]
    assert rows(source, ["a", "b", "c", "d", "e"]) == [
        {"a": 1.0, "b": "true", "c": None, "d": "2020-01-01", "e": None},
        {"a": 2.5, "b": "1", "c": "x", "d": None, "e": None},
        {"a": None, "b": None, "c": None, "d": None, "e": None}]


@pytest.mark.parametrize(("text", "said"), [
    ('{"a": 1}\n{"a": [1]}\n', 't.jsonl:2: column "a" holds a nested value'),
    ('{"a": 1}\n{"a": 1\n', "t.jsonl:2: is not JSON Lines"),
    ('[{"a": 1}]', "t.jsonl:1: is not JSON Lines: a line is not an object"),
    ('{"a": 1, "a": 2}', "a key stands twice"),
    ('{"a": 1' + "0" * 400 + "}", "too large a number"),
    (b'{"a": "\xff"}', "t.jsonl:1: is not JSON Lines"),
    ('{"a": ' + "[" * 100_000, "t.jsonl:1: is not JSON Lines"),
])
def test_json_lines_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert said in refusal(csv(tmp_path, text, "t.jsonl"))


def test_only_asked_columns_are_decoded(tmp_path: Path) -> None:
    table = TABLE.append_column("nested", pa.array([[1], [2], [3], []]))
    for name in ("t.parquet", "t.feather", "t.arrows"):
        path = write(tmp_path / name, table)
        assert rows(open_data(path), ["age"]) == TABLE.select(["age"]).to_pylist()
        assert 'column "nested" holds list' in refusal(path, ["nested"])


def test_types_are_made_plain(tmp_path: Path) -> None:
    table = pa.table({
        "big": pa.array(["a", None], pa.large_string()), "dict": pa.array(["x", "y"]).dictionary_encode(),
        "numbers": pa.array([5, 6]).dictionary_encode(), "decimal": pa.array(["1.5", "2"]).cast(pa.decimal128(5, 2)),
        "none": pa.nulls(2), "small": pa.array([1, 2], pa.int8())})
    source = open_data(write(tmp_path / "t.arrows", table))
    batch = next(source.batches(list(table.column_names)))
    assert [str(t) for t in batch.schema.types] == [
        "string", "dictionary<values=string, indices=int32, ordered=0>", "int64", "double", "double", "int8"]
    assert batch.to_pylist()[0] == {"big": "a", "dict": "x", "numbers": 5, "decimal": 1.5, "none": None, "small": 1}


def test_dictionaries_that_change_between_batches(tmp_path: Path) -> None:
    path = tmp_path / "t.arrows"
    parts = [pa.record_batch({"s": pa.array(v).dictionary_encode()}) for v in (["a", "b"], ["c", "a"])]
    with pa.OSFile(str(path), "wb") as sink, ipc.new_stream(sink, parts[0].schema) as writer:
        for part in parts:
            writer.write_batch(part)
    assert [r["s"] for r in rows(open_data(path), ["s"])] == ["a", "b", "c", "a"]


def test_parquet_folder_refusals(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert "holds no .parquet files" in refusal(tmp_path / "none")
    folder = write(tmp_path / "mixed")
    pq.write_table(TABLE.drop(["age"]), folder / "part-2.parquet")
    assert 'column "age" is missing here, but int64 in part-0.parquet' in refusal(folder)
    (tmp_path / "hive" / "year=2024").mkdir(parents=True)
    pq.write_table(TABLE, tmp_path / "hive" / "year=2024" / "a.parquet")
    assert 'is partitioned by folders such as "year=2024"' in refusal(tmp_path / "hive")
    two = pa.Table.from_arrays([TABLE["age"], TABLE["age"]], names=["a", "a"])
    pq.write_table(two, tmp_path / "two.parquet")
    assert 'two columns called "a"' in refusal(tmp_path / "two.parquet")
    pq.write_table(TABLE.slice(0, 0), tmp_path / "zero.parquet")
    assert "has no rows" in refusal(tmp_path / "zero.parquet")


def test_names_with_dots_are_told_apart(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a.b": [1], "a": [2], "a.b.c": [3]}), tmp_path / "t.parquet")
    source = open_data(tmp_path / "t.parquet")
    assert rows(source, ["a"]) == [{"a": 2}] and rows(source, ["a.b", "a"]) == [{"a.b": 1, "a": 2}]


@pytest.mark.parametrize(("name", "data"), [
    ("t.parquet", b"PAR1xxxxxxxxPAR1"), ("t.parquet", b"a,b\n1,2\n"), ("t.feather", b"ARROW1\0\0xxxxARROW1"),
    ("t.arrow", b"\xff\xff\xff\xff\x00\x10\0\0zz"), ("t.feather", b"FEA1xxxx"), ("t.arrow", b"a,b\n1,2\n"),
])
def test_broken_columnar_files(tmp_path: Path, name: str, data: bytes) -> None:
    line = refusal(csv(tmp_path, data, name))
    assert "is not readable as" in line or "Feather file of version 1" in line


def test_truncated_parquet_and_arrow(tmp_path: Path) -> None:
    many = pa.table({"a": list(range(20_000)), "s": [f"v{i}" for i in range(20_000)]})
    for name in ("t.parquet", "t.feather", "t.arrows"):
        path = write(tmp_path / name, many)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        assert "is not readable as" in refusal(path, ["a"])


def test_reading_needs_neither_pandas_nor_arrow_datasets(tmp_path: Path) -> None:
    paths = [str(write(tmp_path / n)) for n in ("t.csv", "t.parquet", "t.feather", "t.arrows")]
    code = ("import sys; from pathlib import Path; from govern.inputs.datasets import open_data\n"
            "for p in sys.argv[1:]: [None for b in open_data(Path(p)).batches(['age'])]\n"
            "assert not {'pandas', 'pyarrow.dataset', 'sklearn'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code, *paths], check=True, timeout=60)


def test_consumer_errors_pass_through(tmp_path: Path) -> None:
    source = open_data(write(tmp_path / "t.csv"))
    with pytest.raises(OSError, match="mine"):
        for _ in source.batches(["age"]):
            raise OSError("mine")


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([".csv", ".tsv", ".jsonl", ".csv.gz", ".parquet", ".arrow"]), st.one_of(
    st.binary(max_size=60), st.text('ab1,"\n\r;\t{}[]: \\.-', max_size=60).map(str.encode)))
def test_any_bytes_are_read_or_refused_in_one_line(suffix: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{suffix}"
        path.write_bytes(data)
        try:
            source = open_data(path)
            count = sum(b.num_rows for b in source.batches(list(source.columns)))
        except InputError as err:
            assert str(err).startswith(f"{path}"[:100]) and "\n" not in str(err)
        else:
            assert count == source.rows > 0


def test_texts_come_coded_from_parquet_with_the_same_values(tmp_path: Path) -> None:
    words = [["a", "b", None][i % 3] if i < 500 else ["c", "a", "zz"][i % 3] for i in range(1200)]
    table = pa.table({"s": pa.array(words), "n": pa.array(range(1200)), "big": pa.array(words, pa.large_string())})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=300)
    found = open_data(tmp_path / "t.parquet")
    batches = list(found.batches(["n", "s", "big"], 170, coded=["s", "n", "big", "absent"]))
    assert {str(b.schema.field("s").type) for b in batches} == {"dictionary<values=string, indices=int32, ordered=0>"}
    assert {str(b.schema.field("big").type) for b in batches} == {"string"}
    assert max(b.num_rows for b in batches) <= 170
    assert [v for b in batches for v in b.column("s").to_pylist()] == words
    assert [v for b in batches for v in b.column("n").to_pylist()] == list(range(1200))
    plain = list(found.batches(["s"]))
    assert plain[0].schema.field("s").type == pa.string()
    arrow_csv.write_csv(table.select(["s", "n"]), tmp_path / "t.csv")
    csv = list(open_data(tmp_path / "t.csv").batches(["s"], coded=["s"]))
    assert [v for b in csv for v in b.column("s").to_pylist()] == words
