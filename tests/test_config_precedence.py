"""The command line overrides experiments, these override the defaults of optimizers and data, these those of losses
and of config.yaml.  The order of arguments does not matter.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hydra.types import RunMode
from omegaconf import OmegaConf
from some_runs import composed, config_with, config_with_options

from xortrain.config import settings
from xortrain.config.check import check
from xortrain.config.compose import compose as compose_checked
from xortrain.config.compose import composed as composed_by_hydra
from xortrain.config.compose import plain, with_experiment
from xortrain.config.hydra_state import hydra_started
from xortrain.config.overrides import prepare
from xortrain.config.private import load_config
from xortrain.config.settings import GROUPS, defaults_of
from xortrain.hydra_sweeps.axes import with_held_keys
from xortrain.nets.losses import LOSSES

DEFAULT = 1.0  # in config.yaml
ADAM = 0.001
RATES: dict[tuple[str, ...], float] = {
    (): DEFAULT,
    ("optimizer=sgd",): DEFAULT,
    ("optimizer=adam",): ADAM,
    ("experiment=notebook_001",): 0.75,
    ("experiment=notebook_001", "optimizer=adam"): 0.75,
    ("experiment=notebook_004", "optimizer=adam"): ADAM,
    ("experiment=notebook_004",): DEFAULT,
    ("optimizer=adam", "lr=0.3"): 0.3,
    ("experiment=notebook_001", "lr=0.3"): 0.3,
    ("experiment=notebook_001", "optimizer=adam", "lr=0.3"): 0.3,
    ("optimizer=adam", "optimizer.beta1=0.5"): ADAM,
}


@pytest.mark.parametrize("overrides", RATES, ids=" ".join)
def test_the_source_with_the_highest_precedence_sets_the_learning_rate(overrides: tuple[str, ...]) -> None:
    for order in (overrides, overrides[::-1]):
        assert composed(*order)["lr"] == RATES[overrides]


TRUTH_TABLES = ("xor", "and", "or", "nand", "nor", "xnor", "parity", "encoder", "notebook_003")
SAMPLES = [data for data in GROUPS["data"] if data not in TRUTH_TABLES]
SUMS = ("bce", "half_sse")


def assert_reduction(found: dict[str, Any], loss: str, data: str) -> None:
    assert found["reduction"] == ("sum" if data in TRUTH_TABLES and loss in SUMS else "mean")
    assert found == {"name": loss, **defaults_of("loss", loss, data)}


@pytest.mark.parametrize(("k", "loss"), list(enumerate(LOSSES)), ids=LOSSES)
def test_a_loss_is_a_mean_over_all_data_but_truth_tables_which_keep_its_own_reduction(k: int, loss: str) -> None:
    """Data change one key of any loss: here every loss has data of both kinds, and below all data have two losses."""
    for kind in (TRUTH_TABLES, SAMPLES):
        data = kind[k % len(kind)]
        assert_reduction(composed_by_hydra([f"data={data}", f"loss={loss}"])[0]["loss"], loss, data)


@pytest.mark.parametrize("data", GROUPS["data"])
def test_a_loss_is_bce_over_all_data_but_a_regression_and_a_table(data: str) -> None:
    found = composed(f"data={data}")["loss"]
    assert_reduction(found, {"sine": "mse", "noise": "mse", "csv": "auto", "sklearn": "auto"}.get(data, "bce"), data)
    assert_reduction(composed(f"data={data}", "loss=half_sse")["loss"], "half_sse", data)


LOSS_AND_REDUCTION: dict[tuple[str, ...], tuple[str, str]] = {
    (): ("bce", "sum"),
    ("data=circle",): ("bce", "mean"),
    ("data=circle", "loss=half_sse"): ("half_sse", "mean"),
    ("data=circle", "loss.reduction=sum"): ("bce", "sum"),
    ("data=sine", "loss=huber", "loss.reduction=sum"): ("huber", "sum"),
    ("data=sine", "loss.reduction=sum"): ("mse", "sum"),
    ("data=sine", "loss=bce"): ("bce", "mean"),
    ("experiment=rumelhart_1986", "data=circle"): ("half_sse", "sum"),
    ("experiment=rumelhart_1986", "data=sine"): ("half_sse", "sum"),
    ("experiment=rumelhart_1986", "data=sine", "loss=mae"): ("mae", "sum"),
    ("experiment=rumelhart_1986", "loss.reduction=mean"): ("half_sse", "mean"),
    ("experiment=notebook_001", "data=circle", "loss=bce"): ("bce", "mean"),
    ("experiment=notebook_004", "data=circle"): ("bce", "mean"),
    ("experiment=circle",): ("bce", "mean"),
    ("experiment=regression",): ("mse", "mean"),
    ("experiment=regression", "data=xor"): ("bce", "sum"),
}


@pytest.mark.parametrize("overrides", LOSS_AND_REDUCTION, ids=" ".join)
def test_loss_and_reduction_are_set_by_the_command_line_then_experiment_data_and_loss(
    overrides: tuple[str, ...],
) -> None:
    for order in (overrides, overrides[::-1]):
        loss = composed(*order)["loss"]
        assert (loss["name"], loss["reduction"]) == LOSS_AND_REDUCTION[overrides]


def test_the_command_line_overrides_an_experiment() -> None:
    config = composed("experiment=notebook_000", "activation=tanh", "epochs=3", "init.weights.b1=[7,8]", "loss=mse")
    assert config["activation"] == {"name": "tanh"}
    assert config["epochs"] == 3
    assert config["loss"] == {"name": "mse", "reduction": "mean"}
    assert config["init"]["weights"]["b1"] == [7, 8]
    assert config["init"]["weights"]["b2"] == [1, -1]


def test_an_experiment_overrides_the_defaults_of_its_options() -> None:
    assert composed("experiment=notebook_001")["output"] == {"name": "leaky_relu", "slope": 0.5}
    assert composed("output=leaky_relu")["output"] == {"name": "leaky_relu", "slope": 0.01}
    assert composed("experiment=notebook_003")["architecture"]["bias"] is False


def test_a_derived_experiment_changes_only_the_settings_in_its_file() -> None:
    one, two = composed("experiment=notebook_004"), composed("experiment=notebook_004_as_printed")
    assert {key for key in one if one[key] != two[key]} == {"activation", "experiment"}


def test_experiment_null_removes_an_experiment() -> None:
    assert composed("experiment=null") == composed()


def test_the_last_of_several_overrides_is_used() -> None:
    assert composed("lr=3", "lr=4")["lr"] == 4
    assert composed("activation=relu", "activation=tanh")["activation"] == {"name": "tanh"}


def by_hydra(*words: str) -> dict[str, Any]:
    """What Hydra's loader composes."""
    with hydra_started() as loader:
        found = loader.load_configuration("config", prepare(words), RunMode.RUN)
        return check(plain(with_experiment(found, found.hydra)))


OWN = ["lr=1e-5", "batch_size=null", "architecture.hidden=[3,2]", "freeze=[W1,b2]", "name=1e3", "notes=it's a, b"]
PLACES = [
    ["experiment=rumelhart_1986", *OWN],
    ["init=explicit", "init.weights={W1:[[1,2.5],[-3,0]],b1:[0,1e-3],W2:[[1,1]],b2:[0]}", *OWN],
    ["data=moons", "data.seed=${seed}"],
    ["activation=relu", "lr=3", "activation=tanh", "lr=4", "data=sine"],
]


def assert_in_their_places(words: list[str]) -> None:
    """As composed here, and by `config_with`, which other tests use."""
    expected = json.dumps(by_hydra(*words))
    assert json.dumps(config_with(*words)) == expected
    assert json.dumps(composed(*words)) == expected


@pytest.mark.parametrize("k", range(3))
def test_settings_take_their_places_in_any_options(k: int) -> None:
    """Half of all their numbers, and other kinds."""
    options, own = config_with_options(k), list[str]()
    chosen = [f"{group}={options[group]['name']}" for group in GROUPS]
    for group in ("data", "init", "optimizer", "stop"):
        own += [f"{group}.{key}={value / 2}" for key, value in options[group].items() if type(value) is float]
    for words in ([*chosen, *own, *OWN], [*own, *OWN, *chosen]):
        assert_in_their_places(words)


@pytest.mark.parametrize("words", PLACES, ids=range(len(PLACES)))
def test_settings_take_their_places_in_an_experiment_and_in_own_weights(words: list[str]) -> None:
    assert_in_their_places(words)


ONE = [
    [],
    ["optimizer=adam", "lr=3", "activation=relu", "activation=tanh"],
    ["experiment=rumelhart_1986", "data=moons", "data.seed=${seed}", "init.set.W1.0.1=3"],
    ["notes='seed ${seed} of ${hydra:job.num}'", "name=${hydra:runtime.cwd}", "root=${expanduser:a}"],
    ["init=explicit", "init.weights={W1:[[1,2.5],[-3,0]],b1:[0,1e-3],W2:[[1,1]],b2:[0]}", "track={losses:7}"],
    ["+activation.slope=0.3", "~track.bytes", "++new.key=[1]", "~film"],
    ["hydra.job.name=mine", "hydra.launcher.engine=loky", "seed=3"],
]
SEVERAL = [
    ["lr=1,2", "optimizer=adam,sgd", "seed=range(0,3)"],
    ["experiment=notebook_000,notebook_001", "init.set.W1.0.1=1,2", "activation=relu"],
    ["hydra.sweeper.params={seed:'1,2'}", "data=sine", "track={losses:7,frames:3}"],
]


@pytest.mark.parametrize(
    ("words", "mode"), [*((words, RunMode.RUN) for words in ONE), *((words, RunMode.MULTIRUN) for words in SEVERAL)]
)
def test_again_and_again_the_whole_configuration_is_what_hydra_composes(words: list[str], mode: RunMode) -> None:
    is_sweep = mode == RunMode.MULTIRUN
    prepared = with_held_keys(prepare(words, many=True)) if is_sweep else prepare(words)
    with hydra_started() as loader:
        expected = loader.load_configuration("config", prepared, mode)
        for _ in range(3):
            found = load_config(loader, prepared, mode)
            assert OmegaConf.to_yaml(found) == OmegaConf.to_yaml(expected)
            if not any("${hydra:" in word for word in words):
                assert json.dumps(plain(found)) == json.dumps(plain(expected))
            found.hydra.runtime.cwd, found.lr = "elsewhere", 99  # does not change the next


def test_a_choice_in_a_file_may_name_another_choice(tmp_path: Path) -> None:
    folder = tmp_path / "experiment"
    folder.mkdir()
    (folder / "sin.yaml").write_text("# @package _global_\ndefaults:\n  - /activation@output: ${experiment}\n")
    for _ in range(2):
        assert composed_by_hydra(["experiment=sin"], str(tmp_path))[0]["output"] == {"name": "sin"}


def test_a_changed_file_and_a_changed_folder_count_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "conf"
    shutil.copytree(settings.conf_folder(), folder)
    path = folder / "data" / "moons.yaml"
    monkeypatch.setattr(settings, "CONF_FOLDERS", [folder])
    settings.conf_folder.cache_clear()
    try:
        for noise in ("0.5", "0.25", "0.125"):
            path.write_text(re.sub("noise: .*", f"noise: {noise}", path.read_text()))
            assert compose_checked(["data=moons"])["data"]["noise"] == float(noise)
        (folder / "optimizer" / "toy.yaml").write_text(path.read_text())
        with hydra_started() as loader:
            assert load_config(loader, ["optimizer=toy"], RunMode.RUN).optimizer.name == "moons"
    finally:
        settings.conf_folder.cache_clear()
    monkeypatch.undo()
    assert compose_checked(["data=moons"])["data"]["noise"] == 0.1
