"""The experiments over clouds and a regression are solved from nearly every seed, also after small changes."""

from pathlib import Path

import pytest

import xortrain

pytestmark = pytest.mark.usefixtures("quick_composition")
EXPERIMENTS = ["gauss", "circle", "xor_cloud", "moons", "spiral", "regression"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_is_solved_from_nineteen_of_twenty_seeds(name: str, tmp_path: Path) -> None:
    sweep = xortrain.sweep(f"experiment={name}", "seed=range(0,20)", "film=none", "track.frames=2", f"root={tmp_path}")
    assert sum(row["outcome"] == "solved" for row in sweep.table()) >= 19


@pytest.mark.parametrize("change", ["data.noise=0.1", "data.test=0.3", "dtype=float32"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_still_learns_after_a_change(name: str, change: str) -> None:
    run = xortrain.train(f"experiment={name}", change, "film=none", "track.frames=2")
    assert run.outcome in ("solved", "learnt")
