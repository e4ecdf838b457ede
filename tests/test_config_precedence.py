"""Command line over experiment over the optimizer's default rate over config.yaml, in whatever order they are typed."""

from itertools import permutations

import pytest
from some_runs import composed

OWN = 1.0  # config.yaml's
ADAM = 0.001
RATES: dict[tuple[str, ...], float] = {
    (): OWN,
    ("optimizer=sgd",): OWN,
    ("optimizer=adam",): ADAM,
    ("experiment=notebook_001",): 0.75,
    ("experiment=notebook_001", "optimizer=adam"): 0.75,
    ("experiment=notebook_004", "optimizer=adam"): ADAM,
    ("experiment=notebook_004",): OWN,
    ("optimizer=adam", "lr=0.3"): 0.3,
    ("experiment=notebook_001", "lr=0.3"): 0.3,
    ("experiment=notebook_001", "optimizer=adam", "lr=0.3"): 0.3,
    ("optimizer=adam", "optimizer.beta1=0.5"): ADAM,
}


@pytest.mark.parametrize("overrides", RATES, ids=" ".join)
def test_the_learning_rate_is_that_of_the_nearest(overrides: tuple[str, ...]) -> None:
    for order in permutations(overrides):
        assert composed(*order)["lr"] == RATES[overrides]


def test_the_command_line_wins_over_an_experiment() -> None:
    config = composed("experiment=notebook_000", "activation=tanh", "epochs=3", "init.weights.b1=[7,8]", "loss=mse")
    assert config["activation"] == {"name": "tanh"}
    assert config["epochs"] == 3
    assert config["loss"] == {"name": "mse", "reduction": "mean"}
    assert config["init"]["weights"]["b1"] == [7, 8]
    assert config["init"]["weights"]["b2"] == [1, -1]


def test_an_experiment_wins_over_the_defaults_of_its_options() -> None:
    assert composed("experiment=notebook_001")["output"] == {"name": "leaky_relu", "slope": 0.5}
    assert composed("output=leaky_relu")["output"] == {"name": "leaky_relu", "slope": 0.01}
    assert composed("experiment=notebook_003")["architecture"]["bias"] is False


def test_an_experiment_that_builds_on_another_changes_only_what_it_says() -> None:
    one, two = composed("experiment=notebook_004"), composed("experiment=notebook_004_as_printed")
    assert {key for key in one if one[key] != two[key]} == {"activation"}


def test_an_experiment_may_be_taken_back() -> None:
    assert composed("experiment=null") == composed()


def test_what_is_said_last_counts() -> None:
    assert composed("lr=3", "lr=4")["lr"] == 4
    assert composed("activation=relu", "activation=tanh")["activation"] == {"name": "tanh"}
