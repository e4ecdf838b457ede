"""xortrain predict encodes other inputs as those of the training, and answers as the network does."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xortrain
from xortrain.cli import main
from xortrain.errors import UserError

TABLE = "id,size,hue,kind\n1,1.5,red,cat\n2,2,blue,dog\n3,3,red,cow\n4,1,red,cat\n5,?,red,cat\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of classes, as the only one under its root."""
    folder = tmp_path_factory.mktemp("predict")
    (folder / "table.csv").write_text(TABLE)
    words = ["data=csv", f"data.path={folder}/table.csv", "data.missing=drop", "data.scale=standard", "film=none"]
    assert not main([*words, f"root={folder}/out", "advice=none", "epochs=9"])
    return folder / "out"


def predicted(capsys: pytest.CaptureFixture[str], root: Path, *words: str) -> Any:
    capsys.readouterr()
    status = main(["predict", "latest", *words, "--json", "--root", str(root)])
    found = capsys.readouterr()
    return json.loads(found.out) if status == 0 else (status, found.err)


@pytest.mark.parametrize(
    "text",
    [
        "size,hue\n4,red\n2.5,blue\n",
        "hue;note;size\nred;x;4,0\nblue;y;2,5\n",
        "id,size,hue,kind\n1,4,red,cat\n2,2.5,blue,dog\n",
        "9,4,red,cat\n8,2.5,blue,owl\n",
        "4\tred\n2.5\tblue\n",
        "size,hue\n4,red\n,red\n2.5,blue\n",
    ],
)
def test_a_file_in_any_form_has_the_outputs_of_its_inputs(
    tmp_path: Path, root: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.csv").write_text(text)
    run: Any = xortrain.load("latest", root)
    expected = run.predict([[4, 0, 1], [2.5, 1, 0]])  # size, hue=blue, hue=red
    rows = predicted(capsys, root, str(tmp_path / "new.csv"))
    np.testing.assert_array_equal([[row[name] for name in ("cat", "cow", "dog")] for row in rows], expected)
    assert [row["class"] for row in rows] == [("cat", "cow", "dog")[k] for k in expected.argmax(axis=1)]
    given = {row["line"]: row for row in rows}
    numbers = {k: line.replace(",", ".") for k, line in enumerate(text.splitlines(), 1)}
    assert list(given) == [k for k, line in numbers.items() if "4" in line or "2.5" in line]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0,1,1\n0,0,0\n1,0,1\n1,1,0\n", []),
        ("0,-1\n1,1\n0,-1\n0,1\n", []),
        ("1;0,5;2\n0;0,1;3\n1;0,7;4\n", []),
        ("2024-01-01,0\n2024-01-02,1\n2024-01-03,0\n", []),
        ("a,yes\nb,no\nb,yes\n", ["data.header=false"]),
        ("0 1 1 0\n1 0 0 1\n", ["data.targets=[2,3]"]),
        ("0,1,kind\n0,1,no\n1,1,yes\n0,1,no\n", ["data.header=true"]),
        ("2019,2020,y\n1,2,0\n3,4,1\n5,1,0\n", ["data.header=true"]),
        ("0,1,2\n0.5,0.3,1\n1.5,0.3,0\n0.2,2.3,1\n", []),
    ],
)
def test_the_table_of_the_training_has_the_outputs_of_the_training(
    tmp_path: Path, text: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A first line without names, where columns have the numbers of their places, is an example like all others."""
    (tmp_path / "own.csv").write_text(text)
    options = ["data=csv", f"data.path={tmp_path}/own.csv", "film=none", "advice=none", "epochs=2", *words]
    assert not main([*options, f"root={tmp_path}/out"])
    run: Any = xortrain.load("latest", tmp_path / "out")
    rows = predicted(capsys, tmp_path / "out", str(tmp_path / "own.csv"))
    outputs = [list(row.values())[-run.network.outputs :] for row in rows]
    np.testing.assert_allclose(outputs, run.predict(run.task.data.x), rtol=1e-12)
    last = text.count("\n")
    assert [row["line"] for row in rows] == list(range(last + 1 - len(run.task.data.x), last + 1))


def test_a_header_of_numbers_is_known_where_its_table_is_not_as_clear(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0, 1 and 2 are names above numbers that are not whole, and known ones above others."""
    (tmp_path / "own.csv").write_text("0,1,2\n0.5,0.3,1\n1.5,0.3,0\n0.2,2.3,1\n")
    assert not main(["data=csv", f"data.path={tmp_path}/own.csv", "film=none", "epochs=2", f"root={tmp_path}/out"])
    (tmp_path / "new.csv").write_text("0,1,2\n1,2,1\n3,4,0\n")
    assert [row["line"] for row in predicted(capsys, tmp_path / "out", str(tmp_path / "new.csv"))] == [2, 3]


def test_no_hint_is_given_that_predict_cannot_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.csv").write_text("1,2,1\n3,4,0\n")
    words = ["data=csv", f"data.path={tmp_path}/own.csv", "data.header=false", "film=none", "epochs=2"]
    assert not main([*words, f"root={tmp_path}/out"])
    (tmp_path / "new.csv").write_text("a,b,c\n1,2,1\n")
    status, line = predicted(capsys, tmp_path / "out", str(tmp_path / "new.csv"))
    assert status == 2
    assert "line 1, column 0: 'a' is not a finite number" in line
    assert "data.header" not in line


@pytest.mark.parametrize("target", [",cat", ""])
@pytest.mark.parametrize("cells", [["red", "blue", "red"], ["blue", "red", "red"], ["blue"]])
def test_a_first_line_of_categories_is_an_example(
    tmp_path: Path, cells: list[str], target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.csv").write_text("hue,kind\nred,cat\nblue,dog\nred,dog\nblue,cow\n")
    assert not main(["data=csv", f"data.path={tmp_path}/own.csv", "film=none", "epochs=2", f"root={tmp_path}/out"])
    run: Any = xortrain.load("latest", tmp_path / "out")
    (tmp_path / "new.csv").write_text("".join(f"{cell}{target}\n" for cell in cells))
    rows = predicted(capsys, tmp_path / "out", str(tmp_path / "new.csv"))
    expected = run.predict([[1.0, 0.0] if cell == "blue" else [0.0, 1.0] for cell in cells])
    np.testing.assert_array_equal([[row[name] for name in ("cat", "cow", "dog")] for row in rows], expected)


def test_values_are_one_example_and_may_be_negative(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run: Any = xortrain.load("latest", root)
    for text, x in (("4,red", [4, 0, 1]), ("-4.5,blue", [-4.5, 1, 0]), ("7, 4, red, cat", [4, 0, 1])):
        (row,) = predicted(capsys, root, text)
        np.testing.assert_array_equal([row[name] for name in ("cat", "cow", "dog")], run.predict([x])[0])


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_the_answer_is_written_in_the_format_of_the_ending(
    tmp_path: Path, root: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, (expected,) = tmp_path / f"out.{ending}", predicted(capsys, root, "4,red")
    assert predicted(capsys, root, "4,red", "--output", str(path)) == [{"path": str(path)}]
    if ending == "json":
        assert json.loads(path.read_text()) == [expected]
    else:
        assert list(csv.DictReader(path.read_text().splitlines())) == [
            {key: str(value) for key, value in expected.items()}
        ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size\n4\n", "has no column 'hue'; the network needs size, hue"),
        ("a,b,c\n4,5,6\n", "has 3 values per example; the network needs 2, size, hue, or 4 as in its own table"),
        ("size,hue\n4,green\n", "line 2, column hue: 'green' is not among the categories blue, red"),
        ("size,hue\nfour,red\n", "line 2, column size: 'four' is not a finite number"),
        ("size,hue\n,red\n", "every row has missing values"),
        ("size,hue\n4,red\n5\n", "line 3 has 1 value, its header 2"),
        ("", "has no rows"),
    ],
)
def test_what_does_not_fit_is_refused_with_exit_code_2(
    tmp_path: Path, root: Path, text: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.csv").write_text(text)
    status, line = predicted(capsys, root, str(tmp_path / "new.csv"))
    assert status == 2
    assert line.startswith("xortrain: error: ")
    assert expected in line
    assert line.count("\n") == 1


@pytest.mark.parametrize(("words", "expected"), [(["nowhere.csv"], "no such file"), (["1"], "has 1 value per example")])
def test_a_missing_file_and_a_single_value_are_refused(
    root: Path, words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert expected in predicted(capsys, root, *words)[1]


def test_data_that_are_made_and_single_outputs_are_predicted_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not main(["-m", "lr=1,2", "epochs=3", "film=none", f"root={tmp_path}"])
    status, line = predicted(capsys, tmp_path, "1,0")
    assert (status, "name one of them, as in latest#0" in line) == (2, True)
    capsys.readouterr()
    assert not main(["predict", "latest#1", "1,0", "--root", str(tmp_path)])
    run: Any = xortrain.load("latest#1", tmp_path)
    assert capsys.readouterr().out.split() == ["y", f"{run.predict([[1, 0]])[0, 0]:.4g}"]


def test_two_classes_and_missing_values_of_a_strict_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("a,b,well\n0,0,no\n0,1,yes\n1,0,yes\n1,1,no\n")
    (tmp_path / "new.csv").write_text("a,b\n1,\n")
    root = tmp_path / "out"
    assert not main(["data=csv", f"data.path={tmp_path}/t.csv", f"root={root}", "film=none", "advice=none"])
    (row,) = predicted(capsys, root, "1,0")
    assert row["class"] == ("yes" if row["output"] > 0.5 else "no")
    status, line = predicted(capsys, root, str(tmp_path / "new.csv"))
    assert status == 2
    assert "line 2, column b: '' is a missing value; the network was trained with data.missing=error" in line


@pytest.mark.parametrize("place", ["the inputs", "a record", "a missing folder"])
def test_output_never_replaces_the_inputs_or_enters_a_record(
    tmp_path: Path, root: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new.csv"
    new.write_text("size,hue\n4,red\n")
    record = next(root.glob("*/*"))
    path, why = {
        "the inputs": (tmp_path / "." / "new.csv", "is the file of the inputs; choose another name"),
        "a record": (record / "answer.csv", "is inside a record"),
        "a missing folder": (tmp_path / "none" / "out.csv", "No such file or directory"),
    }[place]
    before = {path: path.read_bytes() for path in (new, *record.iterdir())}
    status, line = predicted(capsys, root, str(new), "--output", str(path))
    assert status == 2
    assert why in line
    assert before == {path: path.read_bytes() for path in (*tmp_path.iterdir(), *record.iterdir())}


def test_the_values_of_one_example_may_be_longer_than_a_name_of_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x, t = np.random.RandomState(0).randn(6, 40), [0, 1] * 3
    table = "\n".join(",".join(map(repr, [*row, label])) for row, label in zip(x.tolist(), t, strict=True))
    (tmp_path / "wide.csv").write_text(table)
    words = ["data=csv", f"data.path={tmp_path}/wide.csv", "film=none", "advice=none", "epochs=3"]
    assert not main([*words, f"root={tmp_path}/out"])
    run: Any = xortrain.load("latest", tmp_path / "out")
    (row,) = predicted(capsys, tmp_path / "out", ",".join(map(repr, x[1].tolist())))
    assert row["output"] == run.predict(x[1:2])[0, 0]


def test_a_diverged_network_predicts_no_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = np.random.RandomState(0)
    x, labels = chance.randn(60, 2), chance.choice(["cat", "cow", "dog"], 60)
    rows = [f"{a},{b},{label}" for (a, b), label in zip(x, labels, strict=True)]
    (tmp_path / "table.csv").write_text("\n".join(["a,b,kind", *rows]))
    words = ["data=csv", f"data.path={tmp_path}/table.csv", "lr=1e6", "activation=relu"]
    assert not main([*words, "film=none", "advice=none", f"root={tmp_path}"])
    run: Any = xortrain.load("latest", tmp_path)
    assert run.outcome == "diverged"
    with pytest.raises(UserError, match=r"^y: example 1 is nan, which is no class$"):
        run.class_indices(np.vstack([np.eye(3)[:1], run.predict(x[:1])]))
    assert predicted(capsys, tmp_path, "1,2") == [dict.fromkeys(("class", "cat", "cow", "dog"))]
    path = tmp_path / "out.csv"
    predicted(capsys, tmp_path, "1,2", "--output", str(path))
    assert path.read_text() == "class,cat,cow,dog\n,,,\n"
