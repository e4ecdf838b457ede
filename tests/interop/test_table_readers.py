"""DuckDB, polars and pandas read tables in every format alike, and a whole store survives Parquet to the bit."""

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas
import polars
import pyarrow.parquet
import pytest

import xortrain
from xortrain.bridges import parquet
from xortrain.commands.export import export
from xortrain.records import columns
from xortrain.records.index import listing
from xortrain.records.reader import RecordReader

pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("ignore:.*float_precision")]
STORED = Path(__file__).parents[1] / "records"
Rows = list[dict[Any, Any]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a store of records: those of an older version, and some of this one that differ in shapes and types."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        shutil.copytree(STORED, folder / "outputs")
        small = ("film=none", "epochs=4")
        xortrain.sweep(*small, "lr=0.1,1e200", "batch_size=2,null", "activation=relu,leaky_relu", "name=a run, named")
        xortrain.sweep(*small, "data=circle", "data.test=0.25", "dtype=float32", "seed=range(0,5)", "tags=[x,y]")
        xortrain.sweep(*small, "architecture.hidden=[3,2]", "init.set.W1.0.1=-2,0.1", "optimizer=sgd,adam")
        yield folder


def by_duckdb(path: Path) -> Rows:
    read = {".csv": "read_csv", ".jsonl": "read_json", ".parquet": "read_parquet"}[path.suffix]
    options = {".csv": ", sample_size=-1, nullstr=''", ".jsonl": ", sample_size=-1", ".parquet": ""}[path.suffix]
    found = duckdb.connect().execute(f"select * from {read}('{path}'{options})")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def by_polars(path: Path) -> Rows:
    frame = {
        ".csv": lambda: polars.read_csv(path, infer_schema_length=None),
        ".jsonl": lambda: polars.read_ndjson(path, infer_schema_length=None),
        ".parquet": lambda: polars.read_parquet(path),
    }[path.suffix]()
    return frame.to_dicts()


def by_pandas(path: Path) -> Rows:
    frame = {
        ".csv": lambda: pandas.read_csv(path, float_precision="round_trip"),
        ".jsonl": lambda: pandas.read_json(path, lines=True, precise_float=True, dtype=False),
        ".parquet": lambda: pandas.read_parquet(path),
    }[path.suffix]()
    return [dict(row) for row in frame.to_dict("records")]


READERS: dict[str, Callable[[Path], Rows]] = {"duckdb": by_duckdb, "polars": by_polars, "pandas": by_pandas}


def plain(value: Any) -> Any:
    """Return a value as it is in every format: numbers as floats, times and flags as texts, nothing as None."""
    if value is None or value is pandas.NaT or (isinstance(value, float) and math.isnan(value)) or value == "":
        return None
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, int | float | np.number):
        return float(value)
    if hasattr(value, "isoformat"):
        return None  # DuckDB makes times of texts that look like them
    text = str(value)
    return {"True": "true", "False": "false"}.get(text, text)


@pytest.mark.parametrize("what", ["runs", "losses", "parameters"])
def test_all_readers_find_the_same_in_all_formats(store: Path, what: str, tmp_path: Path) -> None:
    tables = dict[str, Rows]()
    for ending in ("csv", "jsonl", "parquet"):
        path = tmp_path / f"all.{ending}"
        settings = ["--settings"] if what != "runs" and ending != "parquet" else []
        export(["--what", what, *settings, "--output", str(path)])
        for name, read in READERS.items():
            tables[f"{ending} by {name}"] = read(path)
    expected = tables.pop("parquet by polars")
    assert len({row["id"] for row in expected}) == sum(entry.runs for entry in listing(Path("outputs")).entries)
    for where, rows in tables.items():
        assert len(rows) == len(expected), where
        for row, own in zip(rows, expected, strict=True):
            assert set(row) == set(own), where
            for name, value in own.items():
                if name not in ("started", "ended"):
                    assert plain(row[name]) == plain(value), (where, name)


def test_a_whole_store_comes_back_from_parquet_to_the_bit(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "GROUP_ROWS", 7)
    found = dict[str, Any]()
    for what in ("runs", "losses", "parameters"):
        export(["--what", what, "--output", str(tmp_path / f"{what}.parquet")])
        found[what] = pyarrow.parquet.read_table(tmp_path / f"{what}.parquet")
        assert pyarrow.parquet.ParquetFile(tmp_path / f"{what}.parquet").num_row_groups > 1
    runs, names = found["runs"].to_pylist(), found["runs"].column_names
    expected = list[dict[str, Any]]()
    losses, parameters = (grouped(found[what]) for what in ("losses", "parameters"))
    for entry in listing(Path("outputs")).entries:
        for part in entry.parts:
            record = RecordReader(part.folder, part.metadata)
            rows = [dict(zip(names, row, strict=True)) for row in columns.run_rows(entry, part, names)]
            expected += rows
            curves = {"loss": record.of_runs("losses", slice(None), or_nan=True)}
            if record.metadata["has_test"]:
                curves["test_loss"] = record.of_runs("test-losses", slice(None), or_nan=True)
            theta = record.of_runs("parameters", slice(None), or_nan=True)
            for k, row in enumerate(rows):
                for name, values in curves.items():
                    same_bits(losses[row["id"]], record.loss_epochs, [name], values[:, None, k])
                done = row["epochs_done"]
                epochs = record.frame_epochs if done is None else np.minimum(record.frame_epochs, done)
                same_bits(parameters[row["id"]], epochs, record.parameter_names, theta[..., k])
    assert [{k: (type(v), v) for k, v in row.items()} for row in runs] == [
        {k: (type(v), v) for k, v in as_typed(row, found["runs"]).items()} for row in expected
    ]


def grouped(table: Any) -> dict[str, Rows]:
    groups = dict[str, Rows]()
    for row in table.to_pylist():
        groups.setdefault(row["id"], []).append(row)
    return groups


def same_bits(rows: Rows, epochs: Any, names: list[str], values: Any) -> None:
    """Compare the rows of a run with its array (recorded, names), whose last ones may be nan, or of its last epoch."""
    assert [row["epoch"] for row in rows] == epochs[: len(rows)].tolist()
    back = np.array([[np.nan if row[name] is None else row[name] for name in names] for row in rows], values.dtype)
    np.testing.assert_array_equal(back, values[: len(rows)])
    repeats = epochs[len(rows) :] == epochs[len(rows) - 1]
    np.testing.assert_array_equal(values[len(rows) :][repeats], values[[len(rows) - 1] * repeats.sum()])
    assert np.isnan(values[len(rows) :][~repeats]).all()


def as_typed(row: dict[str, Any], table: Any) -> dict[str, Any]:
    """Return a row in which whole numbers are floats where some other run has a float."""
    is_float = {field.name: pyarrow.types.is_floating(field.type) for field in table.schema}
    return {k: float(v) if is_float[k] and type(v) is int else v for k, v in row.items()}


def test_columns_have_their_own_types(store: Path, tmp_path: Path) -> None:
    export(["--what", "runs", "--output", str(tmp_path / "runs.parquet")])
    schema = {f.name: str(f.type) for f in pyarrow.parquet.read_schema(tmp_path / "runs.parquet")}
    kinds = {
        "id": "string", "lr": "double", "seed": "int64", "solved_at": "int64", "shuffle": "bool", "tags": "string",
        "batch_size": "int64", "final_loss": "double", "parent": "string", "W1[0, 1]": "double", "dtype": "string",
    }  # fmt: skip
    assert {name: schema[name] for name in kinds} == kinds


def test_an_answer_to_a_query_has_types_too(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "q.parquet"
    export(
        [
            "--sql",
            "select activation, count(*) n, avg(lr) rate, null unknown from runs group by 1",
            "--output",
            str(path),
        ]
    )
    kinds = [str(field.type) for field in pyarrow.parquet.read_schema(path)]
    assert kinds == ["string", "int64", "double", "null"]
