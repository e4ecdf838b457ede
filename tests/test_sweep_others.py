"""Other sweepers and launchers of Hydra train the same runs; a searching sweeper minimises their objective."""

import math
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import yaml

import xortrain
from xortrain.api import Sweep
from xortrain.cli import main

JOBS = ["-m", "lr=0.5,2", "seed=3,4", "film=none", "epochs=9"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("other", [[], ["hydra/sweeper=basic"], ["hydra/launcher=basic"]], ids=" ".join)
def test_every_sweeper_and_launcher_trains_the_same_runs_and_writes_under_the_root(other: list[str]) -> None:
    assert main([*JOBS, *other, "root=here"]) == 0
    found = xortrain.runs("here").table()
    losses = {(row["lr"], row["seed"]): row["final_loss"] for row in found}
    assert losses == {
        (lr, seed): xortrain.train(f"lr={lr}", f"seed={seed}", "epochs=9").row["final_loss"]
        for lr in (0.5, 2.0)
        for seed in (3, 4)
    }
    assert [path.name for path in Path().iterdir()] == ["here"]


@pytest.mark.parametrize("launcher", ["population", "basic"])
@pytest.mark.skipif(not find_spec("optuna"), reason="hydra-optuna-sweeper is not installed")
@pytest.mark.filterwarnings("ignore")  # of optuna
def test_optuna_minimises_the_final_loss(launcher: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["-m", "hydra/sweeper=optuna", f"hydra/launcher={launcher}", "lr=interval(0.1,5)", "film=none"]
    assert main([*words, "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=2", "hydra.sweeper.sampler.seed=1"]) == 0
    shown = re.search(r"\nstudy   (outputs/sweepers/\S+/optimization_results.yaml)\n", capsys.readouterr().out)
    assert shown
    best = yaml.safe_load(Path(shown[1]).read_text(encoding="utf-8"))
    found = xortrain.runs()
    assert isinstance(found, Sweep)
    assert len(found) == 4
    assert best["best_value"] == found.column("final_loss").min()
    assert best["best_params"]["lr"] == found.column("lr")[found.column("final_loss").argmin()]


def test_the_objective_of_a_run_is_its_final_loss_and_infinite_if_it_diverged() -> None:
    run = xortrain.train("lr=2", "epochs=9")
    assert run.objective == run.row["final_loss"]
    diverged = xortrain.train("loss=mse", "loss.reduction=sum", "output=identity", "lr=1e308", "seed=1")
    assert np.isfinite(diverged.row["final_loss"])
    assert diverged.objective == math.inf
