"""The command line overrides experiments, these override optimizer defaults, and these override config.yaml.

The order of arguments does not matter.
"""

from itertools import permutations

import pytest
from some_runs import composed

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
    for order in permutations(overrides):
        assert composed(*order)["lr"] == RATES[overrides]


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
