"""Each outcome is true of its runs: its claims are checked by other means, and for many seeds at once."""

import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_runs import composed, some_config, some_setup, trained

import xortrain
from xortrain.api import Run
from xortrain.nets import Array
from xortrain.nets.activations import ACTIVATIONS
from xortrain.runner.train import train_in_memory
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.diagnosis import best_linear_loss, dead_since, findings, ties
from xortrain.training.loop import Training
from xortrain.training.outcome import OUTCOMES, code, others, results
from xortrain.training.task import History
from xortrain.views import seed_rates
from xortrain.views.verdict import SENTENCES, verdict

TARGETS = np.array([0.0, 1, 1, 0])
CASES = {
    ("loss=mse", "output=identity", "lr=20"): ("diverged", "lr=2"),
    (): ("solved", ""),
    ("activation=identity", "lr=0.1"): ("linear", "2.77259"),
    ("architecture.hidden=[]", "loss=mse"): ("linear", "one straight line"),
    ("init=zeros",): ("clones", "h1 and h2 are equal"),
    ("init=constant", "init.value=0.3", "architecture.hidden=[3]"): ("clones", "h1, h2 and h3 are equal"),
    ("activation=relu", "seed=3"): ("dead", "h1 is dead from epoch 12 on and h2 is dead from the start"),
    ("lr=50",): ("saturated", "It was not so at the start"),
    ("init.scale=30", "loss=mse", "output=sigmoid", "seed=2"): ("saturated", "keeps the gradient"),
    ("activation=tanh", "seed=3", "epochs=3000"): ("plateau", "(0, 1), (1, 0) and (1, 1) are tied at 2/3"),
    ("init=uniform", "lr=0.1", "epochs=300"): ("plateau", "all four examples are tied at 1/2"),
    ("stop=loss", "stop.below=2", "seed=1", "lr=0.5", "epochs=5000"): ("early", "still falling"),
    ("epochs=20",): ("training", "epochs=80"),
    ("epochs=0",): ("training", "Nothing was trained"),
}


@cache
def run_of(*overrides: str) -> Run:
    return xortrain.train("film=none", *overrides)


@pytest.mark.parametrize(("overrides", "expected"), CASES.items(), ids=[" ".join(words) for words in CASES])
def test_each_state_has_its_name_and_its_reason(overrides: tuple[str, ...], expected: tuple[str, str]) -> None:
    run = run_of(*overrides)
    assert run.outcome == expected[0]
    assert expected[1] in verdict(run)


def test_every_outcome_has_a_case_and_a_verdict() -> None:
    assert {outcome for outcome, _ in CASES.values()} == set(SENTENCES) == set(OUTCOMES) - {"pending"}


def tied_states() -> list[Array]:
    """All tied states of XOR: two, three or four examples with one output, at the mean of their targets."""
    states = []
    for size in (2, 3, 4):
        for group in itertools.combinations(range(4), size):
            state = TARGETS.copy()
            state[list(group)] = TARGETS[list(group)].mean()
            if len(set(TARGETS[list(group)])) == 2:
                states.append(state)
    return states


def distance(y: Array) -> Array:
    """How far outputs (examples, runs) are from the nearest tied state, in their worst example: (runs,)."""
    return np.min([np.abs(y - state[:, None]).max(axis=0) for state in tied_states()], axis=0)


@given(st.sampled_from(tied_states()), st.lists(st.floats(-0.0099, 0.0099), min_size=4, max_size=4))
def test_outputs_within_a_hundredth_of_a_tied_state_are_in_it(state: Array, off: list[float]) -> None:
    y = (state + off)[:, None, None]
    task = some_setup({"seed": [0, 1]}).task()
    found = ties(task, np.repeat(y, 2, axis=2))
    assert found.holds.all()
    np.testing.assert_allclose(found.state[:, 0, 0], state)


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_outputs_farther_from_every_tied_state_are_in_none(y: list[float]) -> None:
    task = some_setup({"seed": [0, 1]}).task()
    found = ties(task, np.repeat(np.array(y)[:, None, None], 2, axis=2))
    assert found.holds[0] <= (distance(np.array(y)[:, None])[0] <= 0.01 + 1e-12)


@pytest.mark.parametrize("coding", [(-1.0, 1.0), (0.0, 0.5)])
def test_the_tolerance_is_a_hundredth_of_the_distance_between_the_targets(coding: tuple[float, float]) -> None:
    low, high = coding
    task = some_setup({"seed": [0, 1]}, data=("xor", {"low": low, "high": high}), loss="mse", epochs=0).task()
    for off, holds in ((0.009, True), (0.011, False)):
        y = np.full((4, 1, 2), (low + high) / 2 + off * (high - low))
        assert (ties(task, y).holds == holds).all()


def test_smoothed_targets_have_smoothed_states() -> None:
    task = some_setup({"seed": [0, 1]}, loss=("bce", {"label_smoothing": 0.2})).task()
    y = np.repeat(np.array([0.9, 0.5, 0.9, 0.5])[[1, 0, 1, 3]][:, None, None], 2, axis=2)
    y[:, 0] = np.array([0.1, 0.5, 0.9, 0.5])[:, None]
    assert ties(task, y).holds.all()


SEEDS = 120
NETS = [("sigmoid", 2, "torch_default"), ("tanh", 2, "randn"), ("relu", 2, "torch_default"), ("relu", 4, "randn")]


@pytest.mark.parametrize(("activation", "hidden", "start"), NETS)
def test_stuck_runs_stay_where_they_are_and_the_others_move(activation: str, hidden: int, start: str) -> None:
    """The outcomes of 120 seeds after 5,000 epochs, compared with those after 5,500 and after 20,000."""

    def after(epochs: int, stop: str = "never") -> tuple[Array, Array]:
        setup = some_setup(
            {"seed": np.arange(SEEDS, dtype=np.uint32)},
            activation=activation,
            architecture=("mlp", {"hidden": [hidden]}),
            init=start,
            loss=("bce", {"reduction": "mean"}),
            lr=0.5,
            epochs=epochs,
            stop=stop,
            track={"losses": 2, "frames": 2, "spacing": "even", "bytes": 2**30},
        )
        trained = train_in_memory(setup)
        y = setup.task().network.forward(trained.array("parameters")[-1], setup.train.x).y[:, 0]
        return trained.rows, y

    (early, y), (late, y_late), (watched, _) = after(5000), after(20_000), after(5500, "solved")
    solved, training, plateau = code("solved"), code("training"), code("plateau")
    stuck = ~np.isin(early["outcome"], (solved, training))
    assert not (stuck & (watched["outcome"] == solved) & (watched["epochs_done"] > 5000)).any()
    open_ends = late["outcome"] != solved
    assert (late["outcome"][open_ends] != training).mean() >= 0.99
    rest = early["outcome"] == training
    assert 2 * (late["outcome"][rest] != training).sum() >= rest.sum()
    assert (distance(y)[early["outcome"] == plateau] <= 0.01).all()
    assert (distance(y_late)[late["outcome"] == plateau] <= 0.01).all()


def test_a_dead_unit_has_a_gradient_of_exactly_zero_on_every_example() -> None:
    units = 0
    for seed in range(6):
        run = run_of("activation=relu", f"seed={seed}", "lr=0.3", "epochs=300", "architecture.hidden=[3]")
        dead = {unit for _, unit in findings(run.task, run.parameters[-1]).dead}
        assert (run.outcome == "dead" or "dead" in others(run.row["reasons"])) == bool(dead)
        gradients = [run.gradients(run.epochs[-1], example=k) for k in range(4)]
        for unit in range(3):
            at_rest = all((g["W1"][unit] == 0).all() and g["b1"][unit] == 0 for g in gradients)
            assert at_rest == (unit in dead)
        units += len(dead)
    assert units > 3


def test_a_unit_is_dead_from_the_epoch_that_all_snapshots_show() -> None:
    found = []
    for seed in range(3, 8):
        words = ["activation=relu", "lr=0.5", "epochs=300", f"seed={seed}"]
        few, every = run_of(*words, "track.frames=4"), run_of(*words, "track.frames=2000")
        w1, b1 = every.parameters[:, :4].reshape(-1, 2, 2), every.parameters[:, 4:6]
        off = (np.einsum("fui,ni->fnu", w1, every.x) + b1[:, None] <= 0).all(axis=1)
        for _, unit in findings(few.task, few.parameters[-1]).dead:
            since = max((epoch + 1 for epoch in range(300) if not off[epoch, unit]), default=0)
            assert dead_since(few.task, (0, unit), few.epochs, few.parameters) == (since, True)
            found.append(since)
    assert 0 in found
    assert any(found)


def test_equal_units_have_equal_gradients_and_random_ones_do_not() -> None:
    run = run_of("init=constant", "init.value=0.5", "architecture.hidden=[3,2]", "epochs=30")
    assert findings(run.task, run.parameters[-1]).equal == [[(0, 0), (0, 1), (0, 2)], [(1, 0), (1, 1)]]
    g = run.gradients(30)
    assert (g["W1"] == g["W1"][0]).all()
    assert (g["W3"] == g["W3"][0, 0]).all()
    assert findings(run.task, run_of("architecture.hidden=[3,2]", "epochs=0").parameters[0]).equal == []


@pytest.mark.parametrize(("activation", "edge"), [("sigmoid", 5.99), ("tanh", 2.99), ("softsign", 9.0)])
def test_a_saturated_unit_has_less_than_a_hundredth_of_the_steepest_slope(activation: str, edge: float) -> None:
    """1 % of the steepest slope: sigmoid a(1-a) = 0.0025 at z = 5.986, tanh 1 - a² = 0.01 at 2.993, softsign at 9."""
    for z, holds in ((edge * 0.98, []), (edge * 1.02, [(0, 0)])):
        setup = some_setup(
            activation=activation,
            architecture=("mlp", {"hidden": [1]}),
            init=("explicit", {"weights": {"W1": [[0, 0]], "b1": [-z], "W2": [[1]], "b2": [0]}}),
            epochs=0,
        )
        task = setup.task()
        assert findings(task, task.theta[:, 0]).saturated == holds


@pytest.mark.parametrize(
    ("words", "lowest"),
    [
        (["loss=bce", "loss.reduction=mean"], np.log(2)),
        (["loss=mse"], 0.25),
        (["loss=mse", "data=or"], None),
        (["loss=mse", "data=parity", "data.bits=3"], 0.25),
        (["loss=mae"], 0.5),
    ],
)
def test_the_lowest_loss_of_a_line_is_the_known_one(words: list[str], lowest: float | None) -> None:
    run = run_of("activation=identity", "lr=0.01", *words)
    if lowest is None:
        x = np.column_stack([run.x, np.ones(len(run.x))])
        lowest = ((x @ np.linalg.lstsq(x, run.t, rcond=None)[0] - run.t) ** 2).mean()
    assert best_linear_loss(run.task) == pytest.approx(lowest, abs=1e-6)


@pytest.mark.parametrize("output", [name for name, row in ACTIVATIONS.items() if not row.is_monotone])
def test_an_output_that_rises_and_falls_is_not_linear(output: str) -> None:
    assert run_of("architecture.hidden=[]", f"output={output}", "loss=mse", "epochs=5").outcome != "linear"


def test_a_run_has_the_same_outcome_alone_and_in_a_population() -> None:
    seeds = np.arange(40, dtype=np.uint32)
    settings: dict[str, Any] = {"activation": "relu", "lr": 0.5, "epochs": 200}
    crowd = trained(some_setup({"seed": seeds}, **settings), (7, 1, 32)).rows
    assert len(np.unique(crowd["outcome"])) >= 3
    for seed in seeds[::5]:
        alone = trained(some_setup({"seed": [seed]}, **settings)).rows[0]
        assert (alone["outcome"], alone["reasons"]) == tuple(crowd[seed][["outcome", "reasons"]])


@pytest.mark.parametrize("words", list(CASES), ids=" ".join)
def test_the_outcome_is_the_first_that_holds_and_is_not_among_the_reasons(words: tuple[str, ...]) -> None:
    run = run_of(*words)
    assert all(OUTCOMES.index(reason) > OUTCOMES.index(run.outcome) for reason in others(run.row["reasons"]))


def test_a_diagnosis_leaves_the_training_as_it_was() -> None:
    task = some_setup({"seed": np.arange(6, dtype=np.uint32)}, optimizer="adam", epochs=40).task()
    history = History.empty(np.arange(41), np.array([0, 40]), task.theta.shape, task.theta.dtype, has_test=False)
    training = Training(task, history)
    assert list(training.run())
    before = training.theta.copy(), {k: v.copy() for k, v in training.learner.state.items()}
    first, second = results(training), results(training)
    np.testing.assert_array_equal(training.theta, before[0])
    for name, value in before[1].items():
        np.testing.assert_array_equal(training.learner.state[name], value)
    np.testing.assert_array_equal(first.outcome, second.outcome)


@pytest.mark.parametrize("batch", [1, 2])
def test_the_noise_of_batches_does_not_count_as_learning(batch: int) -> None:
    """Seed 1 comes to a tie of two examples, about which its outputs swing by more than 1 %."""
    assert run_of(f"batch_size={batch}", "seed=1", "lr=0.5", "epochs=1000").outcome == "plateau"


def test_a_row_of_the_success_rates_is_the_result_of_its_sweep() -> None:
    net = seed_rates.Net("relu", 2, "randn", 0.5)
    config = some_config(activation="relu", lr=0.5, epochs=5000, track=dict(composed()["track"], losses=2, frames=2))
    setup = Setup.of(Population(config, {"seed": np.arange(1000, dtype=np.uint32)}, np.arange(1000)))
    assert (train_in_memory(setup).rows["outcome"] == code("solved")).sum() == seed_rates.solved_counts()[net]


def test_the_seeds_sentence_uses_the_rate_of_the_config_and_covers_measured_networks_only() -> None:
    count = seed_rates.solved_counts()[seed_rates.Net("relu", 2, "randn", 0.125)]
    for words in (("lr=0.125",), ("lr=0.5", "loss.reduction=mean")):
        sentence = seed_rates.seeds_sentence(dict(composed("activation=relu", *words)))
        assert sentence.startswith(f"Of 1,000 seeds of this network, {count / 10:.0f} % solve it")
    assert "(at lr=0.125)" in seed_rates.seeds_sentence(dict(composed("activation=relu", "lr=0.12")))
    for words in (("optimizer=adam",), ("architecture.hidden=[5]",), ("lr=20",), ("data=xnor",), ("loss=mse",)):
        assert seed_rates.seeds_sentence(dict(composed(*words))) == ""
