"""CSV tables are read exactly, targets are chosen by name or number, and invalid tables are one-line errors."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_runs import assert_same_bits, some_setup, trained

from xortrain.config.compose import compose
from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.runner.train import record_run
from xortrain.setup.csv_table import read_table
from xortrain.setup.run_setup import Setup
from xortrain.trained.opening import open_trained
from xortrain.trained.run_data import RunData
from xortrain.views.run_film import film_data
from xortrain.views.summary import summary

pytestmark = pytest.mark.usefixtures("quick_composition")
MIDPOINT = {"loss": "mse", "success": "midpoint"}
XOR = "0,0,0\n0,1,1\n1,0,1\n1,1,0\n"


def table(folder: Path, text: str | bytes, name: str = "table.csv") -> str:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def from_table(path: str, loss: Any = "mse", **keys: Any) -> Setup:
    return some_setup(data=("csv", {"path": path} | keys), loss=loss, success="tolerance")


def numbers(setup: Setup) -> tuple[Any, Any]:
    return setup.train.x.tolist(), setup.train.t[..., 0].tolist()


@pytest.mark.parametrize(
    "text",
    [
        XOR,
        "a,b,out\n" + XOR,
        "\ufeffa,b,out\n" + XOR,
        XOR.replace("\n", "\r\n"),
        XOR + "\n\n",
        XOR.replace(",", ", "),
        '"0","0","0"\n0,1,1.0\n1,0,1e0\n1,+1,0',
    ],
)
def test_a_header_is_optional_and_any_line_ending_is_read(tmp_path: Path, text: str) -> None:
    assert numbers(from_table(table(tmp_path, text))) == ([[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]])


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("kinds", [k for n in (2, 3, 4) for k in product(("decimal", "word", "whole"), repeat=n)])
def test_decimal_commas_never_divide_a_table_that_has_another_separator(
    tmp_path: Path, kinds: tuple[str, ...], separator: str
) -> None:
    """Also where every line has one of them, as it has of a separator."""
    cells = {
        "decimal": ["-0,5", "1,714", "0,25", "12,5"],
        "word": ["red", "dark blue", "red", "no"],
        "whole": list("7120"),
    }
    for names in (["width (cm)", "loss", "x", "kind"], ["a,b", "loss", "x", "kind"]):
        rows = [names[: len(kinds)], *([cells[kind][row] for kind in kinds] for row in range(4))]
        path = tmp_path / "table.csv"
        path.write_text("".join(separator.join(row) + "\n" for row in rows))
        found = read_table("table.csv", path)
        assert found.has_header or "decimal" not in kinds
        if found.has_header:
            assert found.names == tuple(rows[0])
        assert [list(row) for row in zip(*found.columns, strict=True)] == rows[found.has_header :]


@pytest.mark.parametrize(
    ("targets", "places"),
    [
        ([], [3]),
        (["b"], [1]),
        (["c", "a"], [2, 0]),
        (["0"], [0]),
        (["-1"], [3]),
        (["-4", "d"], [0, 3]),
        (["1", "a"], [1, 0]),
    ],
)
def test_targets_are_chosen_by_name_or_number_the_last_column_by_default(
    tmp_path: Path, targets: list[str], places: list[int]
) -> None:
    rows = np.arange(12).reshape(3, 4)
    text = "a, b ,c,d\n" + "\n".join(",".join(map(str, row)) for row in rows)
    setup = from_table(table(tmp_path, text), targets=targets)
    np.testing.assert_array_equal(setup.train.t[..., 0], rows[:, places])
    np.testing.assert_array_equal(setup.train.x, np.delete(rows, places, axis=1))


def test_a_first_line_with_a_number_is_not_a_header(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"line 1, column 0: 'x' is not a finite number; add data\.header=true"):
        from_table(table(tmp_path, "x,0,1\n1,2,3\n"))


def test_classes_in_a_table_become_one_hot(tmp_path: Path) -> None:
    setup = from_table(table(tmp_path, "5,0\n6,2\n7,1\n"), loss="cross_entropy")
    np.testing.assert_array_equal(setup.train.t[..., 0], [[1, 0, 0], [0, 0, 1], [0, 1, 0]])


@given(rows=st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=1))
def test_numbers_are_read_exactly(tmp_path_factory: pytest.TempPathFactory, rows: list[list[float]]) -> None:
    path = Path(table(tmp_path_factory.getbasetemp(), "\n".join(",".join(map(repr, row)) for row in rows)))
    found = read_table("data.path", path)
    assert found.names == ("0", "1", "2")
    np.testing.assert_array_equal(np.array(found.columns, float).T, rows)


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "no rows"),
    "only a header": ("a,b,c\n", "no rows"),
    "ragged": ("0,0,0\n0,1\n", "line 2 has 2 values"),
    "ragged under a header": ("a,b,c\n0,0,0\n0,1,1,1\n", "line 3 has 4 values"),
    "not numeric": ("0,0,0\n0,one,1\n", "line 2, column 1: 'one' is not a finite number"),
    "an empty cell": ("0,0,0\n0,,1\n", "line 2, column 1: '' is a missing value; add data.missing=drop"),
    "nan": ("a,b,c\n0,nan,0\n", "line 2, column b: 'nan' is a missing value"),
    "infinite": ("a,b,c\n0,0,1e999\n", "line 2, column c: '1e999' is not a finite number"),
    "one column": ("0\n1\n", "1 column"),
    "not text": (b"\xff\xfe\x00\x01\x02", "cannot be read"),
    "a quote that never ends": ('0,0,0\n"' + 200_000 * "1", "cannot be read"),
    "grouped digits": ("0,0,0\n0,1_000,1\n", "line 2, column 1: '1_000' is not a finite number"),
    "nan alone in the first line": ("nan,nan,inf\n0,0,1\n", "line 1, column 0: 'nan' is a missing value"),
    "NUL characters": ("0,0,0\n0,\0,1\n", "cannot be read (it has NUL characters"),
    "too many columns": ("1," * 1_000_000 + "1\n", "more than 256 columns"),
    "a huge cell": ("a,b\n1,2\n" + 200_000 * "1" + ",3\n", "cannot be read (field larger"),
    "a long category": ("a,b\n1,2\n" + 200 * "x" + ",3\n" + 200 * "y" + ",3\n", "longer than 100 characters"),
    "two decimals": ("1.5;2\n2,5;3\n", "line 2 has a decimal comma, '2,5', and line 1 a decimal point, '1.5'"),
    "commas in numbers": (
        '"1,5",2\n"2,5",3\n',
        "signs or marks between thousands, and a decimal point",
    ),
    "two names alike": ("a,a,b\n1,2,3\n", "line 1 has two columns 'a'"),
    "one class": ("1,yes\n2,yes\n", "the target 1 has only one class, 'yes'"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_table_is_a_one_line_error(tmp_path: Path, kind: str) -> None:
    text, expected = BROKEN[kind]
    path = table(tmp_path, text)
    with pytest.raises(UserError) as caught:
        from_table(path)
    assert str(caught.value).startswith(f"data.path={path}: ")
    assert expected in str(caught.value)


@pytest.mark.parametrize("digits", ["١", "0x10", "1.0.0"])
def test_unusual_numerals_are_read_or_refused_without_a_traceback(tmp_path: Path, digits: str) -> None:
    path = table(tmp_path, f"a,b\n{digits},1\n2,0\n")
    try:
        assert from_table(path).train.x[0, 0] == float(digits)
    except UserError as error:
        assert digits in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["d"], "no such column"),
        (["3"], "no such column"),
        (["-4"], "no such column"),
        (["--1"], "no such column"),
        (["²"], "no such column"),
        (["a", "0"], "twice"),
        (["a", "b", "c"], "no column for the inputs"),
    ],
)
def test_invalid_targets_are_refused(tmp_path: Path, targets: list[str], expected: str) -> None:
    path = table(tmp_path, "a,b,c\n" + XOR)
    with pytest.raises(UserError, match=r"data\.targets=.*" + expected):
        from_table(path, targets=targets)


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        ("0,0.5\n1,1\n2,0\n", MIDPOINT, "success=midpoint: requires targets with two values, not 3"),
        ("0,1\n1,1\n", MIDPOINT, "success=midpoint: requires targets with two values, not 1"),
        ("0,0.5\n1,1\n2,0\n", {"loss": "cross_entropy"}, "requires classes, and 1 has 0.5; add loss=mse"),
        ("0,1\n1,1\n", {"loss": "cross_entropy"}, "requires from 2 to 256 classes, but these are 1"),
        ("0,0\n1,2\n2,3\n", {"loss": "bce"}, "loss=bce: requires targets from 0 to 1, .*; add loss=mse"),
        ("0,a\n1,b\n2,c\n", {"loss": "bce"}, "loss=bce: the target 1 has 3 classes; add loss=cross_entropy"),
        ("0,a\n1,b\n2,c\n", {"loss": "hinge"}, "loss=hinge: the target 1 has 3 classes; add loss=cross_entropy"),
        ("0,0\n1,1\n2,2\n", {"loss": "hinge"}, "loss=hinge: requires targets -1 and 1, .*; add loss=mse"),
    ],
)
def test_targets_must_match_the_loss_and_the_success_rule(
    tmp_path: Path, text: str, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(UserError, match=expected):
        some_setup(data=("csv", {"path": table(tmp_path, text)}), **changes)


def test_a_folder_or_a_missing_file_is_an_error(tmp_path: Path) -> None:
    for path, message in ((tmp_path, "is a folder"), (tmp_path / "nowhere.csv", "no such file")):
        with pytest.raises(UserError, match=message):
            from_table(str(path))


def test_a_table_is_read_once_for_any_number_of_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, opened = table(tmp_path, "\n".join(f"{k},{k % 2}" for k in range(20))), list[Path]()
    original_open = Path.open

    def count_open(file: Path, *how: Any, **more: Any) -> Any:
        opened.append(file)
        return original_open(file, *how, **more)

    monkeypatch.setattr(Path, "open", count_open)
    seeds = {"data.seed": np.arange(5, dtype=np.uint32)}
    setup = some_setup(seeds, data=("csv", {"path": path, "test": 0.5}), loss="mse", success="tolerance")
    assert opened.count(Path(path)) == 1  # what else is read, once for all tests, depends on their order
    alone = from_table(path, test=0.5, seed=3)
    np.testing.assert_array_equal(setup.train.x[..., 3], alone.train.x)


@pytest.mark.parametrize(
    ("header", "loss", "inputs", "outputs"),
    [
        ("", "mse", (), ()),
        ("left,right,is odd\n", "mse", ("left", "right"), ("is odd",)),
        ("left,right,odd\n", "cross_entropy", ("left", "right"), ("odd=0", "odd=1")),
        ("a\x1b[31m,,odd\n", "mse", ("a[31m", "?"), ("odd",)),
    ],
)
def test_a_header_names_inputs_and_outputs_in_record_summary_and_film(
    tmp_path: Path, header: str, loss: str, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> None:
    path = table(tmp_path, header + XOR)
    words = [f"data.path={path}", "data=csv", f"loss={loss}", f"root={tmp_path}/out", "film=none", "epochs=3"]
    recorded = record_run(compose(words)).trained
    assert recorded.folder
    for found in (recorded, open_trained(recorded.folder)):
        columns = found.setup.columns
        assert (columns.inputs, columns.outputs) == (inputs, outputs)
        assert columns == recorded.setup.columns
        assert columns.line.startswith("table.csv: 4 rows")
        assert summary(RunData(found)).splitlines()[-5].split("  ")[0].strip() == (inputs or ["x1"])[0]
        shown = film_data(found)
        names = columns.classes if loss == "cross_entropy" else outputs
        assert (tuple(shown.input_names), tuple(shown.output_names)) == (inputs, names)


NAMES = {"inputs": ["a", "b"], "outputs": ["c"]}
ODD_COLUMNS: list[Any] = [
    [],
    3,
    NAMES | {"inputs": ["a"]},
    NAMES | {"inputs": [1, 2]},
    NAMES | {"outputs": "c"},
    NAMES | {"classes": ["0"]},
    NAMES | {"classes": ["0", "1", "2"]},
    NAMES | {"line": 3},
    NAMES | {"width": -1},
    NAMES | {"width": 10**9},
    NAMES | {"width": 2, "sources": [{"name": "a", "place": 0, "kinds": []}]},
    NAMES | {"width": 2, "sources": [{"name": "a", "place": 2, "kinds": ["x", "y"]}]},
    NAMES | {"width": 2, "sources": [{"name": "a", "place": 0, "kinds": ["x", "x"]}]},
    NAMES | {"width": 2, "sources": [3, 4]},
    NAMES | {"width": 2, "sources": [{"name": "a", "place": 0, "kinds": []}] * 10_000},
]


@pytest.mark.parametrize("columns", ODD_COLUMNS, ids=range(len(ODD_COLUMNS)))
def test_invalid_column_names_in_a_record_are_refused(tmp_path: Path, columns: Any) -> None:
    path = table(tmp_path, "left,right,odd\n" + XOR)
    folder = record_run(compose(["data=csv", f"data.path={path}", f"root={tmp_path}/out", "film=none"])).folder
    assert folder
    metadata = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps(metadata | {"columns": columns}))
    with pytest.raises(UserError, match="columns: must be names that fit its inputs and outputs"):
        open_trained(folder)


def test_a_table_trains_like_the_built_in_data_set_with_the_same_examples(tmp_path: Path) -> None:
    by_mean = some_setup(loss=("bce", {"reduction": "mean"}))
    assert_same_bits(trained(some_setup(data=("csv", {"path": table(tmp_path, XOR)}))), trained(by_mean))


def test_numbers_that_overflow_the_dtype_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "1e300,0\n0,1\n")
    from_table(path)
    with pytest.raises(UserError, match="dtype=float32"):
        some_setup(data=("csv", {"path": path}), dtype="float32")


def inputs_of(x: Array) -> set[float]:
    return set(x[:, 0].tolist())


def test_the_data_seed_determines_the_split(tmp_path: Path) -> None:
    path = table(tmp_path, "\n".join(f"{k},{k % 2}" for k in range(20)))
    one, two, again = (from_table(path, test=0.5, seed=seed) for seed in (1, 2, 1))
    assert one.test is not None
    assert inputs_of(one.train.x) | inputs_of(one.test.x) == set(range(20))
    assert inputs_of(one.train.x) == inputs_of(again.train.x)
    assert inputs_of(one.train.x) != inputs_of(two.train.x)


def test_a_success_rule_uses_all_targets_of_the_table(tmp_path: Path) -> None:
    """The only target 1 is a training example in some runs and held out in others."""
    path = table(tmp_path, "0,0\n1,0\n2,1\n3,0\n")
    setup = some_setup({"data.seed": np.arange(8)}, data=("csv", {"path": path, "test": 0.25}))
    ones = setup.train.t.max(axis=(0, 1))
    assert set(ones) == {0, 1}
    rule = setup.task().success
    assert (rule.low == 0).all()
    assert (rule.high == 1).all()
