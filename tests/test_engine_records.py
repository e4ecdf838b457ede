"""A record names its engine, which trains it again; own rows train compiled where they can be recorded."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xortrain
from xortrain.api import Sweep
from xortrain.cli import main
from xortrain.errors import UserError
from xortrain.machine.library import instruction_set
from xortrain.records.index import listing

pytestmark = pytest.mark.skipif(instruction_set() is None, reason="the machine is not built")
QUIET = ("film=none", "advice=none", "epochs=12")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a population of three runs, to be copied."""
    root = tmp_path_factory.mktemp("trained")
    xortrain.sweep("lr=1,2,3", "engine=compiled", *QUIET, f"root={root}")
    return root


@pytest.fixture
def sweep(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    (entry,) = listing(shutil.copytree(trained, tmp_path / "outputs")).entries
    monkeypatch.chdir(tmp_path)
    return Sweep.of(entry)


def folder_of(sweep: Sweep) -> Path:
    assert sweep.folder
    return sweep.folder


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_record_names_its_engine_and_is_trained_again_by_it(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads((folder_of(sweep) / "record.json").read_text())
    assert (found["engine"], found["instruction_set"]) == ("compiled", instruction_set())
    assert main(["rerun", str(sweep.folder), "--check"]) == 0
    assert "The same to the bit" in capsys.readouterr().out
    assert main(["continue", f"{sweep.folder}#1", "epochs=20", "film=none"]) == 0
    capsys.readouterr()
    (longer,) = (path for path in files(Path()) if path.name.startswith("losses") and "sweeps" not in path.parts)
    expected = xortrain.train("lr=2", "engine=compiled", *QUIET[:2], "epochs=20")
    np.testing.assert_array_equal(np.load(longer)[:, 0], expected.losses)


@pytest.mark.parametrize(
    "words", [["rerun", "{}"], ["rerun", "{}", "--check"], ["rerun", "{}#1"], ["continue", "{}#1", "epochs=20"]]
)
def test_without_the_machine_nothing_trains_its_record_again(
    words: list[str], sweep: Sweep, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(Path())
    monkeypatch.setenv("XORTRAIN_MACHINE", "none")
    assert main([word.format(sweep.folder) for word in words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert files(Path()) == before


@pytest.mark.parametrize(
    "words", [["show", "{}#1"], ["show", "{}"], ["explain", "{}#1"], ["render", "{}#1", "film=losses"]]
)
def test_without_the_machine_its_record_can_be_looked_at(
    words: list[str], sweep: Sweep, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XORTRAIN_MACHINE", "none")
    assert main([word.format(sweep.folder) for word in words]) == 0
    assert not capsys.readouterr().err


HOSTILE: tuple[Any, ...] = (7, "sse9", ["avx2"], "A" * 10_000, "avx2\n\x1b[31mred", "", {}, "../../x", "none")


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize(
    "words", [["rerun", "{}", "--check"], ["show", "{}#1"], ["show", "{}"], ["continue", "{}#1", "epochs=20"]]
)
def test_a_hostile_instruction_set_is_one_line(
    words: list[str], value: Any, sweep: Sweep, capsys: pytest.CaptureFixture[str]
) -> None:
    record = folder_of(sweep) / "record.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"instruction_set": value}))
    code = main([word.format(sweep.folder) for word in words])
    shown = capsys.readouterr()
    assert code in (0, 2)
    assert "\x1b" not in shown.out + shown.err
    assert all(len(line) < 500 for line in (shown.out + shown.err).splitlines())
    assert len(shown.err.splitlines()) == (code == 2)


def test_without_the_machine_only_a_wish_for_it_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XORTRAIN_MACHINE", "none")
    for words in (["lr=1"], ["-m", "lr=1,2"]):
        assert main([*words, "engine=compiled", *QUIET]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
        assert not files(tmp_path)
    numpy = xortrain.train("engine=numpy", *QUIET)
    np.testing.assert_array_equal(xortrain.train("engine=auto", *QUIET).losses, numpy.losses)
    assert main(["lr=1", "dry_run=true", *QUIET]) == 0
    assert "NumPy, as XORTRAIN_MACHINE=none" in capsys.readouterr().out
    assert not files(tmp_path)


def test_settings_that_the_machine_does_not_cover_do_not_continue_its_record(
    sweep: Sweep, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.py").write_text(NOT_RECORDED["optimizer: another function"])
    before = files(Path())
    assert main(["continue", f"{sweep.folder}#1", "epochs=20", "use=mine.py", "optimizer=mine"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert files(Path()) == before


def test_an_unfinished_sweep_is_not_resumed_by_another_engine(
    sweep: Sweep, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = folder_of(sweep) / "runs.npy"
    found = np.load(rows)
    before = files(Path())
    monkeypatch.setenv("XORTRAIN_MACHINE", "none")
    found["outcome"] = 0
    np.save(rows, found)
    assert main(["resume", str(sweep.folder)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert files(Path()) == before
    monkeypatch.delenv("XORTRAIN_MACHINE")
    assert main(["resume", str(sweep.folder)]) == 0
    assert main(["rerun", str(sweep.folder), "--check"]) == 0


HEAD = "import numpy as np\nimport xortrain\n"
OPTIMIZER = HEAD + "def update(theta, g, state, lr):\n    {}\nmine = xortrain.Optimizer('x', update=update, lr=0.2)\n"
RECORDED = {
    "schedule: one factor": HEAD + "mine = xortrain.Schedule('x', lambda epoch, epochs: 1 / (1 + epoch))",
    "schedule: none at first": HEAD + "mine = xortrain.Schedule('x', lambda epoch, epochs: None if epoch < 3 else 0.5)",
    "activation": HEAD + "mine = xortrain.Activation('x', lambda z: np.where(z > 0, z, 0.1 * np.sin(z)))",
    "loss": HEAD + "mine = xortrain.Loss('x', lambda y, t: (y - t) ** 4, output='sigmoid')",
    "optimizer: overlapping": OPTIMIZER.format("theta[1:] += 0.1 * theta[:-1]; theta -= lr * g"),
    "optimizer: reversed": OPTIMIZER.format("theta -= lr * g; theta[::-1] += 0.01 * theta"),
    "optimizer: a sum into itself": OPTIMIZER.format(
        "np.add.reduce(theta * 0.1, axis=0, out=theta[0]); theta -= lr * g"
    ),
    "optimizer: scattered": OPTIMIZER.format("theta[[0, 3, 4]] -= lr * g[[0, 3, 4]]"),
}
NOT_RECORDED = {
    "optimizer: a method": OPTIMIZER.format("theta -= lr * g.mean(axis=0)"),
    "optimizer: a mask": OPTIMIZER.format("theta -= lr * g; theta[g > 3] = 0.0"),
    "optimizer: another function": OPTIMIZER.format("theta -= lr * np.sort(g, axis=0)"),
    "optimizer: a branch": OPTIMIZER.format("theta -= lr * g if (g == g).all() else 0 * g"),
    "optimizer: a number": OPTIMIZER.format("theta -= float(np.size(g) > 0) * lr * np.linalg.norm(g, axis=0)"),
}


def with_own(text: str, kind: str, engine: str) -> Any:
    Path("mine.py").write_text(text)
    return xortrain.sweep("use=mine.py", f"{kind}=mine", "seed=range(0,9)", *QUIET, f"engine={engine}")


def losses(sweep: Any) -> Any:
    return np.array([run.losses for run in sweep])


@pytest.mark.parametrize("name", RECORDED)
def test_own_rows_are_trained_by_the_machine(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    compiled, numpy = (
        losses(with_own(RECORDED[name], name.partition(":")[0], engine)) for engine in ("compiled", "numpy")
    )
    np.testing.assert_allclose(compiled, numpy, rtol=1e-9)


@pytest.mark.parametrize("name", NOT_RECORDED)
def test_own_rows_that_cannot_be_recorded_are_trained_by_numpy(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    auto, numpy = (losses(with_own(NOT_RECORDED[name], name.partition(":")[0], engine)) for engine in ("auto", "numpy"))
    np.testing.assert_array_equal(auto, numpy)
    with pytest.raises(UserError, match="engine=compiled: the machine has no equivalent of what the settings use: "):
        with_own(NOT_RECORDED[name], name.partition(":")[0], "compiled")
