"""`continue` writes a record that has the whole history, names its parent, and can be trained again without it."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from some_runs import QUIET

import xortrain
from xortrain.api import Run, Sweep
from xortrain.cli import main
from xortrain.hydra_sweeps.jobs import plan_overrides
from xortrain.nets.optimizers import OPTIMIZERS
from xortrain.records import layout
from xortrain.records.index import listing
from xortrain.runner.sweep import run_sweep
from xortrain.trained import checkpoints

pytestmark = pytest.mark.usefixtures("quick_composition")
Command = Callable[..., str]
SWEEP = ("lr=0.01,0.1", "optimizer=adam,sgd", "optimizer.weight_decay=0.001", "seed=range(0,40)", *QUIET)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "outputs"


@pytest.fixture
def run_command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs a command and returns its output, or its error line for another code than 0."""

    def printed(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        found = main(list(words))
        shown = capsys.readouterr()
        assert found == code, shown.err
        return (shown.err if code else shown.out).rstrip("\n")

    return printed


TRAINED = {
    "adam": ("optimizer=adam", "epochs=10", *QUIET),
    "run": ("epochs=30", "track.frames=4", "schedule=cosine", *QUIET),
    "sweep": ("-m", "lr=1,2", "epochs=30", "track.frames=4", "schedule=cosine", *QUIET),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A root for each row of TRAINED, to be copied."""
    roots = {name: tmp_path_factory.mktemp("trained") for name in TRAINED}
    for name, words in TRAINED.items():
        assert main([*words, f"root={roots[name]}"]) == 0
    return roots


def metadata(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / layout.RECORD).read_text(encoding="utf-8"))
    return found


def newest() -> Run:
    found = xortrain.load("latest")
    assert isinstance(found, Run)
    return found


def newest_sweep() -> Sweep:
    found = xortrain.load("latest")
    assert isinstance(found, Sweep)
    return found


def assert_same_sweeps(found: Sweep, expected: Sweep) -> None:
    np.testing.assert_array_equal(found.losses, expected.losses)
    kept = np.isin(found.epochs, expected.epochs)
    np.testing.assert_array_equal(found.parameters[kept], expected.parameters)
    for name in (*layout.ROW, "lr"):
        np.testing.assert_array_equal(found.column(name), expected.column(name), err_msg=name)


def test_a_continued_record_has_the_whole_history_and_names_its_parent(root: Path, run_command: Command) -> None:
    run_command("optimizer=adam", "lr=0.05", "epochs=100", *QUIET, "name=first")
    parent = newest()
    shown = run_command("continue", "latest", "epochs=+100")
    assert shown.startswith("Epochs 0 to 100 are those of the parent.\n\nSolved: ")
    found, whole = newest(), xortrain.train("optimizer=adam", "lr=0.05", "epochs=200")
    np.testing.assert_array_equal(found.losses, whole.losses)
    np.testing.assert_array_equal(found.parameters[np.isin(found.epochs, whole.epochs)], whole.parameters)
    assert found.folder
    assert parent.folder
    entry = listing(root).entries[1]
    assert metadata(found.folder)["parent"] == {"id": entry.id, "path": str(parent.folder), "epoch": 100}
    assert "stages" not in metadata(found.folder)
    assert found.config["name"] == "first"
    assert f"continues {entry.id} from epoch 100" in run_command("show", "latest")
    assert entry.id in run_command("ls", "--columns", "parent", "--runs")
    assert run_command("rerun", "latest", "--check").startswith("The same to the bit: every recorded loss and param")


def test_a_fork_says_what_starts_afresh_and_is_checked_without_its_parent(root: Path, run_command: Command) -> None:
    run_command("epochs=100", *QUIET)
    parent = newest()
    shown = run_command("continue", "latest", "--epoch", "60", "optimizer=adam", "batch_size=2", "epochs=+100")
    assert "optimizer=adam starts fresh at epoch 60, with lr=0.001." in shown
    assert parent.folder
    shutil.rmtree(parent.folder)
    found = newest()
    assert found.folder
    stages = [{"until": 60, "config": {"lr": 1.0, "batch_size": None, "epochs": 100}, "varies": []}]
    (stage,) = metadata(found.folder)["stages"]
    assert stage["config"].pop("optimizer")["name"] == "sgd"
    assert [stage] == stages
    assert run_command("rerun", "latest", "--check").startswith("The same to the bit")
    run_command("rerun", "latest")
    np.testing.assert_array_equal(newest().losses, found.losses)
    assert newest().setup.origin is None
    film = run_command("render", "latest", "film.frames=160", "film.size=[480,270]", "--output", "film.gif")
    assert film.startswith("film.gif")
    assert "Epoch 120, the first batch, of 2 examples" in run_command("explain", "latest", "--epoch", "120")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_only_the_state_after_the_last_epoch_is_kept_and_none_where_it_is_empty(
    optimizer: str, root: Path, run_command: Command
) -> None:
    run_command(f"optimizer={optimizer}", "epochs=5", *QUIET)
    run = newest()
    assert run.folder
    sizes = metadata(run.folder).get("state", {})
    assert sizes == run.setup.state_sizes
    assert (run.folder / "state-000.npy").exists() == (optimizer != "sgd") == bool(sizes)
    if sizes:
        kept = np.load(run.folder / "state-000.npy")
        assert kept.shape == (sum(sizes.values()), 1)
        assert np.isfinite(kept).all()
        assert sum(sizes.values()) <= 2 * run.network.size + 4


@pytest.mark.parametrize("engine", ["inline", "loky"])
def test_all_runs_of_a_sweep_go_on_as_a_new_sweep(engine: str, root: Path, run_command: Command) -> None:
    run_command("-m", *SWEEP, "epochs=50")
    parent = listing(root).entries[0]
    shown = run_command("continue", "latest", "epochs=+70", "--engine", engine, *(["--workers=2"] * (engine == "loky")))
    assert shown.startswith("Epochs 0 to 50 are those of the parent.\n\n")
    found = newest_sweep()
    run_command("-m", *SWEEP, "epochs=120")
    assert_same_sweeps(found, newest_sweep())
    assert [part.metadata["parent"]["id"] for part in found.parts] == [parent.id, parent.id]
    assert run_command("rerun", str(found.folder), "--check").startswith("The same to the bit: every recorded loss")


def test_blocks_of_a_worker_that_does_not_see_the_record_are_the_same(
    root: Path, run_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xortrain.runner import engines
    from xortrain.runner.train import Block

    run_command("-m", *SWEEP, "stop=patience", "stop.epochs=7", "epochs=50")
    run_command("-m", *SWEEP, "stop=patience", "stop.epochs=7", "epochs=90")
    whole = newest_sweep()

    def answered(block: Block) -> Any:
        with monkeypatch.context() as hidden:
            hidden.setattr(Block, "is_visible", lambda block: False)
            answer = engines._train_in_worker(0, block.packed())
        return engines._received(block, answer)

    monkeypatch.setattr(engines, "train_here", lambda blocks, bar: ((block, answered(block)) for block in blocks))
    parent = listing(root).entries[1]
    run_command("continue", parent.id, "epochs=90")
    found = newest_sweep()
    assert_same_sweeps(found, whole)
    for number in found.population_numbers:
        one, other = found.population(number), whole.population(number)
        np.testing.assert_array_equal(one.array("best"), other.array("best"))
        for name, values in (other.state() or {}).items():
            np.testing.assert_array_equal((one.state() or {})[name], values)


def test_a_setting_that_varied_may_be_the_same_from_now_on(root: Path, run_command: Command) -> None:
    """Its earlier values are kept in a file of their own."""
    run_command("-m", "lr=0.1,1", "seed=range(0,5)", "optimizer.momentum=0,0.5", "epochs=30", *QUIET)
    parent = newest_sweep()
    run_command("continue", "latest", "lr=0.5", "epochs=+30")
    found = newest_sweep()
    (part,) = found.parts
    assert part.metadata["varies"] == ["seed", "optimizer.momentum"]
    assert np.load(part.folder / layout.STAGES).dtype.names == ("stage0.lr",)
    np.testing.assert_array_equal(np.load(part.folder / layout.STAGES)["stage0.lr"], parent.column("lr"))
    for number in (0, 7, 19):
        words = [f"{key}={parent.column(key)[number]}" for key in ("lr", "seed", "optimizer.momentum")]
        alone = xortrain.train(*words, "epochs=30").fork("lr=0.5", "epochs=60")
        np.testing.assert_array_equal(found[number].losses, alone.losses)
    assert run_command("rerun", "latest", "--check").startswith("The same to the bit")
    assert run_command("rerun", "latest#7", "--check").startswith("The same to the bit")
    (group, *_) = found.group("seed")
    assert group["runs"] == 4, "runs that differed before are not repetitions of each other"
    run_command("continue", "latest#7", "lr=0.1", "epochs=+5")
    assert [stage.until for stage in newest().setup.earlier] == [30, 60]
    assert run_command("rerun", "latest", "--check").startswith("The same to the bit")


def test_a_sweep_whose_runs_have_all_diverged_says_when_the_last_one_did(root: Path, run_command: Command) -> None:
    run_command("-m", "lr=1e6,1e8", "seed=range(0,3)", "activation=relu", "output=identity", "loss=mse", *QUIET)
    last = newest_sweep().column("diverged_at").max()
    assert 0 < last < 140
    line = run_command("continue", "latest", "epochs=+20", code=2)
    assert line == f"xortrain: error: every run had ended by epoch {last}; choose an earlier epoch"


def test_runs_that_had_ended_stay_as_they_were(root: Path, run_command: Command) -> None:
    run_command("-m", "lr=1,10", "seed=range(0,20)", "stop=solved", "epochs=100", *QUIET)
    parent = newest_sweep()
    ended = parent.column("epochs_done") < 100
    assert 0 < ended.sum() < 40
    shown = run_command("continue", "latest", "stop=never", "epochs=+20")
    assert f"{ended.sum()} of 40 runs had ended by epoch 100, and stay as they were." in shown
    found = newest_sweep()
    np.testing.assert_array_equal(found.column("epochs_done"), np.where(ended, parent.column("epochs_done"), 120))
    for name in ("outcome", "final_loss", "solved_at"):
        np.testing.assert_array_equal(found.column(name)[ended], parent.column(name)[ended])
    assert run_command("rerun", "latest", "--check").startswith("The same to the bit")
    number = int(np.flatnonzero(ended)[0])
    run_command("continue", f"latest#{number}", "stop=never", "epochs=+9")
    assert newest().row["epochs_done"] == parent.column("epochs_done")[number] + 9
    assert run_command("rerun", "latest", "--check").startswith("The same to the bit")


@pytest.mark.parametrize("words", [(), ("lr=0.3", "optimizer=rmsprop")], ids=["same", "fork"])
def test_an_interrupted_continuation_is_resumed_to_the_same_bits_without_its_parent(
    words: tuple[str, ...], root: Path, run_command: Command
) -> None:
    sweep = ("-m", "lr=0.1,1", "seed=range(0,300)", "epochs=40", *QUIET)
    run_command(*sweep)
    parent = newest_sweep()
    run_command("continue", "latest", "epochs=90", *words)
    whole = newest_sweep()
    expected = {name: whole.column(name) for name in layout.ROW}, whole.losses.copy(), whole.parameters.copy()
    assert whole.folder
    assert parent.folder
    rows = np.load(whole.folder / layout.RUNS, mmap_mode="r+")
    rows["outcome"][:] = 0
    rows.flush()
    for name in ("losses-000.npy", "parameters-000.npy"):
        array = np.load(whole.folder / name, mmap_mode="r+")
        array[50:] = np.nan
    (whole.folder / layout.RECORD).write_text(json.dumps(metadata(whole.folder) | {"status": "interrupted"}))
    shutil.rmtree(parent.folder)
    assert run_command("resume", str(whole.folder)).startswith("600 runs trained")
    found = newest_sweep()
    np.testing.assert_array_equal(found.losses, expected[1])
    np.testing.assert_array_equal(found.parameters, expected[2])
    for name, values in expected[0].items():
        np.testing.assert_array_equal(found.column(name), values, err_msg=name)


def test_a_record_without_its_state_is_trained_again_up_to_it(root: Path, run_command: Command) -> None:
    run_command("optimizer=adam", "epochs=60", *QUIET)
    folder = newest().folder
    assert folder
    older = metadata(folder)
    del older["state"]
    (folder / layout.RECORD).write_text(json.dumps(older))
    (folder / "state-000.npy").unlink()
    run_command("continue", "latest", "epochs=90")
    np.testing.assert_array_equal(newest().losses, xortrain.train("optimizer=adam", "epochs=90").losses)


@pytest.mark.parametrize("words", [("--epoch", "40"), ()], ids=["an earlier epoch", "the last epoch"])
def test_parameters_that_training_does_not_repeat_are_refused_in_one_line(
    words: tuple[str, ...], root: Path, run_command: Command
) -> None:
    for sweep in ((), ("-m", "seed=0,1")):
        run_command(*sweep, "optimizer=adam", "epochs=60", *QUIET)
        folder = listing(root).entries[0].folder
        (folder / "state-000.npy").unlink()
        parameters = np.load(folder / "parameters-000.npy", mmap_mode="r+")
        parameters[30, 2, 0] = np.nextafter(parameters[30, 2, 0], 9)
        parameters.flush()
        line = run_command("continue", "latest", "epochs=90", *words, code=2)
        assert "training again gives other parameters than the record has at epoch 30, so it cannot be contin" in line
        assert len(listing(root).entries) == 1
        shutil.rmtree(root)


def by_a_link(path: Path) -> None:
    path.symlink_to(path.rename(path.parent / "x").resolve())


STATE: dict[str, tuple[Callable[[Path], object], str]] = {
    "of another shape": (lambda path: np.save(path, np.zeros((19, 1))), "has shape (19, 1)"),
    "of another type": (lambda path: np.save(path, np.zeros((20, 1), "<f4")), "float32"),
    "of objects": (lambda path: np.save(path, np.array([None])), "never loaded"),
    "cut off": (lambda path: os.truncate(path, 200), "its header requires"),
    "a link": (by_a_link, "is a link"),
}


@pytest.mark.parametrize(("broken", "expected"), STATE.values(), ids=STATE)
def test_a_hostile_state_is_refused_in_one_line(
    broken: Callable[[Path], object], expected: str, trained: dict[str, Path], root: Path, run_command: Command
) -> None:
    shutil.copytree(trained["adam"], root)
    folder = newest().folder
    assert folder
    broken(folder / "state-000.npy")
    assert expected in run_command("continue", "latest", "epochs=+5", code=2)
    assert len(listing(root).entries) == 1


def test_a_state_that_is_not_finite_is_computed_again(root: Path, run_command: Command) -> None:
    run_command("optimizer=adam", "epochs=10", *QUIET)
    folder = newest().folder
    assert folder
    np.save(folder / "state-000.npy", np.full((20, 1), np.inf))
    run_command("continue", "latest", "epochs=+5")
    np.testing.assert_array_equal(newest().losses, xortrain.train("optimizer=adam", "epochs=15").losses)


RPROP = {"name": "rprop", "eta_minus": 0.5, "eta_plus": 1.2, "step_min": 1e-6, "step_max": 50.0}
METADATA: dict[str, tuple[dict[str, Any], str]] = {
    "state of another optimizer": ({"state": {"velocity": 9}}, "state: does not match the optimizer"),
    "state with a path": ({"state": {"../x": 9}}, "state: must be names with their sizes"),
    "a negative state": ({"state": {"mean": -1}}, "state: must be names with their sizes"),
    "best without its rule": ({"has_best": True}, "has_best: does not match the stop rule"),
    "a parent without an epoch": ({"parent": {"id": "a", "path": "b"}}, "parent: must have an id, a path and an epoch"),
    "stages of another kind": ({"stages": {"until": 3}}, "stages: must be a list"),
    "a stage without an end": ({"stages": [{"config": {}, "varies": []}]}, "their last epochs must increase"),
    "a stage after the end": (
        {"stages": [{"until": 99, "config": {}, "varies": []}]},
        "their last epochs must increase",
    ),
    "stages that fall": (
        {"stages": [{"until": end, "config": {}, "varies": []} for end in (5, 4)]},
        "their last epochs must increase",
    ),
    "a stage of another seed": ({"stages": [{"until": 5, "config": {"seed": 1}, "varies": []}]}, "config may have"),
    "a stage that is not checked": ({"stages": [{"until": 5, "config": {"lr": -1}, "varies": []}]}, "lr=-1: must be"),
    "a stage that contradicts itself": (
        {"stages": [{"until": 5, "config": {"optimizer": RPROP, "batch_size": 2}, "varies": []}]},
        "batch_size=2: optimizer=rprop requires the full batch",
    ),
    "a stage that varies without values": ({"stages": [{"until": 5, "config": {}, "varies": ["lr"]}]}, "has no values"),
    "a stage that varies nonsense": ({"stages": [{"until": 5, "config": {}, "varies": ["lr.x"]}]}, "has no values"),
}


@pytest.mark.parametrize(("changes", "expected"), METADATA.values(), ids=METADATA)
def test_a_hostile_record_of_a_continuation_is_refused_in_one_line(
    changes: dict[str, Any], expected: str, trained: dict[str, Path], root: Path, run_command: Command
) -> None:
    shutil.copytree(trained["adam"], root)
    folder = newest().folder
    assert folder
    (folder / layout.RECORD).write_text(json.dumps(metadata(folder) | changes))
    line = run_command("rerun", str(folder), "--check", code=2)
    assert expected in line
    assert "\n" not in line


def test_a_last_epoch_without_parameters_is_refused_in_one_line(root: Path, run_command: Command) -> None:
    for sweep in ((), ("-m", "seed=0,1")):
        run_command(*sweep, "optimizer=adam", "epochs=10", *QUIET)
        folder = listing(root).entries[0].folder
        np.save(folder / layout.FRAME_EPOCHS, np.array([*range(8), 8, 9]))
        np.save(folder / "parameters-000.npy", np.load(folder / "parameters-000.npy")[:10])
        (folder / layout.RECORD).write_text(json.dumps(metadata(folder) | {"frames": 10}))
        line = run_command("continue", "latest", "epochs=+5", code=2)
        assert "epoch=10: its parameters were not recorded; the nearest recorded epoch is 9" in line
        rows = np.load(folder / layout.RUNS, mmap_mode="r+")
        rows["epochs_done"] = 1 << 30
        rows.flush()
        assert "its parameters were not recorded" in run_command("continue", "latest", "epochs=+5", code=2)
        shutil.rmtree(root)


def test_a_continued_run_is_continued_by_its_states_not_by_training_again(
    root: Path, run_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_command("optimizer=adam", "lr=0.1", "epochs=60", *QUIET, "stop=patience", "stop.epochs=30")
    monkeypatch.setattr(checkpoints, "_computed", None)
    run_command("continue", "latest", "epochs=+30")
    run_command("continue", "latest", "lr=0.05", "epochs=+30")
    run_command("continue", "latest", "epochs=+30")
    run = newest()
    assert [stage.until for stage in run.setup.earlier] == [90]
    assert run_command("rerun", "latest", "--check").startswith("The same to the bit")


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "other data": (
        ("data.low=0.2", "epochs=+5"),
        "data.low=0.2: a run keeps its data when it is continued; train a new",
    ),
    "another data set": (("data=moons", "epochs=+5"), "data=moons: a run keeps its data when it is continued"),
    "another shape": (("architecture.hidden=[3]", "epochs=+5"), "architecture.hidden=[3]: a run keeps its"),
    "another network": (
        ("activation=tanh", "epochs=+5"),
        "activation=tanh: a run keeps its activation",
    ),
    "another start": (("init=zeros", "epochs=+5"), "init=zeros: a run keeps its init"),
    "another seed": (("seed=1", "epochs=+5"), "seed=1: a run keeps its seed"),
    "another seed, written with +": (("++seed=1", "epochs=+5"), "++seed=1: a run keeps its seed"),
    "another parameter at the start": (("W1[0,1]=3", "epochs=+5"), "W1[0,1]=3: a run keeps its init"),
    "the same, dotted": (("++init.set.W1.0.1=3", "epochs=+5"), "++init.set.W1.0.1=3: a run keeps its init"),
    "another precision": (("dtype=float32", "epochs=+5"), "dtype=float32: a run keeps its dtype"),
    "another output": (("output=tanh", "epochs=+5"), "output=tanh: a run keeps its output"),
    "a loss with another output": (
        ("loss=mse", "output=auto", "epochs=+5"),
        "output=identity: a run keeps its output",
    ),
    "a loss that the targets do not fit": (
        ("loss=hinge", "output=sigmoid", "schedule=constant", "epochs=+5"),
        "loss=hinge: requires targets -1 and 1",
    ),
    "no epochs": ((), "epochs=30: 30 are trained already; add epochs=+500 for 500 more"),
    "too few epochs": (("epochs=20",), "epochs=20: 30 are trained already"),
    "no more epochs": (("epochs=+0",), "epochs=30: 30 are trained already"),
    "another number for the schedule": (
        ("epochs=+5",),
        "epochs=35: schedule=cosine depends on the number of epochs, which was 30; add schedule=constant for the rest",
    ),
    "an epoch that was not kept": (("--epoch", "7", "epochs=+5"), "epoch=7: its parameters were not recorded; the nea"),
    "an epoch after the end": (("--epoch", "31", "epochs=+5"), "epoch=31: this run ended at epoch 30"),
    "no epoch": (("--epoch", "x"), "must be a whole number"),
    "an experiment": (("experiment=notebook_002",), "experiment=notebook_002: a recorded run takes settings"),
    "Hydra": (("hydra.job.name=x",), "hydra.job.name=x: a recorded run takes settings"),
    "a deleted setting": (("~lr",), "~lr: a recorded run takes settings"),
    "a dry run": (("dry_run=true", "epochs=+5"), "dry_run=true: there is no estimate for a run that is continued"),
    "an unknown setting": (("optimizer.damping=0.5",), "optimizer.damping=0.5: no such setting of optimizer=sgd"),
    "several values": (("lr=1,2", "epochs=+5"), "lr=1,2: several values"),
    "a parameter that is not there": (
        ("freeze=[W9]", "schedule=constant", "epochs=+5"),
        "freeze=W9: no such parameter",
    ),
    "a stop rule without its data": (
        ("stop=patience", "stop.on=test_loss", "schedule=constant", "epochs=+5"),
        "stop.on=test_loss: requires held-out examples",
    ),
}


@pytest.mark.parametrize(("words", "expected"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("kind", ["run", "sweep"])
def test_what_cannot_be_continued_is_refused_in_one_line_and_writes_nothing(
    kind: str, words: tuple[str, ...], expected: str, trained: dict[str, Path], root: Path, run_command: Command
) -> None:
    shutil.copytree(trained[kind], root)
    if kind == "sweep" and "31" in words:
        expected = "epoch=31: its parameters were not recorded; the nearest recorded epoch is 30"
    line = run_command("continue", "latest", *words, code=2)
    assert expected in line
    assert "\n" not in line
    assert len(listing(root).entries) == 1


def test_a_sweep_does_not_lose_what_varies_and_must_stay(root: Path, run_command: Command) -> None:
    run_command("-m", "seed=0,1", "init.scale=0.5,1", "epochs=10", *QUIET)
    for word, key in (("seed=0", "seed"), ("init.scale=1", "init")):
        line = run_command("continue", "latest", word, "epochs=+5", code=2)
        assert f"{word}: a run keeps its {key} when it is continued" in line


def test_a_run_that_diverged_goes_on_from_before(root: Path, run_command: Command) -> None:
    words = ("loss=mse", "output=identity", "activation=relu", "lr=30", "epochs=100", *QUIET)
    run_command(*words)
    at = newest().row["diverged_at"]
    assert at > 2
    line = run_command("continue", "latest", "epochs=+9", code=2)
    assert f"diverged at epoch {at}; choose an earlier epoch, such as epoch {at - 1}" in line
    run_command("continue", "latest", "--epoch", "1", "lr=0.1")
    assert newest().outcome != "diverged"


def test_what_is_not_finished_is_not_continued(root: Path, run_command: Command) -> None:
    run_command("-m", "seed=range(0,5)", "epochs=10", *QUIET)
    rows = np.load(listing(root).entries[0].folder / layout.RUNS, mmap_mode="r+")
    rows["outcome"][3] = 0
    rows.flush()
    assert "1 of 5 runs is not finished; xortrain resume" in run_command("continue", "latest", "epochs=20", code=2)
    assert "it is not finished; xortrain resume" in run_command("continue", "latest#3", "epochs=20", code=2)
    run_command("continue", "latest#2", "epochs=20")


def test_judging_stopped_runs_by_another_rule_is_refused(root: Path, run_command: Command) -> None:
    run_command("-m", "lr=1,10", "seed=range(0,20)", "stop=solved", "epochs=100", *QUIET)
    stopped = (newest_sweep().column("epochs_done") < 100).sum()
    line = run_command("continue", "latest", "success=fahlman", "epochs=+5", code=2)
    assert (
        f"success=fahlman: a stop rule had ended {stopped} of these runs by epoch 100, judged by another success"
        in line
    )


def test_json_has_the_new_run_or_sweep(root: Path, run_command: Command) -> None:
    run_command("-m", "seed=range(0,3)", "epochs=10", "film=none")
    (line,) = json.loads(run_command("continue", "latest", "epochs=20", "--json"))
    assert (line["runs"], line["epochs"]) == (3, 20)
    (line,) = json.loads(run_command("continue", "latest#1", "epochs=30", "--json"))
    assert (line["seed"], line["epochs_done"]) == (1, 30)


def test_a_run_of_a_sweep_with_a_film_of_all_gets_a_film_of_its_own(root: Path, run_command: Command) -> None:
    run_command("-m", "lr=1,2", "epochs=10", "film=sweep", "film.frames=3")
    shown = run_command("continue", "latest#1", "epochs=+10")
    folder = newest().folder
    assert folder
    assert f"film    {folder / 'film.gif'}" in shown
    assert newest().config["film"]["name"] == "story"


def test_a_film_is_made_as_in_a_training(root: Path, run_command: Command) -> None:
    run_command("epochs=10", *QUIET)
    shown = run_command("continue", "latest", "epochs=+10", "film=field", "film.frames=3")
    folder = newest().folder
    assert folder
    assert (folder / "film.gif").exists()
    assert f"film    {folder / 'film.gif'}" in shown


def test_a_record_of_an_older_version_is_trained_on(root: Path, run_command: Command) -> None:
    shutil.copytree(Path(__file__).parent / "records", root)
    for entry in listing(root).entries:
        parent = xortrain.load(entry.folder)
        run_command("continue", entry.id, "epochs=+5")
        found = xortrain.load("latest")
        np.testing.assert_array_equal(found.losses[:6], parent.losses)
        assert len(found.losses) == 11


def test_a_run_with_data_of_its_own_goes_on_with_them(root: Path, run_command: Command) -> None:
    words = ("data=moons", "data.test=0.2", "data.examples=20", *QUIET)
    run_command("-m", "seed=range(0,4)", "data.seed=${seed}", *words, "epochs=30")
    run_command("continue", "latest#3", "epochs=60")
    alone = xortrain.train("seed=3", "data.seed=3", *words, "epochs=60")
    np.testing.assert_array_equal(newest().losses, alone.losses)
    np.testing.assert_array_equal(newest().test_losses, alone.test_losses)
    assert run_command("rerun", "latest", "--check").startswith("The same to the bit")


@pytest.mark.parametrize("words", [("optimizer=adam",), ("stop=patience", "optimizer.momentum=0,0.5")])
def test_the_state_and_the_best_parameters_count_for_the_disk_and_for_track_bytes(
    words: tuple[str, ...], root: Path
) -> None:
    sweep = ("seed=range(0,3000)", "epochs=30", "track.losses=31", *QUIET, *words)
    plan = plan_overrides([*sweep, "track.frames=31"])
    assert plan
    folder = run_sweep(plan)
    written = sum(path.stat().st_size for path in folder.rglob("*"))
    assert abs(written - plan.bytes) < 30_000
    arrays = sum(path.stat().st_size for path in folder.glob("*-[0-9]*.npy"))
    for budget in (arrays - 100_000, arrays + 1):
        again = plan_overrides([*sweep, "track.frames=31", f"track.bytes={budget}"])
        assert again
        assert again.is_trimmed == (budget < arrays)


@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_scaled_data_stay_scaled_as_they_were(scale: str, root: Path, run_command: Command) -> None:
    table = Path("table.csv")
    table.write_text("x,y\n" + "".join(f"{x},{30 + x * x}\n" for x in range(-10, 11)), encoding="utf-8")
    words = ("data=csv", f"data.path={table}", f"data.scale={scale}", "data.test=0.3", "loss=mse", "success=tolerance")
    more = ("optimizer=adam", "lr=0.05", "activation=tanh", *QUIET)
    run_command("-m", "data.seed=0,1", *words, *more, "epochs=50")
    table.unlink()
    run_command("continue", "latest#1", "epochs=90", "stop=patience", "stop.on=test_loss")
    found = newest()
    table.write_text("x,y\n" + "".join(f"{x},{30 + x * x}\n" for x in range(-10, 11)), encoding="utf-8")
    alone = xortrain.train(*words, *more, "data.seed=1", "epochs=90")
    done = found.row["epochs_done"] + 1
    np.testing.assert_array_equal(found.losses[:done], alone.losses[:done])
    np.testing.assert_array_equal(found.predict([[3.0]], best=True), alone.predict([[3.0]], epoch=found.best_epoch))
    assert run_command("rerun", "latest", "--check").startswith("The same to the bit")
    if scale == "standard":
        line = run_command("continue", "latest", "loss=bce", "output=identity", "epochs=+5", code=2)
        assert "loss=bce: requires targets from 0 to 1" in line
    run_command("render", "latest", "film=field", "film.at=best", "--still", "--output", "best.png")


def test_advice_for_a_continued_run_says_that_it_starts_anew(root: Path, run_command: Command) -> None:
    assert "\nTried:" in run_command("lr=0.3", "epochs=50", "film=none")
    said = run_command("continue", "latest", "epochs=+10")
    assert "\nTried, each from the start:" in said
    assert said.rpartition("\n\n")[2].strip() in run_command("show", "latest")
