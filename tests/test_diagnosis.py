"""Each outcome is true of its runs: its claims are checked by other means, and for many seeds at once."""

import itertools
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from some_runs import config_with, run_with, some_setup, trained
from test_continue import trained_on

import xortrain
from xortrain.api import Run
from xortrain.nets import Array
from xortrain.nets.activations import ACTIVATIONS
from xortrain.runner.train import train_in_memory
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.trained.run_data import RunData, TrainedRuns
from xortrain.training.diagnosis import contradictions, dead_since, equal_units, findings, ties
from xortrain.training.linear import linear_fit
from xortrain.training.loop import Training
from xortrain.training.motion import swing
from xortrain.training.outcome import ORDER, OUTCOMES, code, results
from xortrain.training.task import History
from xortrain.views.verdict import REASONS, SENTENCES, verdict

pytestmark = pytest.mark.usefixtures("quick_composition")
TARGETS = np.array([0.0, 1, 1, 0])
NOISY = ("data=moons", "data.noise=0.3", "data.examples=60", "lr=0.1")
CASES = {
    ("loss=mse", "output=identity", "lr=20"): ("diverged", "Its loss had risen from 0.2838 to 5.429e+304."),
    (): ("solved", ""),
    (*NOISY, "epochs=300"): ("learnt", ""),
    ("loss=mse", "activation=relu", "lr=2", "epochs=300", "seed=3"): ("exploded", "h1 is dead from epoch 2 on"),
    ("activation=identity", "lr=0.1"): ("linear", "2.77259"),
    ("architecture.hidden=[]", "loss=mse", "lr=0.1"): ("linear", "one straight line"),
    ("init=zeros",): ("clones", "h1 and h2 are equal"),
    ("init=constant", "init.value=0.3", "architecture.hidden=[3]"): ("clones", "h1, h2 and h3 are equal"),
    ("activation=relu", "seed=3"): ("dead", "h1 is dead from epoch 12 on and h2 is dead from the start"),
    ("lr=50",): ("saturated", "They were not so at the start"),
    ("init.scale=30", "loss=mse", "output=sigmoid", "seed=2"): ("saturated", "They were so at the start"),
    ("activation=tanh", "seed=3", "epochs=3000"): ("plateau", "(0, 1), (1, 0) and (1, 1) are tied at 2/3"),
    ("init=uniform", "lr=0.1", "epochs=300"): ("plateau", "all four examples are tied at 1/2"),
    ("stop=loss", "stop.below=2.9", "lr=0.001", "epochs=2000"): ("early", "more would not solve it"),
    ("stop=loss", "stop.below=1.9", "lr=0.5", "epochs=5000"): ("early", "It was still learning at its last epoch."),
    ("epochs=50", "seed=1"): ("training", "It was still learning at its last epoch."),
    ("epochs=0",): ("training", "Nothing was trained: epochs=0."),
}


def run_of(*overrides: str) -> Run:
    return run_with("film=none", *overrides)


@pytest.mark.parametrize(("overrides", "expected"), CASES.items(), ids=[" ".join(words) for words in CASES])
def test_each_state_has_its_name_and_its_reason(overrides: tuple[str, ...], expected: tuple[str, str]) -> None:
    run = run_of(*overrides)
    assert run.outcome == expected[0]
    assert expected[1] in verdict(run)


def test_every_outcome_has_a_case_and_a_verdict() -> None:
    assert {outcome for outcome, _ in CASES.values()} == set(ORDER)
    assert set(SENTENCES) == set(ORDER)
    assert set(OUTCOMES) == {"pending", *ORDER, *REASONS}


def test_the_codes_of_records_never_change() -> None:
    assert [f"{code(word)} {word}" for word in OUTCOMES] == [
        "0 pending", "1 diverged", "2 solved", "3 linear", "4 clones", "5 dead", "6 saturated", "7 plateau", "8 early",
        "9 training", "10 exploded", "11 learnt", "12 vanishing", "13 slow", "14 oscillating", "15 overfitting",
    ]  # fmt: skip


def test_the_order_of_trial_is_not_that_of_the_codes() -> None:
    assert " ".join(ORDER) == "diverged solved learnt exploded linear clones dead saturated plateau early training"


@pytest.mark.parametrize("words", list(CASES), ids=" ".join)
def test_the_outcome_is_the_first_that_holds_and_is_not_among_the_reasons(words: tuple[str, ...]) -> None:
    """The exceptions: a run that its rule stopped is early, also at a plateau; one that moves may have dead units."""
    run = run_of(*words)
    for reason in set(run.reasons) & set(ORDER):
        is_later = ORDER.index(reason) > ORDER.index(run.outcome)
        assert is_later or (run.outcome, reason) in (("early", "plateau"), ("training", "dead"), ("early", "dead"))


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


STAYED = ("output=sigmoid", "loss=half_sse", "init=uniform", "init.low=-1", "init.high=1", "lr=0.5", "seed=9")


def test_right_outputs_that_creep_do_not_keep_a_run_from_being_stuck() -> None:
    """Half solved: the right outputs move on, the wrong ones are tied, and nothing is solved 4 times as late."""
    run, late = run_of(*STAYED, "epochs=5000"), run_of(*STAYED, "epochs=20000", "track.losses=2")
    wrong = np.abs(run.predict(run.x) - run.t)[:, 0] >= 0.5
    assert wrong.sum() == 2
    assert run.outcome == "plateau"
    assert np.abs(run.predict(run.x) - late.predict(run.x))[~wrong].max() > 0.01
    assert late.outcome != "solved"


HORIZONS = [("bce", 1.0), ("mse", 1.0), ("half_sse", 2.0), ("huber", 2.0)]
EPOCHS, SEEDS = (300, 1000, 2000), 40


def started(activation: str, loss: int) -> TrainedRuns:
    """40 seeds of a 2-2-1 network after the fewest epochs; each loss has its own seeds."""
    name, lr = HORIZONS[loss]
    setup = some_setup(
        {"seed": SEEDS * loss + np.arange(SEEDS, dtype=np.uint32)},
        loss=(name, {"reduction": "mean"}),
        output="sigmoid",
        lr=lr,
        epochs=EPOCHS[0],
        activation=activation,
        track={"losses": 2, "frames": 2, "spacing": "even", "bytes": 2**30},
    )
    return train_in_memory(setup)


def test_stuck_runs_are_not_solved_by_as_many_epochs_again_and_the_others_improve() -> None:
    """1,440 runs: at most 2 % of the stuck are ever right up to 2 T; half of the training are, or halve their loss."""
    stuck, soon, training, better = 0, 0, 0, 0
    solved = code("solved")
    for activation, loss in itertools.product(("tanh", "sigmoid", "relu"), range(len(HORIZONS))):
        runs = started(activation, loss)
        rows, watched_rows = {EPOCHS[0]: runs.rows}, dict[int, Array]()
        for epochs in sorted({*EPOCHS[1:], *(4 * epochs for epochs in EPOCHS)}):  # one training, judged on its way
            now_at = runs.setup.population.epochs
            if now_at in EPOCHS:
                watched_rows[now_at] = trained_on(runs, "stop=solved", f"epochs={2 * now_at}").rows
            runs = trained_on(runs, f"epochs={epochs}")
            rows[epochs] = runs.rows
        for epochs in EPOCHS:
            now, late, watched = rows[epochs], rows[4 * epochs], watched_rows[epochs]
            is_right = (watched["outcome"] == solved) & (watched["epochs_done"] > epochs)
            is_better = (late["outcome"] == solved) | (late["final_loss"] < now["final_loss"] / 2)
            moves = now["outcome"] == code("training")
            rests = ~moves & (now["outcome"] != solved)
            stuck, soon = stuck + rests.sum(), soon + is_right[rests].sum()
            training, better = training + moves.sum(), better + is_better[moves].sum()
    assert stuck >= 600
    assert training >= 100
    assert soon <= 0.02 * stuck
    assert better >= 0.5 * training


def test_a_dead_unit_has_a_gradient_of_exactly_zero_on_every_example() -> None:
    units = 0
    for seed in range(6):
        run = run_of("activation=relu", f"seed={seed}", "lr=0.3", "epochs=300", "architecture.hidden=[3]")
        dead = {unit for _, unit in findings(run.task, run.parameters[-1]).dead}
        assert ("dead" in (run.outcome, *run.reasons)) == bool(dead)
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
            assert dead_since(few.task, [(0, unit)], few.epochs, few.parameters) == {(since, True): [(0, unit)]}
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
    assert linear_fit(run.task)[0][0] == pytest.approx(lowest, abs=1e-6)
    assert linear_fit(run.task)[1][0] == ("data=or" in words)


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


GRID = {"seed": np.tile(np.arange(50), 2), "init.scale": np.repeat([0.1, 1.0], 50)}
CONSTANT = {"bce": 4 * np.log(2), "mse": 0.25}  # the loss of XOR's best constant answer, 1/2


@cache
def exploding(loss: str, hidden: tuple[int, ...]) -> Any:
    return train_in_memory(
        some_setup(GRID, activation="tanh", loss=loss, architecture=("mlp", {"hidden": list(hidden)}))
    )


@pytest.mark.parametrize("loss", CONSTANT)
def test_a_run_is_exploded_if_its_loss_passed_a_thousand_times_its_start_and_the_constant(loss: str) -> None:
    counts = {False: 0, True: 0}
    for hidden in ((2,), (4,), (4, 4)):
        runs = exploding(loss, hidden)
        losses, rows = runs.array("losses"), runs.rows
        for k, row in enumerate(rows):
            beyond = np.flatnonzero(losses[:, k] > 1000 * max(losses[0, k], CONSTANT[loss]))
            is_solved, has_diverged = row["outcome"] == code("solved"), row["diverged_at"] >= 0
            assert row["constant_loss"] == pytest.approx(CONSTANT[loss])
            assert row["exploded_at"] == (beyond[0] if len(beyond) and not is_solved else -1)
            holds = row["exploded_at"] >= 0 and not has_diverged
            assert (row["outcome"] == code("exploded")) == holds
            counts[bool(holds)] += 1
    assert counts[False] > 0
    assert counts[True] > 20 or loss == "bce"


def test_exploded_runs_are_counted_filtered_and_named_in_one_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from xortrain.cli import main

    monkeypatch.chdir(tmp_path)
    words = ["activation=tanh", "loss=mse", "architecture.hidden=[4]", "init.scale=1", "seed=range(0,50)", "film=none"]
    assert main(["-m", *words]) == 0
    number = (exploding("mse", (4,)).rows[50:]["outcome"] == code("exploded")).sum()
    diverged = (exploding("mse", (4,)).rows[50:]["outcome"] == code("diverged")).sum()
    head, line = capsys.readouterr().out.splitlines()[:2]
    assert "diverged or exploded  stuck" in head
    assert int(line.split()[-2]) == number + diverged
    found = xortrain.runs("outputs", where="outcome = 'exploded'")
    assert len(found) == number > 0
    assert len(xortrain.runs("outputs", where="exploded_at > 0")) >= number
    first = found[0]
    at, losses = first.row["exploded_at"], first.losses
    assert f"Exploded: at epoch {at} the loss passed 1,000 times" in first.summary()
    assert losses[at] > 1000 * max(losses[0], 0.25) >= losses[at - 1]


def vote(x: Array, t: Array, at: Array, targets: Array, *, leave_out: bool) -> float:
    """The accuracy of the vote of the 15 nearest of x for the examples ``at``."""
    scale, right = x.std(axis=0), 0
    for k, one in enumerate(at):
        order = np.argsort((((x - one) / scale) ** 2).sum(axis=1), kind="stable")
        near = order[order != k][:15] if leave_out else order[:15]
        right += (t[near].mean() > 0.5) == targets[k]
    return right / len(at)


@pytest.mark.parametrize("share", [0.0, 0.4])
@pytest.mark.parametrize("data", ["moons", "circle"])
def test_learnt_is_what_its_definition_says(data: str, share: float) -> None:
    """Loss below 95 % of the entropy of the classes, accuracy at most 10 points under the vote of 15 neighbours."""
    found = set()
    for epochs, seed in itertools.product((5, 60, 400), range(4)):
        words = [f"data={data}", "data.noise=0.25", "data.examples=80", f"data.test={share}", f"data.seed={seed}"]
        words += ["loss.reduction=sum", "lr=0.1", f"epochs={epochs}"]
        run = run_of(*words, "architecture.hidden=[6]", "activation=tanh", f"seed={seed}")
        t, p = run.t[:, 0], run.t.mean()
        entropy = -len(t) * (p * np.log(p) + (1 - p) * np.log(1 - p))
        held = run.setup.test
        x_asked, t_asked = (held.x, held.t[:, 0, 0]) if held else (run.x, t)
        allowed = vote(run.x, t, x_asked, t_asked, leave_out=not held)
        accuracy = ((run.predict(x_asked)[:, 0] > 0.5) == t_asked).mean()
        is_solved = bool(((run.predict(run.x)[:, 0] > 0.5) == t).all())
        most = (t_asked == (p > 0.5)).mean()
        is_known = allowed > most
        is_near = accuracy >= max(allowed - 0.1, (allowed + most) / 2)
        is_learnt = not is_solved and is_known and run.losses[-1] < 0.95 * entropy and is_near
        assert (run.outcome == "learnt") == is_learnt
        assert (run.outcome == "solved") == is_solved
        found |= {run.outcome, "better" if accuracy > allowed else "below"}
        if run.outcome in ("learnt", "plateau", "training"):
            of = " of the held-out examples" if held else ""
            limits = f"a vote of neighbours {100 * allowed:.3g} %, a constant answer {100 * most:.3g} %"
            how = "Learnt" if is_learnt else "Not solved"
            begins = f"{how}: {100 * accuracy:.3g} %{of} right; {limits}. Loss "
            assert run.summary().startswith(begins) == is_known
    assert found >= {"learnt", "better", "below"}
    assert found & {"plateau", "training"}


def test_a_run_that_always_answers_the_more_frequent_class_has_not_learnt() -> None:
    stream = np.random.RandomState(0)
    x = stream.uniform(-1, 1, (300, 2))
    t = (np.hypot(*(x - 0.4).T) < 0.3).astype(float)
    run = xortrain.train("lr=1", "epochs=3000", "film=none", "advice=none", data=(x, t))
    assert 0.03 < t.mean() < 0.1  # a constant answer is at most ten points below what the data allow
    assert not (run.predict(x) > 0.5).any()
    assert run.row["accuracy"] == 1 - t.mean()
    assert run.row["final_loss"] < 0.95 * run.row["constant_loss"]
    assert run.outcome != "learnt"


@cache
def healthy_relus() -> list[RunData]:
    """24 networks, most of which have some dead units; all of them learn."""
    runs, seeds = list[RunData](), np.arange(6)
    for data, hidden in itertools.product(("circle", "moons"), ("[16,16]", "[8,8,8]")):
        config = config_with(
            f"data={data}", "data.noise=0.2", "data.examples=100", f"architecture.hidden={hidden}", "activation=relu",
            "init=he_uniform", "optimizer=adam", "lr=0.01", "loss.reduction=mean", "epochs=150",
        )  # fmt: skip
        together = train_in_memory(Setup.of(Population(config, {"seed": seeds}, seeds)))
        runs += [RunData(together, place) for place in range(len(seeds))]
    return runs


def test_dead_units_of_a_network_that_learns_are_only_a_remark() -> None:
    remarks = 0
    for run in healthy_relus():
        assert run.outcome in ("solved", "learnt")
        off = findings(run.task, run.parameters[-1]).dead
        assert ("dead" in run.reasons) == bool(off)
        remarks += bool(off)
    assert remarks > 12


@pytest.mark.parametrize(("biases", "outcome"), [([-9, -9], "dead"), ([0, -9], "training")])
def test_a_run_that_moves_is_dead_only_if_a_whole_layer_is_off(biases: list[float], outcome: str) -> None:
    """The output's bias is far from its best value, so that the loss falls in any case."""
    weights = {"W1": [[1, 0.5], [0.5, 1]], "b1": biases, "W2": [[0.3, 0.3]], "b2": [6]}
    task = some_setup(init=("explicit", {"weights": weights}), activation="relu", lr=0.05, epochs=40)
    run = RunData(train_in_memory(task))
    assert run.losses[-1] < 0.7 * run.losses[0]
    assert run.outcome == outcome
    assert "dead" in {run.outcome, *run.reasons}


def test_many_dead_units_are_counted_and_dated() -> None:
    """Of 8 or more dead units half are so since the epoch in the sentence, by a forward pass through all snapshots."""
    run = run_of("activation=relu", "architecture.hidden=[9]", "lr=3", "epochs=100", "batch_size=1")
    w, b = run.parameters[:, :18].reshape(-1, 9, 2), run.parameters[:, 18:27]
    off = (np.einsum("fui,ni->fnu", w, run.x) + b[:, None] <= 0).all(axis=1)
    since = sorted(101 - len(list(itertools.takewhile(bool, column[::-1]))) for column in off.T if column[-1])
    assert len(since) > 6
    assert f"{len(since)} units are dead, half of them by epoch {since[(len(since) - 1) // 2]}:" in verdict(run)


@pytest.mark.parametrize("start", ["xavier_uniform", "torch_default"])
def test_deep_networks_that_drift_to_the_mean_of_the_classes_are_not_learning(start: str) -> None:
    """Eight layers of sigmoids pass no gradient on: the common output moves, the examples stay tied."""
    setup = some_setup(
        {"seed": np.arange(12, dtype=np.uint32)},
        architecture=("mlp", {"hidden": [8] * 8}),
        data=("moons", {"noise": 0.1, "examples": 100}),
        loss=("bce", {"reduction": "mean"}),
        init=start,
        lr=0.02,
        epochs=100,
    )
    runs = train_in_memory(setup)
    y = np.array([RunData(runs, k).predict(RunData(runs, k).x)[:, 0] for k in range(12)])
    first = np.array([RunData(runs, k).predict(RunData(runs, k).x, 50)[:, 0] for k in range(12)])
    drift, spread = np.abs(y - first).mean(axis=1), np.ptp(y, axis=1)
    assert (drift > spread).mean() > 0.5
    assert code("training") not in runs.rows["outcome"]


def test_a_tie_that_is_about_to_break_is_still_learning() -> None:
    words = ("init=uniform", "lr=0.1", "seed=1")
    now = run_of(*words, "epochs=500")
    assert np.abs(now.predict(now.x) - 0.5).max() < 0.01
    assert now.outcome == "training"
    assert run_of(*words, "epochs=2000").outcome == "solved"


def ratio_of_gradients(run: Run, epoch: int) -> float:
    """The root mean square of the gradient of the first weights, relative to that of the last."""
    first, *_, last = (g for name, g in run.gradients(epoch).items() if name.startswith("W"))
    return float(np.sqrt((first**2).mean() / (last**2).mean()))


def test_a_gradient_that_vanishes_is_measured_and_that_of_healthy_networks_does_not() -> None:
    named = 0
    for seed, layers in itertools.product(range(3), (1, 4, 8, 10)):
        run = run_of(f"architecture.hidden={[4] * layers}".replace(" ", ""), "lr=0.5", "epochs=50", f"seed={seed}")
        ratio = min(ratio_of_gradients(run, epoch) for epoch in (0, 50))
        assert ("vanishing" in run.reasons) == (run.outcome != "solved" and layers > 1 and 0 < ratio < 1e-3)
        if "vanishing" in run.reasons:
            assert f"in the first layer it is {ratio:.1g} times that in the last" in verdict(run)
            named += 1
    assert named > 2
    for healthy in healthy_relus():
        assert not {"vanishing", "slow"} & {*healthy.reasons}


@pytest.mark.parametrize("lr", [1e-9, 1e-6, 1e-5, 0.5])
def test_slow_is_a_run_whose_parameters_hardly_move(lr: float) -> None:
    run = run_of(f"lr={lr}", "epochs=100")
    start, end = run.parameters[0], run.parameters[-1]
    moved = 100 * np.sqrt(((end - start) ** 2).sum() / (start**2).sum())
    assert ("slow" in run.reasons) == (moved < 1) == (lr < 0.1)
    if lr < 0.1:
        needed = 100 * (run.losses[-1] - 4 * np.log(2)) / (run.losses[0] - run.losses[-1])
        assert f"in 100 epochs the parameters changed by {moved:.2g} %" in verdict(run)
        number = re.search(r"would take about ([\d.,]+)( million| billion)? more epochs", verdict(run))
        assert number
        size = {" million": 1e6, " billion": 1e9}.get(number[2], 1)
        assert float(number[1].replace(",", "")) * size == pytest.approx(needed, rel=0.05)


def test_a_loss_that_swings_is_named_with_its_last_values() -> None:
    swinging = [["lr=50"], ["lr=8", "activation=tanh", "architecture.hidden=[4]"]]
    settled = [["epochs=40"], ["init=uniform", "lr=0.1"], ["activation=relu", "seed=3"], [*NOISY, "epochs=300"]]
    for words in swinging:
        run = run_of(*words)
        steps, tail = np.diff(run.losses[-9:]), run.losses[-20:]
        assert (steps[1:] * steps[:-1] < 0).mean() >= 0.5
        assert np.abs(steps).mean() > 0.1 * run.losses[-9:].mean()
        assert "oscillating" in run.reasons
        assert f"at the end between {tail.min():.4g} and {tail.max():.4g}" in verdict(run)
    for words in settled:
        run = run_of(*words)
        assert (np.diff(run.losses[-9:]) <= 1e-9).all()
        assert "oscillating" not in run.reasons


@pytest.mark.parametrize("factor", [1e-300, 1, 1e300, 1e308])
def test_losses_of_any_size_swing_alike(factor: float) -> None:
    losses = factor * np.array([[1, 0.5, 1, 0.5, 1], [1, 0.98, 1, 0.98, 1], [1, 0.5, 0.4, 0.3, 0.2], [0] * 5]).T
    assert swing(losses).tolist() == [True, False, False, False]


@pytest.mark.parametrize("epochs", [1, 2, 3, 140, 2000, 2001, 3000])
def test_a_swing_has_bounds_only_where_the_recorded_losses_show_it(epochs: int) -> None:
    """Of 2,000 epochs every other loss is recorded: those of a loss that swings in turn are all alike."""
    run = run_of("lr=50", f"epochs={epochs}")
    assert "oscillating" in run.reasons
    bounds = re.search(r"at the end between ([\d.]+) and ([\d.]+)\.", verdict(run))
    tail = run.losses[1:][-20:]
    if len(tail) > 2 and tail.max() > 1.1 * tail.min():
        assert bounds
        assert (float(bounds[1]), float(bounds[2])) == pytest.approx((tail.min(), tail.max()), rel=1e-3)
    else:
        assert not bounds
        assert "Trained further, its loss swings from epoch to epoch." in verdict(run)


@pytest.mark.parametrize("words", ["", "lr=50 init=constant", "activation=relu init=zeros loss=mse", "activation=sin"])
@pytest.mark.parametrize("none", ["epochs=0", "stop=loss stop.below=100"])
def test_a_run_that_was_not_trained_is_not_said_to_move(words: str, none: str) -> None:
    run = run_of(*words.split(), *none.split())
    assert run.row["epochs_done"] == 0
    why = "epochs=0" if none == "epochs=0" else "its stop rule held at the start"
    assert f"Nothing was trained: {why}." in verdict(run)
    assert not re.search("learning|swing|Going by", verdict(run))


@pytest.mark.parametrize("stop", ["never", "patience"])
@pytest.mark.parametrize("words", ["lr=0.3 activation=tanh loss=mse", "lr=0.3 activation=relu"])
def test_a_loss_that_rises_is_not_called_learning(words: str, stop: str) -> None:
    rule = ["stop=patience", "stop.epochs=2"] if stop == "patience" else []
    run = run_of("optimizer=adam", "init.scale=3", "seed=1", "epochs=12", *words.split(), *rule)
    losses = run.losses[np.isfinite(run.losses)]
    assert "training" in (run.outcome, *run.reasons)
    assert losses[-1] > losses[-2] > losses[-3]
    assert f"Its loss has been as low as {losses.min():.4g}." in verdict(run)
    assert "learning" not in verdict(run)


def test_overfitting_is_a_held_out_loss_that_rose_again() -> None:
    stream = np.random.RandomState(0)
    x, x_test = stream.randn(2, 40, 2)
    labels = stream.randint(0, 2, (2, 40))
    words = ["architecture.hidden=[16]", "activation=tanh", "optimizer=adam", "lr=0.03", "epochs=400"]
    noise = xortrain.train(*words, data=(x, labels[0], x_test, labels[1]))
    held = noise.test_losses
    assert held is not None
    best = int(held.argmin())
    assert held[-1] > 1.2 * held[best]
    assert noise.losses[-1] < noise.losses[best] / 1.2
    assert "overfitting" in noise.reasons
    lowest = f"the held-out loss was lowest at epoch {best}, {held[best]:.4g}, and is now {held[-1]:.4g}"
    fell = f"the training loss fell from {noise.losses[best]:.4g} to {noise.losses[-1]:.4g}."
    assert f"{lowest}; {fell}" in verdict(noise)
    healthy = xortrain.train(*words, "epochs=60", data=(x, x[:, 0] > 0, x_test, x_test[:, 0] > 0))
    assert healthy.test_losses is not None
    assert healthy.test_losses[-1] <= 1.2 * healthy.test_losses.min()
    assert "overfitting" not in healthy.reasons


def test_units_that_differ_are_not_equal_beside_others_of_a_larger_scale(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("size,price\n500,87000\n1500,245000\n2500,395000\n")
    words = ["data=csv", f"data.path={path}", "loss=mse", "activation=relu", "success=tolerance", "lr=1e-5"]
    run = run_of(*words, "architecture.hidden=[8]")
    w, b, out = (run.at(140)[name] for name in ("W1", "b1", "W2"))
    rows = np.concatenate([w, b[:, None], out.T], axis=1)
    assert all((rows[i] != rows[k]).any() for i, k in itertools.combinations(range(8), 2))
    assert findings(run.task, run.parameters[-1]).equal == []
    assert "clones" not in (run.outcome, *run.reasons)
    assert verdict(run).startswith("The inputs are large: size reaches 2,500.")


@given(st.integers(0, 2**32 - 1), st.integers(-12, 12), st.sampled_from(["W1", "b1", "W2"]), st.booleans())
def test_units_are_equal_if_they_differ_by_rounding_on_their_own_scale(
    seed: int, power: int, name: str, is_large_first: bool
) -> None:
    """Five units: two pairs of equal ones at very different scales, of which one pair is then moved apart."""
    task = some_setup({"seed": [0, 1]}, architecture=("mlp", {"hidden": [5]})).task()
    stream, network = np.random.RandomState(seed), task.network
    parts = {"W1": stream.randn(5, 2), "b1": stream.randn(5), "W2": stream.randn(1, 5), "b2": np.zeros(1)}
    for own in (parts["W1"], parts["b1"], parts["W2"].T):
        own[1], own[3] = own[0], own[2] * 1
        own[2:4] = own[2] * 10.0**power
    same = [(0, 1), (2, 3)]
    moved = {key: values.copy() for key, values in parts.items()}
    place = 2 if is_large_first else 0
    view = moved[name].T if name == "W2" else moved[name]
    view[place] *= 1 + 1e-12

    def groups(chosen: dict[str, Array]) -> list[tuple[int, ...]]:
        theta = np.concatenate([chosen[key].ravel() for key in network.shapes])
        (group,) = equal_units(network, np.repeat(theta[:, None], 2, axis=1))
        members = [tuple(np.flatnonzero(group[:, 0] == k).tolist()) for k in np.unique(group[:, 0])]
        return sorted(units for units in members if len(units) > 1)

    assert groups(parts) == same
    assert groups(moved) == [pair for pair in same if place not in pair]


def test_units_that_are_not_finite_are_not_equal() -> None:
    task = some_setup({"seed": [0]}, architecture=("mlp", {"hidden": [3]})).task()
    for number in (np.inf, np.nan):
        (group,) = equal_units(task.network, np.full_like(task.theta, number))
        assert sorted(group[:, 0]) == [0, 1, 2]


BOUNDED = [
    name
    for name, row in ACTIVATIONS.items()
    if np.isfinite(row.range).any() and row.has_gradient and not row.couples_units
]


@pytest.mark.parametrize("output", BOUNDED)
def test_a_target_out_of_reach_is_the_first_that_is_said(output: str) -> None:
    """Targets just beyond each finite end of the output's range; the bound is that of its values at many points."""
    row = ACTIVATIONS[output]
    settings = {
        key: np.full(1, run_of(f"output={output}", "loss=mse", "epochs=1").config["output"][key])
        for key in row.settings
    }
    values = row.f(np.linspace(-60, 60, 2401)[:, None], **settings)
    for end, side, words in ((row.range[1], values.max(), "at most"), (row.range[0], values.min(), "at least")):
        if not np.isfinite(end):
            continue
        assert abs(side - end) < 0.1
        beyond = end + (1 if words == "at most" else -1)
        low, high = sorted((float(beyond), float(values.mean())))
        run = run_of(f"output={output}", "loss=mse", "lr=0.01", f"data.low={low}", f"data.high={high}", "epochs=20")
        sentence = f"No net with output={output} can reach the target {beyond:g}: its outputs are {words} {end:g}."
        assert verdict(run).startswith(sentence) == (run.outcome not in ("solved", "learnt"))
        inside = run_of(f"output={output}", "loss=mse", "lr=0.01", f"data.low={low}", f"data.high={high}", "epochs=0")
        assert verdict(inside).startswith(sentence)


def test_targets_in_reach_are_not_called_out_of_reach() -> None:
    for output in ACTIVATIONS:
        if ACTIVATIONS[output].has_gradient and not ACTIVATIONS[output].couples_units:
            low, high = np.clip([0.0, 0.1], *ACTIVATIONS[output].range)
            if high > low:
                words = (f"output={output}", "loss=mse", f"data.low={low}", f"data.high={high}", "epochs=0")
                assert "can reach" not in verdict(run_of(*words))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(1300, 1.7), (20, 1.1), (700, 0.5), (300, 1.2)], "of very different scale: proline reaches 1,300, hue 1.7."),
        ([(1300, 900), (20, 11), (700, 500), (300, 120)], "large: proline reaches 1,300."),
        ([(-250, 3), (30, 1), (7, 5), (3, 12)], "large: proline reaches 250."),
        ([(9, 3), (3, 1), (7, 5), (3, 12)], ""),
    ],
)
def test_inputs_of_unlike_scale_are_named_by_their_columns(
    rows: list[tuple[float, float]], expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "wine.csv"
    path.write_text("proline,hue,kind\n" + "".join(f"{a},{b},{k % 2}\n" for k, (a, b) in enumerate(rows)))
    text = verdict(run_of("data=csv", f"data.path={path}", "epochs=1", "init.scale=0.001", "lr=1e-9"))
    assert text.startswith(f"The inputs are {expected}") if expected else "inputs are" not in text


def test_examples_of_one_class_are_named_first() -> None:
    run = xortrain.train("loss=mse", "success=tolerance", "epochs=1", data=([[0, 0], [1, 1]], [1, 1]))
    assert run.outcome != "solved"
    assert verdict(run).startswith("All examples have the same target.")


KINDS = {  # of targets
    "two values": [[0.0], [1.0]],
    "classes": [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]],
    "real": [[0.0], [0.4], [0.9], [1.7]],
    "two real": [[0.0, 1], [0.4, 0.7], [0.9, 1], [0.3, 2.5]],
}
RULES = ["success=auto"], ["success=tolerance", "success.within=0.45"], ["success=tolerance", "success.within=0.6"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", RULES, ids=" ".join)
@settings(max_examples=15)
@given(table=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=3, max_size=9))
def test_contradictory_examples_bound_how_many_can_be_right(
    kind: str, rule: list[str], table: list[tuple[int, int]]
) -> None:
    """By trying all means of two targets at each point, which are in every overlap of intervals of equal size."""
    kinds = np.array(KINDS[kind])
    x, t = np.array([[place, 1.0] for place, _ in table]), kinds[[number % len(kinds) for _, number in table]]
    run = xortrain.train("film=none", "epochs=0", "loss=mse", "output=identity", *rule, data=(x, t))
    means = (kinds[:, None] + kinds).reshape(-1, kinds.shape[1]) / 2
    outputs = np.array([*itertools.product(*map(np.unique, means.T))])[:, :, None]
    can_be_right = 0
    for place in np.unique(x[:, 0]):
        right = [run.task.success.unscaled.right(outputs, one[None, :, None]) for one in t[x[:, 0] == place]]
        can_be_right += np.sum(right, axis=0).max()
    most, places = contradictions(run.task)
    assert most >= can_be_right
    assert (most < len(x)) == (len(places) > 0)
    if kind != "two real":
        assert most == can_be_right


def test_what_data_do_not_allow_is_said_and_nothing_is_tried() -> None:
    x = [[0, 0], [0, 1], [1, 0], [1, 1], [1, 1], [0, 0]]
    run = xortrain.train("lr=2", "epochs=500", data=(x, [0, 1, 1, 0, 1, 1]))
    assert verdict(run).startswith(
        "No network can get more than 4 of 6 examples right: at (0, 0) and (1, 1) there are different targets."
    )
    assert "(0, 0) and (0, 0)" not in verdict(run)
    assert str(run.advice) == ""


@pytest.mark.parametrize(
    "output", ["relu", "relu6", "hardtanh", "hardsigmoid", "sigmoid", "tanh", "softplus", "identity"]
)
def test_no_training_of_a_linear_network_gets_below_the_loss_that_is_named(output: str) -> None:
    """The examples cannot be separated, and are scaled unlike; the named loss is that of the best of nine trainings."""
    x, t = np.random.default_rng(4).normal(size=(30, 3)) * [1, 5, 30], np.arange(30) % 3 == 0
    words = ("architecture.hidden=[]", "loss=mse", f"output={output}", "data.scale=standard", "film=none")
    rates = ("optimizer=adam", "lr=0.003,0.03,0.3", "seed=range(0,3)", "epochs=400", "engine=numpy")
    runs = list(xortrain.sweep(*words, *rates, data=(x, t * 1.0)))
    for run in (run for run in runs if run.outcome == "linear"):
        found = re.search(r"the lowest loss( found)? is (\S+)\.", verdict(run))
        assert found
        assert bool(found[1]) == (output != "identity")
        assert float(found[2]) <= 1.0001 * min(other.losses.min() for other in runs)


@pytest.mark.parametrize("output", ["relu", "relu6", "hardswish"])
def test_an_output_that_is_flat_at_zero_does_not_hide_a_line_that_separates_the_examples(output: str) -> None:
    run = run_of("architecture.hidden=[]", f"output={output}", "loss=mse", "data=or", "lr=1e-6", "epochs=5")
    assert linear_fit(run.task)[1][0]
    assert run.outcome != "linear"


@pytest.mark.parametrize("output", BOUNDED)
def test_targets_that_are_all_out_of_reach_have_the_bound_that_is_next_to_them(output: str) -> None:
    low, high = ACTIVATIONS[output].range
    for end, side, words in ((low, -1, "at least"), (high, 1, "at most")):
        if np.isfinite(end):
            low_high = sorted((end + side, end + 2 * side))
            both = (f"data.low={low_high[0]}", f"data.high={low_high[1]}")
            text = verdict(run_of(f"output={output}", "loss=mse", *both, "epochs=0"))
            assert f"the target {end + 2 * side:g}: its outputs are {words} {end:g}." in text


def test_equal_targets_are_not_an_interval_of_constant_answers() -> None:
    data = ([[0, 0], [1, 1], [0, 1]], [3, 3, 3])
    text = verdict(xortrain.train("loss=mae", "lr=1e-6", "epochs=1", "success=tolerance", data=data))
    assert "All examples have the same target." in text
    assert "Every constant answer" not in text


def test_steps_are_called_small_only_if_the_parameters_hardly_changed() -> None:
    x, words = [[0.0], [1], [2], [3]], ("init.scale=0.01", "film=none", "epochs=10", "optimizer=adam", "lr=0.1")
    far = xortrain.train(*words, data=(x, [900.0, 950, 930, 1000]))
    moved = np.linalg.norm(far.parameters[-1] - far.parameters[0]) / np.linalg.norm(far.parameters[0])
    assert "slow" in far.reasons
    assert moved > 10
    text = verdict(far)
    assert "The steps are small" not in text
    said = re.search(r"The loss falls slowly: in 10 epochs the parameters changed by ([\d,]+) %", text)
    assert said
    assert float(said[1].replace(",", "")) == pytest.approx(100 * moved, rel=0.05)


def test_a_loss_that_no_longer_falls_has_no_speed() -> None:
    """It fell in its first epochs: a sum that includes them says nothing about the epochs to come."""
    dead_end = ("activation=silu", "output=silu", "optimizer=rmsprop", "lr=8.66", "data=xor_cloud", "data.scale=none")
    decayed = ("loss=atanh_error", "schedule=exponential", "data=circle", "architecture.hidden=[1]", "seed=26")
    for run in (run_of(*dead_end, "epochs=60"), run_of(*decayed, "lr=0.002", "epochs=1000")):
        assert run.losses[0] > run.losses[-1] > run.row["constant_loss"]
        assert not {"solved", "learnt"} & {run.outcome}
        assert "At this speed" not in verdict(run)
        assert "falls slowly" not in verdict(run)


@pytest.mark.parametrize("loss", ["mse", "bce", "atanh_error", "smooth_l1"])
def test_a_slow_run_goes_a_third_of_its_way_in_the_epochs_that_are_named_and_all_of_it_in_no_fifth_of_them(
    loss: str,
) -> None:
    for data, seed in (("xor", 30), ("nand", 20), ("moons", 50)):
        run = run_of(f"loss={loss}", "lr=0.0005", f"data={data}", f"seed={seed}", "epochs=20", "init.scale=2")
        said = re.search(r"as that of a constant answer would take about ([\d,]+) more epochs", verdict(run))
        assert said, verdict(run)
        needed = int(said[1].replace(",", ""))
        longer, constant = run.more(needed), run.row["constant_loss"]
        left = (longer.losses - constant) / (run.losses[-1] - constant)
        assert left[-1] < 2 / 3  # the fall of a loss slows down
        assert left[longer.loss_epochs < needed / 5].min() > 0


def test_a_layer_without_any_gradient_is_no_vanishing_one() -> None:
    """At the start dL/dW1 is exactly 0, since all weights are; the ratio at the end is the one that is named."""
    words = ("architecture.hidden=[1,1,1,1]", "film=none", "lr=0.1", "epochs=200")
    for seed in range(5):
        run = run_of(*words, "init=zeros" if seed == 0 else "init.scale=0.1", f"seed={seed}")
        assert "is 0 times" not in verdict(run)
        assert "nan" not in verdict(run)
    far = xortrain.train(
        "architecture.hidden=[1,1,1,1,1,1]", "architecture.bias=false", "optimizer=rprop", "lr=30", "epochs=5",
        "data.scale=standard", "seed=4", data=(np.random.default_rng(0).normal(size=(120, 4)), np.arange(120.0) ** 2),
    )  # fmt: skip
    assert "nan" not in verdict(far)


@pytest.mark.parametrize("corners", [[(0, 0), (0, 0), (1, 1), (1, 1)], [(0, 0), (0, 1), (1, 0), (1, 1)]])
def test_corners_are_those_of_a_square(corners: list[tuple[int, int]]) -> None:
    run = xortrain.train("init=uniform", "lr=0.4", "epochs=300", "film=none", data=(corners, [0, 1, 1, 0]))
    assert "tied at 1/2" in verdict(run)
    assert ("corner" in verdict(run)) == (len(set(corners)) == 4)


def test_two_examples_are_both() -> None:
    run = xortrain.train("init.scale=1e-9", "lr=1e-9", "epochs=1", "film=none", data=([[0, 0], [1, 1]], [0, 1]))
    assert "Both examples are tied at 1/2." in verdict(run)


def test_of_a_dead_output_no_other_unit_is_said_to_be_enough() -> None:
    words = ("architecture.hidden=[1]", "output=relu", "loss=mse", "init=constant", "init.value=-1", "film=none")
    run = xortrain.train(*words, "success=tolerance", data=([[1, 1], [2, 1]], [0, 0]))
    assert run.outcome == "solved"
    assert verdict(run).startswith("The output is dead from the start")
    assert "enough" not in verdict(run)


def test_a_column_of_zeros_is_not_the_small_one() -> None:
    rows = [[0, 900, 1], [0, 20, 2], [0, 500, 1.5]]
    text = verdict(xortrain.train("epochs=1", "lr=1e-9", "film=none", data=(rows, [0.1, 0.5, 0.4])))
    assert "x2 reaches 900, x3 2." in text


def test_the_change_of_enormous_parameters_is_a_share() -> None:
    run = run_of("activation=sin", "init.scale=1e294", "epochs=6", "data=moons")
    start, end = (1e-290 * run.parameters[k] for k in (0, -1))  # their squares have no overflow
    share = float(f"{100 * np.linalg.norm(end - start) / np.linalg.norm(start):.2g}")
    assert np.abs(run.parameters).max() > 1e290
    assert f"The steps are small: in 6 epochs the parameters changed by {share:g} %" in verdict(run)


def test_outputs_that_overflow_are_judged_without_a_warning() -> None:
    words = ("activation=gelu_tanh", "output=mish", "data=xor_cloud", "data.test=0.5", "lr=1e220", "epochs=1")
    run = run_of(*words, "seed=25", "architecture.hidden=[8]", "init.scale=0.263")
    assert np.abs(run.parameters[-1]).max() > 1e200
    assert f"Not solved: {100 * run.accurate.mean():.0f} % of the held-out examples right" in run.summary()
