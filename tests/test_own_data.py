"""What people have in files is read as the same arrays however it is written, and the loss is the one that fits."""

import csv
import io
import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from some_runs import some_config, some_setup

import xortrain
from xortrain.advice.candidates import candidates
from xortrain.cli import main
from xortrain.config.compose import compose
from xortrain.errors import UserError
from xortrain.films.colour_scale import colour_scale
from xortrain.runner.train import record_run
from xortrain.setup.csv_table import MISSING
from xortrain.setup.own_data import own_data
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.views.run_film import film_data

pytestmark = pytest.mark.usefixtures("quick_composition")
NUMBERS = np.array([[1.5, 20.0, -3.25], [0.25, 3.0, 1e-3], [2.75, 7.0, 4.5], [-1.5, 1.0, 0.0]])
WORDS = ["red", "blue", "red", "green"]
LABELS = ["yes", "no", "no", "yes"]


def setup_of(path: Path, loss: str = "auto", **keys: Any) -> Setup:
    return some_setup(data=("csv", {"path": str(path)} | keys), loss=loss, success="tolerance")


def write(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def written(
    separator: str,
    comma: bool,
    header: bool,
    quotes: bool,
    encoding: str,
    newline: str,
    index: int | None,
    missing: str,
) -> bytes:
    """The same table in one of many ways; with ``missing`` it has one more row, in which that stands for a number."""
    rows = [[*map(str, row), word, label] for row, word, label in zip(NUMBERS.tolist(), WORDS, LABELS, strict=True)]
    if missing != "none":
        rows.insert(2, ["3.5", missing, "1.5", "red", "yes"])
    rows = [[cell if cell == missing or not comma else cell.replace(".", ",") for cell in row] for row in rows]
    names = ["a", "b", "c d", "colour", "well"]
    if index is not None:
        rows, names = [[str(index + k), *row] for k, row in enumerate(rows)], ["id", *names]
    file = io.StringIO()
    quoting: Any = csv.QUOTE_ALL if quotes else csv.QUOTE_MINIMAL
    writer = csv.writer(file, delimiter=separator, quoting=quoting, lineterminator=newline)
    writer.writerows([names, *rows] if header else rows)
    return file.getvalue().encode(encoding)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    separator=st.sampled_from([",", ";", "\t", " "]),
    comma=st.booleans(),
    header=st.booleans(),
    quotes=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    index=st.sampled_from([None, 0, 1]),
    missing=st.sampled_from(["none", *MISSING, "NaN", "Null"]),
)
def test_the_same_table_is_read_however_it_is_written(tmp_path: Path, **how: Any) -> None:
    how["comma"] &= how["separator"] != ","
    how["index"] = how["index"] if how["header"] else None
    if how["separator"] == " " and not how["missing"]:
        how["missing"] = "?"
    setup = setup_of(write(tmp_path, written(**how)), missing="drop" if how["missing"] != "none" else "error")
    one_hot = np.array([[word == kind for kind in ("blue", "green", "red")] for word in WORDS], float)
    np.testing.assert_array_equal(setup.train.x, np.hstack([NUMBERS, one_hot]))
    np.testing.assert_array_equal(setup.train.t[:, 0, 0], [label == "yes" for label in LABELS])
    assert setup.columns.classes == ("no", "yes")
    assert setup.population.config["loss"]["name"] == "bce"
    if how["header"]:
        assert setup.columns.inputs == ("a", "b", "c d", "colour=blue", "colour=green", "colour=red")
    assert ("left out: column id" in setup.columns.line) == (how["index"] is not None)
    assert ("dropped 1 row" in setup.columns.line) == (how["missing"] != "none")


def one_column(cells: list[str], separator: str) -> str:
    """A table in which these cells are the column a, between numbers."""
    point = "," if separator == ";" else "."
    lines = [f'{k}{point}5{separator}"{cell}"{separator}{k}' for k, cell in enumerate(cells, 1)]
    return "\n".join([separator.join(["b", "a", "t"]), *lines])


@pytest.mark.parametrize(
    ("cells", "separator", "numbers"),
    [
        (["−1.5", "−2", "+3"], ",", [-1.5, -2, 3]),
        (["−1,5", "2e−3", "- 3"], ";", [-1.5, 0.002, -3]),
        (["1 234", "12\u00a0345.5", "−1\u202f234\u2009567"], ",", [1234, 12345.5, -1234567]),
        (["1 234,5", "\u00a07\u00a0", " 8 "], ";", [1234.5, 7, 8]),
    ],
)
def test_minus_signs_and_spaces_of_typography_are_read(
    tmp_path: Path, cells: list[str], separator: str, numbers: list[float]
) -> None:
    path = write(tmp_path, one_column(cells, separator))
    np.testing.assert_array_equal(setup_of(path, "mse").train.x[:, 1], numbers)
    np.testing.assert_array_equal(setup_of(path, "mse", targets=["a"]).train.t[:, 0, 0], numbers)


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize(
    "cells",
    [
        ["1'234", "5’678", "9'012"],
        ["$1", "$2", "-$3"],
        ["1 €", "2 €", "3 €"],
        ["1%", "2 %", "3‰"],
        ["(5)", "(7)", "7"],
        ["$1", "−2", "word"],
        ["1,234,567", "2,345,678", "3,456,789"],
        ["1.234,5", "2.345,6", "3.456,7"],
        ["\u200b1", "\u200b2", "\u200b3"],
    ],
)
def test_numbers_with_signs_never_become_categories(tmp_path: Path, cells: list[str], separator: str) -> None:
    path = write(tmp_path, one_column(cells, separator))
    for targets in (["t"], ["a"]):
        with pytest.raises(UserError, match=r"line [24], column a: .* is not a finite number; write "):
            setup_of(path, targets=targets)
    assert len(setup_of(path, categorical=["a"]).columns.inputs) == 4


def test_decimal_commas_where_commas_separate_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'1,5' is not .* write digits without .* thousands, and a decimal point$"):
        setup_of(write(tmp_path, one_column(["1,5", "2,5", "3,5"], ",")))


@pytest.mark.parametrize("cells", [["12 34", "1 2", "123 4567"], ["1st", "2nd", "1st"], ["1-2", "3-4", "1-2"]])
def test_words_with_digits_are_categories(tmp_path: Path, cells: list[str]) -> None:
    assert len(setup_of(write(tmp_path, one_column(cells, ","))).columns.inputs) == 1 + len(set(cells))


@pytest.mark.parametrize("first", ["sep={}", '"sep={}"', "SEP={}", "sep={0}{0}{0}"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_first_line_of_excel_names_the_separator(tmp_path: Path, first: str, separator: str) -> None:
    rows = ["a b", "t"], ["1", "0"], ["x y", "0"], ["3", "1"], ["4", "0"]
    text = first.format(separator) + "\r\n" + "\r\n".join(separator.join(row) for row in rows)
    with pytest.raises(UserError, match=r"line 4, column a b: 'x y' is not a finite number; write NA if"):
        setup_of(write(tmp_path, text))


@pytest.mark.parametrize("ends", ["{},", "{},,,", "{}, , "])
@pytest.mark.parametrize("of_header", [True, False])
def test_separators_at_the_end_of_every_line_are_no_columns(tmp_path: Path, ends: str, of_header: bool) -> None:
    header, *rows = ["a,b,t", "1,2,0", "2,3,1", "3,5,0"]
    lines = [ends.format(header) if of_header else header, *(ends.format(row) for row in rows), ",,"]
    setup = setup_of(write(tmp_path, "\n".join(lines)))
    np.testing.assert_array_equal(setup.train.x, [[1, 2], [2, 3], [3, 5]])
    assert setup.columns.inputs == ("a", "b")


@pytest.mark.parametrize(
    ("text", "keys", "advice"),
    [
        ("a,a,t\n1,2,0\n2,3,1\n", {}, r"two columns 'a'; rename one$"),
        ("a,a,b\nb,c,a\nc,b,c\n", {"header": "true"}, r"two columns 'a'; rename one, or add data\.header=false$"),
        ("a,b\n1,0\n2,1\n", {"header": "false"}, r"'a' is not a finite number; leave out data\.header=false if line"),
        ("$1,0,1\n$2,1,0\n", {}, r"'\$1' is not a finite number; write digits without signs"),
        ("1,0\n2,1\n-,0\n", {}, r"'-' is not a finite number; write NA if it stands for a missing value$"),
    ],
)
def test_advice_on_a_table_is_such_that_it_helps(tmp_path: Path, text: str, keys: dict[str, Any], advice: str) -> None:
    with pytest.raises(UserError, match=advice):
        setup_of(write(tmp_path, text), **keys)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_columns_with_one_value_are_said(tmp_path: Path, rows: int) -> None:
    """The first row has a missing value and is left out, so that what differs in it does not count."""
    text = "\n".join(["blue,2,,9", *(f"red,1,{k},{k / 2}" for k in range(rows))])
    line = setup_of(write(tmp_path, f"hue,floor,size,t\n{text}\n"), missing="drop", header="true").columns.line
    assert ("inputs hue (always red), floor (always 1), size; target t" in line) == (rows > 1)
    assert ("always" in line) == (rows > 1)


def test_categories_that_tell_every_row_from_the_others_are_said(tmp_path: Path) -> None:
    rows = "".join(f"2024-01-0{k},{'xy'[k % 2]},{k}.5\n" for k in range(1, 6))
    line = setup_of(write(tmp_path, f"day,kind,t\n{rows}")).columns.line
    assert "inputs day (5 categories, one for each row), kind (2 categories); target t: numbers" in line


@pytest.mark.parametrize("before", ["", "  "])
def test_runs_of_blanks_separate(tmp_path: Path, before: str) -> None:
    lines = [before + "   ".join(f"{value:8}" for value in row) + " " for row in NUMBERS.tolist()]
    setup = setup_of(write(tmp_path, "\n".join(lines)))
    np.testing.assert_array_equal(setup.train.x, NUMBERS[:, :2])


HEADERS: dict[str, tuple[str, str, int]] = {
    "words over numbers": ("a,b,c\n1,2,0\n2,3,1\n", "auto", 2),
    "pandas without names": ("0,1,2\n1.5,2,0\n2,3.5,1\n", "auto", 2),
    "pandas with its index": (",0,1,2\n0,1.5,2,0\n1,2,3.5,1\n", "auto", 2),
    "whole numbers over whole numbers": ("0,1,2\n1,2,0\n2,3,1\n", "auto", 3),
    "whole numbers that are said to be names": ("0,1,2\n1,2,0\n2,3,1\n", "true", 2),
    "numbers that do not count": ("1,2,3\n1.5,2,0\n2,3.5,1\n", "auto", 3),
    "texts that come again": ("red,big,yes\nblue,big,no\nred,small,yes\nblue,big,no\n", "auto", 4),
    "texts that do not": ("hue,size,well\nblue,big,no\nred,small,yes\nblue,big,no\n", "auto", 3),
    "texts that are said to be none": ("hue,size,yes\nblue,big,no\nred,small,yes\nblue,big,no\n", "false", 4),
    "iris": ("5.1,3.5,setosa\n4.9,3.1,virginica\n5.0,2.5,setosa\n", "auto", 3),
    "R's row names": ("a b c\nx 1 2 0\ny 3 4 1\n", "auto", 2),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_a_header_is_recognised_or_said(tmp_path: Path, kind: str) -> None:
    text, header, rows = HEADERS[kind]
    setup = setup_of(write(tmp_path, text), header=header)
    assert len(setup.train.x) == rows
    assert f": {rows} rows;" in setup.columns.line.replace(" without a header", "")
    said = "data.header=true" in setup.columns.line
    assert said == (kind in ("whole numbers over whole numbers", "iris", "texts that come again"))


@pytest.mark.parametrize(
    ("text", "keys", "inputs"),
    [
        ("id,a,t\n1,5,0\n2,6,1\n3,7,0\n", {}, ("a",)),
        (",a,t\n0,5,0\n1,6,1\n2,7,0\n", {}, ("a",)),
        ("Index,a,t\n0,5,0\n1,6,1\n", {}, ("a",)),
        ("id,a,t\n1,5,0\n3,6,1\n2,7,0\n", {}, ("id", "a")),
        ("n,a,t\n1,5,0\n2,6,1\n3,7,0\n", {}, ("n", "a")),
        ("id,t\n1,0\n2,1\n3,0\n", {}, ("id",)),
        ("id,a,t\n1,5,0\n2,6,1\n3,7,0\n", {"inputs": ["id"]}, ("id",)),
        ("a,b,c,t\n1,5,8,0\n2,6,9,1\n", {"inputs": ["c", "0"]}, ("c", "a")),
        ("a,t,id\n5,0,1\n6,1,2\n7,0,3\n", {}, ("a",)),
    ],
)
def test_an_index_is_left_out_unless_it_is_chosen(
    tmp_path: Path, text: str, keys: dict[str, Any], inputs: tuple[str, ...]
) -> None:
    setup = setup_of(write(tmp_path, text), **keys)
    assert setup.columns.inputs == inputs
    assert set(setup.train.t.ravel()) == {0, 1}


CLASSES: dict[str, tuple[list[Any], str, tuple[str, ...]]] = {
    "texts": (["b", "a", "c", "a"], "cross_entropy", ("a", "b", "c")),
    "booleans": (["True", "False", "True"], "bce", ("False", "True")),
    "two numbers": ([7.5, 2, 7.5], "bce", ("2", "7.5")),
    "1, 2, 3, each twice": ([1, 2, 3, 3, 2, 1], "cross_entropy", ("1", "2", "3")),
    "a whole number that is there once": ([1, 2, 3, 3, 2, 4], "mse", ()),
    "eleven whole numbers": ([*range(11), *range(11)], "mse", ()),
    "decimals": ([0.5, 1.5, 2.5, 0.5, 1.5, 2.5], "mse", ()),
}


@pytest.mark.parametrize("kind", CLASSES)
def test_the_loss_is_the_one_that_fits_and_an_explicit_one_decides(tmp_path: Path, kind: str) -> None:
    values, loss, names = CLASSES[kind]
    path = write(tmp_path, "a,t\n" + "".join(f"{k},{value}\n" for k, value in enumerate(values)))
    setup = setup_of(path)
    assert (setup.population.config["loss"]["name"], setup.columns.classes) == (loss, names)
    if loss == "cross_entropy":
        found = [setup.columns.classes[k] for k in setup.train.t[..., 0].argmax(axis=1)]
        assert found == [str(value) for value in values]
    if loss == "bce":
        assert setup.train.t.ravel().tolist() == [str(value) == names[1] for value in values]
        signs = setup_of(path, "hinge").train.t.ravel()
        np.testing.assert_array_equal(signs, 2 * setup.train.t.ravel() - 1)
    if not isinstance(values[0], str):
        np.testing.assert_array_equal(setup_of(path, "mse").train.t.ravel(), values)


def test_several_targets_are_one_hot_classes_labels_or_numbers(tmp_path: Path) -> None:
    for rows, loss in (
        ("1,0,0 0,1,0 0,0,1", "cross_entropy"),
        ("1,0,0 1,1,0 0,0,1", "bce"),
        ("1,0.5,0 1,1,0.2 0,0,1", "mse"),
    ):
        text = "x,a,b,c\n" + "\n".join(f"{k},{row}" for k, row in enumerate(rows.split()))
        setup = setup_of(write(tmp_path, text), targets=["a", "b", "c"])
        assert setup.population.config["loss"]["name"] == loss
        assert setup.columns.outputs == ("a", "b", "c")


@pytest.mark.parametrize("loss", ["auto", "bce", "mse"])
def test_a_record_says_which_loss_and_output_it_had(tmp_path: Path, loss: str) -> None:
    for data in (("csv", {"path": str(write(tmp_path, "a,t\n1,0\n2,1\n"))}), "xor"):
        run = record_run(some_config(data=data, loss=loss, root=str(tmp_path / "out"), epochs=2))
        assert run.folder
        config = json.loads((run.folder / "record.json").read_text())["config"]
        expected = {"auto": "bce"}.get(loss, loss)
        assert config["loss"]["name"] == expected
        assert config["output"] == {"name": {"bce": "sigmoid", "mse": "identity"}[expected]}
        again = xortrain.load(run.folder)
        assert again.config == run.config


def test_loss_auto_has_the_reduction_but_no_setting_of_one_loss(tmp_path: Path) -> None:
    path = write(tmp_path, "a,t\n1,0\n2,1\n")
    words = ["data=csv", f"data.path={path}", "epochs=1"]
    assert xortrain.train(*words, "loss.reduction=sum").config["loss"]["reduction"] == "sum"
    assert xortrain.train(*words, "loss=bce").config["loss"]["reduction"] == "mean"
    with pytest.raises(UserError, match=r"^loss\.delta=1: is a setting of loss=huber, not of loss=auto"):
        xortrain.train(*words, "loss.delta=1")


def test_a_file_is_read_once_however_many_populations_a_sweep_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, opened = write(tmp_path, "a,t\n1,0\n2,1\n"), list[Path]()
    original = Path.open

    def count_open(file: Path, *how: Any, **more: Any) -> Any:
        opened.append(file)
        return original(file, *how, **more)

    monkeypatch.setattr(Path, "open", count_open)
    words = ["-m", "data=csv", f"data.path={path}", "activation=tanh,sigmoid", "epochs=2,3", "film=none"]
    assert not main([*words, f"root={tmp_path}/out"])
    assert opened.count(path) == 1
    assert capsys.readouterr().out.count("table.csv: 2 rows; input a; target t: 0, 1") == 1
    write(tmp_path, "a,t\n1,0\n2,1\n3,1\n")
    assert len(setup_of(path).train.x) == 3


def test_the_line_of_what_was_understood_is_short_and_keeps_both_ends(tmp_path: Path) -> None:
    names = [f"measurement {k}" for k in range(200)]
    text = ",".join([*names, "t"]) + "\n" + "\n".join(",".join([f"{k}.5"] * 200 + [str(k)]) for k in range(2))
    line = setup_of(write(tmp_path, text)).columns.line
    assert len(line) <= 300
    assert "measurement 0, " in line
    assert ", …, " in line
    assert "measurement 199; target t: 0, 1" in line


def test_summary_show_and_film_name_the_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{k},{kind}" for k, kind in enumerate(["dog", "cat", "cow"] * 4)]
    path = write(tmp_path, "size,animal\n" + "\n".join(rows))
    assert not main(["data=csv", f"data.path={path}", f"root={tmp_path}/out", "film=none", "advice=none", "epochs=3"])
    text = capsys.readouterr().out
    assert text.startswith("table.csv: 12 rows; input size; target animal: cat, cow, dog\n")
    assert "Right: cat " in text
    assert ["size", "target", "cat", "cow", "dog"] in [line.split() for line in text.splitlines()]
    assert not main(["show", "latest", "--root", f"{tmp_path}/out"])
    assert "data table.csv: 12 rows; input size" in capsys.readouterr().out


@pytest.mark.parametrize("keys", [*itertools.product(["error", "drop"], ["auto", "true"])], ids=str)
def test_reading_depends_on_all_settings(tmp_path: Path, keys: tuple[str, str]) -> None:
    path = write(tmp_path, "1,2,0\n3,4,1\n5,?,1\n")
    missing, header = keys
    chosen = some_config(data=("csv", {"path": str(path), "missing": missing, "header": header}))["data"]
    if missing == "error":
        with pytest.raises(UserError, match=r"line 3, column .: '\?' is a missing value"):
            own_data(chosen)
    else:
        found = own_data(chosen)
        assert len(found.x) == (2 if header == "auto" else 1)


TRAIN = "id,a,hue,kind\n1,1.5,red,x\n2,2,blue,y\n3,3,red,z\n4,1,red,x\n"


@pytest.mark.parametrize(
    "test",
    [
        "id,a,hue,kind\n9,4,blue,z\n8,5,red,x\n",
        "kind;hue;a\nz;blue;4,0\nx;red;5,0\n",
        "hue\tnote\tkind\ta\nblue\tnew\tz\t4\nred\told\tx\t5\n",
        "9,4,blue,z\n8,5,red,x\n",
    ],
)
def test_held_out_examples_of_a_second_file_have_the_columns_and_codes_of_the_first(tmp_path: Path, test: str) -> None:
    path, other = write(tmp_path, TRAIN), write(tmp_path, test, "test.csv")
    setup = setup_of(path, test_path=str(other))
    alone = setup_of(path)
    np.testing.assert_array_equal(setup.train.x, alone.train.x)
    np.testing.assert_array_equal(setup.train.t, alone.train.t)
    assert setup.test is not None
    np.testing.assert_array_equal(setup.test.x, [[4, 1, 0], [5, 0, 1]])
    np.testing.assert_array_equal(setup.test.t[..., 0], [[0, 0, 1], [1, 0, 0]])
    assert "held out: 2 rows of test.csv" in setup.columns.line


@pytest.mark.parametrize(
    ("test", "keys", "expected"),
    [
        (
            "id,a,hue,kind\n1,2,green,x\n",
            {},
            r"test\.csv: line 2, column hue: 'green' is not among the categories blue, red",
        ),
        ("id,a,hue,kind\n1,2,red,w\n", {}, r"held-out examples have the class 'w', which no training example has"),
        ("id,a,kind\n1,2,x\n", {}, r"test\.csv: has no column 'hue'"),
        ("1,2,x\n", {}, r"test\.csv: has 3 columns, data\.path has 4"),
        (
            "id,a,hue,kind\n1,,red,x\n",
            {},
            r"test\.csv: line 2, column a: '' is a missing value; add data\.missing=drop",
        ),
        ("id,a,hue,kind\n1,two,red,x\n", {}, r"test\.csv: line 2, column a: 'two' is not a finite number"),
        ("id,a,hue,kind\n1,2,red,x\n", {"test": 0.5}, r"^data\.test=0\.5: these data have held-out examples"),
    ],
)
def test_a_second_file_that_does_not_fit_the_first_is_refused(
    tmp_path: Path, test: str, keys: dict[str, Any], expected: str
) -> None:
    path, other = write(tmp_path, TRAIN), write(tmp_path, test, "test.csv")
    with pytest.raises(UserError, match=expected):
        setup_of(path, test_path=str(other), **keys)


def test_numbers_of_a_class_that_no_training_example_has_are_refused(tmp_path: Path) -> None:
    path, other = write(tmp_path, "a,t\n1,0\n2,1\n"), write(tmp_path, "a,t\n1,2\n", "test.csv")
    with pytest.raises(UserError, match=r"held-out examples have the class 2, which no training example has"):
        setup_of(path, test_path=str(other))
    assert setup_of(path, "mse", test_path=str(other)).test is not None


class Frame(np.ndarray):
    """An array with the names of its columns, as a DataFrame."""

    columns = ("length", "width")


X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [2.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize(
    ("t", "keys", "loss", "classes"),
    [
        (["no", "yes", "yes", "no", "no", "yes"], {}, "bce", ("no", "yes")),
        (np.array(["a", "b", "c"] * 2, object), {}, "cross_entropy", ("a", "b", "c")),
        (np.array([1, 2, 3] * 2), {"classes": ["low", "middle", "high"]}, "cross_entropy", ("low", "middle", "high")),
        (np.array([True, False] * 3), {}, "bce", ("False", "True")),
        (np.eye(3)[[0, 1, 2, 0, 1, 2]], {"classes": ["a", "b", "c"]}, "cross_entropy", ("a", "b", "c")),
        (np.arange(6) / 7, {"outputs": ["price"]}, "mse", ()),
    ],
)
def test_labels_and_names_from_python(t: Any, keys: dict[str, Any], loss: str, classes: tuple[str, ...]) -> None:
    words = ["epochs=2", "success=tolerance"]
    run = xortrain.train(*words, data=(X.view(Frame), t), **keys)
    assert run.config["loss"]["name"] == loss
    assert run.classes == classes
    assert run.setup.columns.inputs == ("length", "width")
    assert xortrain.train(*words, data=(X, t), inputs=["p", "q"], **keys).setup.columns.inputs == ("p", "q")
    assert run.setup.columns.outputs == ("price",) or "outputs" not in keys


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"inputs": ["a"]}, r"^inputs=\['a'\]: must be 2 names, a different one for each$"),
        ({"inputs": "ab"}, r"^inputs='ab': must be 2 names"),
        ({"outputs": ["a", "b"]}, r"^outputs=.*: must be 1 names?"),
        ({"classes": ["a"]}, r"^classes=.*: must be 2 names"),
        ({"classes": ["a", "a"]}, r"^classes=.*: must be 2 names, a different one for each"),
        ({"inputs": ["a", "a"]}, r"^inputs=.*: must be 2 names, a different one for each"),
        (
            {"data": (X, ["no", "yes"] * 3), "classes": ["yes", "no"]},
            r"^classes=.*: must be in the order of the labels, \['no', 'yes'\]",
        ),
        ({"data": (X, ["x", None] * 3)}, r"^data=\(x, t\): must have no missing values$"),
        ({"data": (X, ["x", float("nan")] * 3)}, r"^data=\(x, t\): must have no missing values$"),
        ({"data": (np.ma.masked_less(X, 0.5), [0, 1] * 3)}, r"^data=\(x, t\): must have no missing values$"),
        ({"data": (X + 1j, [0, 1] * 3)}, r"^data=\(x, t\): must be two arrays of numbers$"),
        (
            {"data": (X, np.array(["2020-01-01", "2020-01-02"] * 3, "M8[D]"))},
            r"^data=.*: must be two arrays of numbers$",
        ),
        ({"data": None, "classes": ["a", "b"]}, r"^classes=.*: names own arrays; add data=\(x, t\)$"),
    ],
)
@pytest.mark.parametrize("start", [xortrain.train, xortrain.sweep])
def test_names_that_do_not_fit_are_refused_before_anything_starts(
    start: Any, keys: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=expected):
        start(f"root={tmp_path}", **{"data": (X, [0, 1] * 3), **keys})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("engine", ["inline", "loky"])
def test_a_sweep_over_own_arrays_has_the_runs_that_train_has(tmp_path: Path, engine: str) -> None:
    keys: dict[str, Any] = {"data": (X, ["no", "yes"] * 3), "inputs": ["p", "q"]}
    words = ["epochs=5", "data.test=0.2"]
    found = xortrain.sweep(*words, "lr=0.1,1", "activation=tanh,sigmoid", f"root={tmp_path}", engine=engine, **keys)
    assert len(found) == 4
    for run in found:
        own = [f"lr={run.config['lr']}", f"activation={run.config['activation']['name']}"]
        alone = xortrain.train(*words, *own, **keys)
        np.testing.assert_array_equal(run.parameters, alone.parameters)
        assert run.classes == ("no", "yes")
        assert run.setup.columns == alone.setup.columns
    assert not main(["rerun", "latest", "--check", "--root", str(tmp_path)])
    assert not main(["render", "latest#0", "--still", "--output", str(tmp_path / "film.png"), "--root", str(tmp_path)])


def test_a_stopped_sweep_over_own_arrays_can_be_resumed(tmp_path: Path) -> None:
    found = xortrain.sweep("epochs=5", "lr=0.1,1", f"root={tmp_path}", data=(X, ["no", "yes"] * 3))
    whole, folder = found.losses.copy(), found.parts[0].folder
    for path in folder.glob("*-000.npy"):
        path.unlink()
    rows = np.load(folder / "runs.npy")
    rows["outcome"] = 0
    np.save(folder / "runs.npy", rows)
    metadata = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps(metadata | {"status": "interrupted"}))
    assert not main(["resume", "latest", "--root", str(tmp_path)])
    np.testing.assert_array_equal(xortrain.load(folder).losses, whole)


def test_a_sweep_refuses_other_data_beside_own_arrays(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data=xor: your own arrays, data=\(x, t\), take its place; leave it out$"):
        xortrain.sweep("data=csv,xor", f"root={tmp_path}", data=(X, [0, 1] * 3))


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01 10:00,1,0\n2024-01-02 11:00,2,1\n2024-01-03 12:00,3\n",
        "light blue,1,0\ndark red,2,1,7\nlight blue,3,1\n",
        "a;b;c\n1;2,5;3\n1;2;3;4\n",
    ],
)
def test_an_odd_line_is_named_and_changes_no_separator(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"line [23] has [24] values, (the others|its header) 3"):
        setup_of(write(tmp_path, text))


def test_advice_for_classes_of_a_table_is_a_loss_that_the_table_accepts(tmp_path: Path) -> None:
    """With mse three classes are one-hot too; bce would refuse the names of the classes."""
    path = write(tmp_path, "a,kind\n" + "".join(f"{k},{'xyz'[k % 3]}\n" for k in range(9)))
    words = ["data=csv", f"data.path={path}", "loss=mse", "epochs=2", "film=none"]
    run = xortrain.train(*words)
    losses = [
        candidate.overrides for candidate in candidates(run.own_setup) if any("loss=" in o for o in candidate.overrides)
    ]
    assert losses
    for overrides in losses:
        changed = compose([*words, *overrides])
        setup = Setup.of(Population({**changed, "epochs": 1}))
        assert setup.population.config["loss"]["name"] == "cross_entropy"


def test_an_older_record_of_a_table_is_read(tmp_path: Path) -> None:
    """Without the newer settings, with output=auto, and with columns that have only inputs and outputs."""
    path = write(tmp_path, "a,b,t\n1,2,0\n2,1,1\n")
    run = record_run(some_config(data=("csv", {"path": str(path)}), root=str(tmp_path / "out"), epochs=3))
    assert run.folder
    metadata = json.loads((run.folder / "record.json").read_text())
    config = metadata["config"]
    newer = ("inputs", "categorical", "header", "missing", "test_path")
    config["data"] = {key: value for key, value in config["data"].items() if key not in newer}
    config["output"] = {"name": "auto"}
    metadata["columns"] = {key: metadata["columns"][key] for key in ("inputs", "outputs")}
    (run.folder / "record.json").write_text(json.dumps(metadata))
    again: Any = xortrain.load(run.folder)
    assert again.config == run.config
    assert again.setup.columns.inputs == ("a", "b")
    assert not main(["rerun", str(run.folder), "--check"])
    assert not main(["predict", str(run.folder), str(path)])


def test_a_label_that_only_held_out_examples_have_is_refused() -> None:
    with pytest.raises(UserError, match=r"^data=\(x, t\): held-out examples have the class 'z', which no training"):
        xortrain.train(data=(X, ["a", "b"] * 3, X[:1], ["z"]))


@pytest.mark.parametrize(
    ("labels", "outputs", "ends"),
    [
        (["no", "yes"] * 3, ["well"], ("no", "yes")),
        (["a", "b", "c"] * 2, ["a", "b", "c"], None),
        ([0, 1] * 3, ["well"], None),
    ],
)
def test_a_film_names_the_classes(labels: list[Any], outputs: list[str], ends: tuple[str, str] | None) -> None:
    run = xortrain.train("epochs=2", data=(X, labels), outputs=["well"])
    shown = film_data(run.trained)
    assert list(shown.output_names) == outputs
    assert colour_scale(shown, 24).ends == (ends or ("0", "1"))


def test_a_sweep_over_losses_is_grouped_by_loss_though_their_outputs_differ_too(tmp_path: Path) -> None:
    words = ["epochs=2", "success=tolerance", f"root={tmp_path}"]
    assert xortrain.sweep(*words, "loss=mse,bce").axes == ["loss"]
    assert xortrain.sweep(*words, "output=sigmoid,tanh", "loss=mse").axes == ["output"]
    assert xortrain.sweep(*words, "loss=mse,half_sse", "output=auto,sigmoid").axes == ["loss", "output"]


def test_one_of_a_thing_is_said_in_the_singular(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the lines of data, of errors, of a sweep with one run, of an explanation and of a plan."""
    said = [xortrain.train("epochs=1", data=(X[:2, :1], [0, 1], X[:1, :1], [1])).setup.columns.line]
    with pytest.raises(UserError) as caught:
        xortrain.train("data.test=0.2", data=(X[:1], [0.5]))
    said.append(str(caught.value))
    with pytest.raises(UserError) as caught:
        setup_of(write(tmp_path, "1,2,0\n1\n2,3,1\n"))
    said.append(str(caught.value))
    found = xortrain.sweep("epochs=0", "lr=1", f"root={tmp_path}")
    said += [repr(found), str(xortrain.train("epochs=1", data=([[1.0]], [1.0])).explain())]
    for words in (["epochs=0", "dry_run=true"], ["show", "latest", "--root", str(tmp_path)]):
        assert not main(words)
    said.append(capsys.readouterr().out)
    assert "1 input" in said[0]
    assert "1 value," in said[2]
    for text in said:
        assert not re.search(r"\b1 (example|input|run|row|value|epoch|snapshot|name|column|group|file)s\b", text)


FRAME = pd.DataFrame(X * [1, 3] + 0.5, columns=["length", "width"])
KINDS = ["no", "yes", "yes", "no", "no", "yes"]


def test_columns_of_frames_are_matched_by_name(tmp_path: Path) -> None:
    """In another order they have the same predictions, as one row has, and the same held-out losses."""
    swapped, test = FRAME[["width", "length"]], (FRAME[:3], KINDS[:3])
    run = xortrain.train("epochs=3", data=(FRAME, KINDS, *test))
    expected = run.predict(FRAME.to_numpy())
    for same in (FRAME, swapped, FRAME.to_numpy().tolist(), FRAME.set_axis([0, 1], axis=1)):
        np.testing.assert_array_equal(run.predict(same), expected)
    for row in (FRAME.iloc[1], swapped.iloc[1], tuple(FRAME.iloc[1])):
        np.testing.assert_array_equal(run.predict(row), expected[1:2])
    other = xortrain.train("epochs=3", data=(FRAME, KINDS, swapped[:3], KINDS[:3]))
    np.testing.assert_array_equal(other.test_losses, run.test_losses)
    stored = xortrain.sweep("epochs=3", f"root={tmp_path}", data=(FRAME, KINDS, *test))[0]
    np.testing.assert_array_equal(stored.predict(swapped), expected)
    targets = pd.DataFrame({"a": [0, 1] * 3, "b": [0.5, 1, 2] * 2})
    losses = [
        xortrain.train("epochs=3", data=(FRAME, targets, FRAME[:4], targets[order][:4])).test_losses
        for order in (["a", "b"], ["b", "a"])
    ]
    np.testing.assert_array_equal(losses[0], losses[1])


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (FRAME[["width"]], "has no column 'length'; needs length, width"),
        (FRAME.assign(colour=1), "has a column 'colour', which is none of length, width"),
        (FRAME.rename(columns={"width": "b"}), "has no column 'width'; needs length, width"),
        (FRAME.iloc[1].rename({"width": "b"}), "has no column 'width'; needs length, width"),
    ],
)
def test_a_frame_with_other_columns_is_refused(frame: Any, expected: str) -> None:
    with pytest.raises(UserError, match=f"^x: {expected}$"):
        xortrain.train("epochs=1", data=(FRAME, KINDS)).predict(frame)
    if frame.ndim == 2:
        with pytest.raises(UserError, match=rf"^data=\(x_test, t_test\): x: {expected}$"):
            xortrain.train("epochs=1", data=(FRAME, KINDS, frame, KINDS))


@pytest.mark.parametrize("form", [np.array, list, tuple, pd.DataFrame, lambda y: [list(row) for row in y]])
@pytest.mark.parametrize("labels", [KINDS, ["a", "b", "c"] * 2])
def test_class_indices_takes_what_predict_takes(form: Any, labels: list[str]) -> None:
    run = xortrain.train("epochs=3", data=(FRAME, labels))
    y = run.predict(FRAME)
    expected = y.argmax(axis=1) if y.shape[1] > 1 else (y[:, 0] > 0.5).astype(int)
    np.testing.assert_array_equal(run.class_indices(form(y)), expected)


@pytest.mark.parametrize(
    "bad", [None, "ab", [["a"] * 2], [[1, 2], [3]], [[1, 2, 3]], np.zeros((2, 2, 2)), X + 1j, np.ma.masked_less(X, 0.5)]
)
def test_what_is_no_array_of_numbers_is_refused_in_one_line(bad: Any) -> None:
    run = xortrain.train("epochs=1", data=(FRAME, np.eye(2)[[0, 1] * 3]))  # two inputs, two outputs
    for method, name in ((run.predict, "x"), (run.class_indices, "y")):
        with pytest.raises(UserError, match=rf"^{name}: (must be an array of numbers|has shape) "):
            method(bad)


def test_names_of_classes_may_be_an_array() -> None:
    names: Any = np.array(["no", "yes"])
    assert xortrain.train("epochs=1", data=(X, [0, 1] * 3), classes=names).classes == ("no", "yes")


@pytest.mark.parametrize("loss", ["auto", "mse"])
def test_each_of_several_text_targets_says_which_class_its_output_is(tmp_path: Path, loss: str) -> None:
    """The second in alphabetical order; targets that are numbers keep their name."""
    rows = ["1,no,big,0", "2,yes,small,1", "3,yes,big,1", "4,no,small,1"]
    path = write(tmp_path, "x,well,size,hot\n" + "\n".join(rows))
    setup = setup_of(path, loss, targets=["well", "size", "hot"])
    assert setup.columns.outputs == ("well=yes", "size=small", "hot")
    assert "targets well (no or yes), size (big or small), hot" in setup.columns.line
    np.testing.assert_array_equal(setup.train.t[..., 0], [[0, 0, 0], [1, 1, 1], [1, 0, 1], [0, 1, 1]])
    arrays = xortrain.train("epochs=1", data=(X[:4], np.array([row.split(",")[1:3] for row in rows])))
    assert arrays.output_names == ("y1=yes", "y2=small")
    head = re.split(r"  +", arrays.summary().split("\n\n")[1].splitlines()[0].strip())
    assert head == ["x1", "x2", "target y1=yes", "target y2=small", "y1=yes", "y2=small"]


@pytest.mark.parametrize(("loss", "low"), [("auto", 0), ("bce", 0), ("focal", 0), ("hinge", -1)])
def test_two_numbers_are_classes_for_a_loss_of_classes_wherever_they_are(tmp_path: Path, loss: str, low: int) -> None:
    """0.2 and 0.8 as 2 and 7.5; of several targets that are not all two-valued, each stays as it is."""
    for pair in ((0.2, 0.8), (2, 7.5), (0, 0.5)):
        path = write(tmp_path, "a,t\n" + "".join(f"{k},{pair[k % 2]}\n" for k in range(4)))
        setup = setup_of(path, loss)
        assert setup.train.t.ravel().tolist() == [low, 1, low, 1]
        assert setup.columns.classes == tuple(map(str, pair))
    soft = np.array([[0.2, 0.1], [0.8, 0.5], [0.2, 0.9]])
    if loss == "bce":
        run = xortrain.train("loss=bce", "epochs=1", data=(X[:3], soft))
        np.testing.assert_array_equal(run.t, soft)


@pytest.mark.parametrize("size", [1e300, 1e-300])
@pytest.mark.parametrize("which", ["x", "t"])
def test_numbers_near_the_ends_of_the_range_give_no_warnings(size: float, which: str) -> None:
    """A run that diverges, or saturates, says so; the squares of such numbers are beyond the range."""
    x, t = X - 0.7, np.arange(6) / 7 - 0.4
    run = xortrain.train("epochs=5", data=(x * size, t) if which == "x" else (x, t * size))
    assert run.summary()
    assert run.predict(run.x).shape == (6, 1)
