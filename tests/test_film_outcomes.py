"""Films, summaries and tables say of every run how it ended, by one rule and in the same words."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from some_films import record_text, run_of

import xortrain
from xortrain.films.canvas import Box, Canvas
from xortrain.films.data import KINDS, FilmData, RunFrames
from xortrain.films.film import make_layout
from xortrain.films.film_settings import LAYOUTS, FilmSettings
from xortrain.films.panel import format_loss
from xortrain.records.groups import statistics
from xortrain.trained.run_data import RunData
from xortrain.training.outcome import ORDER, code
from xortrain.views.group_table import best_groups
from xortrain.views.headline import headline
from xortrain.views.run_film import film_data, run_film_data, with_snapshots
from xortrain.views.run_story import run_story
from xortrain.views.sweep_film import film_data_of
from xortrain.views.verdict import conjoined, verdict

pytestmark = pytest.mark.usefixtures("quick_composition")
SAYS = {
    "solved": ("Solved: every example is right from epoch 3 on.", 3, "solved"),
    "diverged": ("Diverged: W1 is not finite at epoch 5.", 5, "diverged"),
    "exploded": ("Exploded: at epoch 7 the loss passed", 7, "exploded"),
    "learnt": ("Learnt: 3 of 4 examples right.", 30, "learnt"),
    "linear": ("Not solved:", 30, "stuck"),
    "clones": ("Not solved:", 30, "stuck"),
    "dead": ("Not solved:", 30, "stuck"),
    "saturated": ("Not solved:", 30, "stuck"),
    "plateau": ("Not solved:", 30, "stuck"),
    "early": ("Stopped early:", 30, "not solved"),
    "training": ("Not solved:", 30, "not solved"),
    "pending": ("Not finished", 20, "not solved"),
}
"""How its summary begins; the epoch from which a film says it; what a sweep's film counts it as."""
BANNERS = ("diverged at epoch 5", "exploded at epoch 7")
KNOWN = {*SAYS, "still training", "not finished", *BANNERS, "not solved"}


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Box]]:
    return record_text(monkeypatch)


def ended(outcome: str) -> RunData:
    """One run with each outcome, and all events in its row; an unfinished one has no numbers from epoch 20 on."""
    trained = xortrain.train("epochs=30", "lr=3", "seed=2").trained  # an example is right from epoch 27 on
    rows = trained.rows.copy()
    events = {"solved_at": 3, "diverged_at": 5, "diverged_in": 0, "exploded_at": 7}
    for name, value in {"outcome": code(outcome), "epochs_done": 30, **events}.items():
        rows[name] = value
    if outcome == "pending":
        trained.array("parameters")[20:], trained.array("losses")[20:], rows["epochs_done"] = np.nan, np.nan, 20
    return RunData(replace(trained, rows=rows))


@pytest.mark.parametrize("hidden", ["[]", "[8]", "[4,4]"])
@pytest.mark.parametrize("lr", [1e5, 1e100])
def test_the_film_of_a_run_of_classes_that_diverges_warns_of_nothing(lr: float, hidden: str, tmp_path: Path) -> None:
    """Warnings are errors here; softmax subtracts the largest z, which is infinite in the end."""
    x, kinds = np.random.default_rng(0).normal(size=(12, 2)), np.repeat(["a", "b", "c"], 4)
    words = ["epochs=6", f"lr={lr}", "activation=relu", f"architecture.hidden={hidden}"]
    for seed in range(3):
        run = xortrain.train(*words, f"seed={seed}", data=(x, kinds))
        assert run.film(tmp_path / "still.png", still=True).exists()
        assert run.outcome in ("diverged", "exploded") or lr < 1e100


@pytest.mark.parametrize("layout", ["losses", "weights"])
def test_a_film_of_a_run_without_epochs_says_that_it_is_not_trained(
    layout: str, written: list[tuple[str, Box]]
) -> None:
    make_layout(film_data(xortrain.train("epochs=0").trained), FilmSettings(layout=layout)).frame(0)
    assert "not trained" in [word for word, _ in written]


@pytest.mark.parametrize("layout", ["field", "losses", "weights"])
@pytest.mark.parametrize("outcome", [*ORDER, "pending"])
def test_a_film_of_one_run_says_the_outcome_of_its_summary_from_its_epoch_on(
    outcome: str, layout: str, written: list[tuple[str, Box]]
) -> None:
    run, (head, since, _) = ended(outcome), SAYS[outcome]
    assert headline(run).startswith(head)
    status = {"training": "still training", "pending": "not finished"}.get(outcome, outcome)
    banner = {"diverged": "diverged at epoch 5", "exploded": "exploded at epoch 7", "pending": status}.get(outcome, "")
    says = {"field": {banner}, "losses": {status}, "weights": {status, banner}}[layout]
    film = make_layout(film_data(run.trained), FilmSettings(layout=layout))
    for epoch in (0, since - 1, since, 30):
        written.clear()
        film.frame(epoch)
        before = {"not solved"} if layout in ("losses", "weights") else set[str]()
        assert {word for word, _ in written if word in KNOWN} == (says - {""} if epoch >= since else before)


@pytest.mark.parametrize("outcome", [*ORDER, "pending"])
def test_a_story_says_at_the_end_what_its_summary_says_and_what_happened_at_its_epoch(
    outcome: str, written: list[tuple[str, Box]]
) -> None:
    run, (head, since, _) = ended(outcome), SAYS[outcome]
    first = f"{headline(run).partition('. ')[0].removesuffix('.')}."
    assert first.startswith(head)
    data = run_film_data(run.trained)
    film, happens = make_layout(data, FilmSettings()), outcome in ("solved", "diverged", "exploded")
    labels = {event.label for event in data.events if event.caption == first}
    assert len(labels) == happens
    assert all(label.endswith(outcome) for label in labels)
    banner = {"diverged": "diverged at epoch 5", "exploded": "exploded at epoch 7"}.get(outcome)
    for epoch in (0, since - 1, since, 29, 30):
        written.clear()
        film.frame(epoch)
        words = [word for word, _ in written]
        assert (first in words) == (epoch == 30 or (happens and epoch == since) or told_last(data, first, epoch))
        assert labels <= {*words} if epoch >= since else not labels & {*words}
        assert (banner in words) == (banner is not None and epoch >= since)


@pytest.mark.parametrize("layout", ["story", "field", "weights"])
def test_after_its_last_snapshot_neither_the_loss_nor_an_example_of_a_run_is_judged(
    layout: str, written: list[tuple[str, Box]], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers, draw = list[str](), Canvas.number

    def number(canvas: Canvas, box: Box, low: int, words: str, *others: Any) -> None:
        numbers.append(words)
        draw(canvas, box, low, words, *others)

    monkeypatch.setattr(Canvas, "number", number)
    data = run_film_data(ended("pending").trained)
    film, frames = make_layout(data, FilmSettings(layout=layout)), RunFrames(data, 0)
    for epoch, loss, count in ((19, format_loss(frames.at(19).loss), "2/4 right"), (30, "-", "-/4 right")):
        written.clear()
        numbers.clear()
        film.frame(epoch)
        assert numbers == [str(epoch), loss]
        assert ({word for word, _ in written if "right" in word} == {count}) == (layout == "story")
        assert frames.at(epoch).right.all() == (epoch == 30)


@pytest.mark.parametrize("outcome", ["diverged", "exploded", "training"])
def test_a_run_that_has_diverged_or_exploded_is_not_praised_for_an_example(outcome: str) -> None:
    run = ended(outcome)
    is_told = any(event.label.endswith(" right") for event in run_film_data(run.trained).events)
    assert is_told == (outcome == "training")


def test_an_example_that_is_right_at_the_last_epoch_alone_has_not_become_right() -> None:
    """While the outputs flip, the same two are right at every other epoch, and so at the end of half of the runs."""
    found = {}
    for epochs in range(25, 31):
        events = run_film_data(xortrain.train("lr=3", "seed=2", f"epochs={epochs}").trained).events
        found[epochs] = [event.epoch for event in events if event.label.endswith(" right")]
    assert found == {25: [], 26: [], 27: [], 28: [27], 29: [27], 30: [27]}


def test_examples_with_equal_inputs_become_right_under_one_name() -> None:
    x, t = [[0, 0], [0, 1], [1, 0], [1, 1], [0, 1], [1, 0]], [0, 1, 1, 0, 1, 1]
    run = xortrain.train("lr=5", "epochs=300", "architecture.hidden=[4]", "seed=1", data=(x, t))
    events = [(event.label, event.caption) for event in run_film_data(run.trained).events]
    assert events[0] == ("(0, 1), (1, 0) right", "(0, 1) and (1, 0) are right from epoch 3 on.")


@pytest.mark.parametrize(
    "overrides",
    [("data=circle", "batch_size=1", "lr=0.05"), ("data=moons", "lr=0.5"), ("data=sine", "lr=0.1", "activation=tanh"),
     ("data=spiral", "optimizer=adam", "lr=0.02"), ("data=gauss", "lr=0.001")],
)  # fmt: skip
def test_half_or_90_percent_are_right_from_the_epoch_on_from_which_so_many_are_counted(overrides: list[str]) -> None:
    """The count of the outputs panel is the oracle: it is on screen beside the sentence."""
    data = run_film_data(xortrain.train(*overrides, "epochs=40").trained)
    frames = RunFrames(data, 0)
    counts = np.array([frames.at(number).right.sum() for number in range(len(data.frame_epochs))])
    found = {event.label: event.epoch for event in data.events if event.label.endswith(" right")}
    for label, least in (("half right", 100), ("90 % right", 180)):
        below = np.flatnonzero(counts < least * len(data.x) / 200)
        if label in found:
            assert data.frame_epochs[below[-1] + 1] == found[label]
        else:  # it was so from the start, never stayed so, or the event of the outcome says it
            assert not len(below) or below[-1] >= len(counts) - 2 or data.ending.startswith("Solved")


def test_films_of_few_frames_and_stills_mark_what_happens_at_the_same_epochs(
    tmp_path: Path, written: list[tuple[str, Box]]
) -> None:
    run, labels = xortrain.train("lr=2", "epochs=120", "track.frames=9"), list[set[str]]()
    films: dict[str, dict[str, Any]] = {"all.gif": {}, "few.gif": {"frames": 4}, "still.png": {"still": True}}
    for name, settings in films.items():
        written.clear()
        run.film(tmp_path / name, **settings)
        labels.append({word for word, box in written if box.y > 400})  # beside the loss curve
    of_all, of_few, of_still = labels
    assert of_all
    assert of_all == of_few == of_still


@pytest.mark.parametrize("is_alone", [True, False])
@pytest.mark.parametrize("frames", [3, 200])
@pytest.mark.parametrize("words", [("seed=3",), ("seed=5", "lr=0.3"), ("architecture.hidden=[8]", "lr=2", "seed=1")])
def test_a_unit_dies_at_one_epoch_in_summary_page_and_film(words: tuple[str, ...], frames: int, is_alone: bool) -> None:
    """The oracle are the snapshots of every epoch; of more units than are named, snapshots alone tell."""
    settings = "activation=relu", *words
    run = xortrain.train(*settings, "epochs=5000", f"track.frames={frames}")
    every = xortrain.train(*settings, "epochs=200", "track.frames=201")
    hidden = len(run.at(0)["b1"])
    net = [every.at(epoch) for epoch in range(201)]
    is_alive = np.array([((every.x @ one["W1"].T + one["b1"]) > 0).any(axis=0) for one in net])
    died = [int(np.flatnonzero(alive)[-1]) + 1 if alive.any() else 0 for alive in is_alive.T]
    expected = {epoch for epoch in died if 0 < epoch < 201}
    assert expected
    events = {e["epoch"]: e["caption"] for e in run_story(run, is_alone=is_alone)["events"] if "dead" in e["label"]}
    if sum(epoch < 201 for epoch in died) > 6:
        assert all("at the latest" in caption for caption in events.values())
        return
    assert set(events) == expected
    for epoch in expected:
        names = [f"h{unit + 1}" for unit in range(hidden) if died[unit] == epoch]
        words_of_both = f"{conjoined(names)} {'is' if len(names) == 1 else 'are'} dead from epoch {epoch} on"
        assert words_of_both in events[epoch]
        assert words_of_both in verdict(run)


def told_last(data: FilmData, caption: str, epoch: int) -> bool:
    """Whether that caption is the latest one."""
    current = [one for one in data.events if one.epoch <= epoch and (one.until is None or one.until >= epoch)]
    return bool(current) and current[-1].caption == caption


@pytest.mark.parametrize("outcome", [*ORDER, "pending"])
def test_films_count_an_outcome_as_the_table_does(outcome: str) -> None:
    rows = {"outcome": np.array([outcome], object), "solved_at": np.array([3]), "final_loss": np.array([0.1])}
    (table,) = statistics(rows, [])
    counts = film_data(ended(outcome).trained).outcomes.counts(30)
    assert counts == {kind: int(kind == SAYS[outcome][2]) for kind in counts}
    assert counts["diverged"] + counts["exploded"] == table.diverged
    assert [counts[kind] for kind in ("solved", "learnt", "stuck")] == [table.solved, table.learnt, table.stuck]


PLANTED = {
    "mse that explodes": [
        "init.scale=0.1,1", "architecture.hidden=[2],[4],[4,4]", "activation=tanh", "loss=bce,mse", "seed=range(0,50)",
    ],
    "noise": [
        "data=circle", "data.noise=0.3", "loss.reduction=mean", "architecture.hidden=[4]", "lr=0.1,1", "seed=1,2,3",
    ],
    "none that explodes": ["loss=mse", "output=identity", "lr=0.02,1e200", "seed=1,2,3"],
    "all ends": ["loss=mse", "output=identity", "lr=0.02,0.3,1,1e200", "architecture.hidden=[],[3]", "seed=range(0,4)"],
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_the_films_of_a_sweep_show_the_numbers_of_its_table_in_the_same_words(
    name: str, tmp_path: Path, written: list[tuple[str, Box]]
) -> None:
    sweep = xortrain.sweep(*PLANTED[name], "film=none", f"root={tmp_path}")
    (table,), head = sweep.group(by=""), best_groups(sweep.parts, 99)[0].splitlines()[0]
    drawn = {}
    for layout in ("sweep", "losses"):
        written.clear()
        film = make_layout(film_data_of(sweep, LAYOUTS[layout].most_runs, 9), FilmSettings(layout=layout, frames=9))
        film.frame(int(film.chosen[-1]))
        drawn[layout] = [*written]
    counts = {kind: int(left_of(kind, drawn["sweep"])) for kind, _ in drawn["sweep"] if kind in KINDS}
    assert sum(counts.values()) == table["runs"]
    assert counts["solved"] == table["solved"]
    assert counts.get("learnt", 0) == table["learnt"]
    assert counts.get("stuck", 0) == table["stuck"]
    assert counts.get("exploded", 0) == table["outcomes"].get("exploded", 0)
    assert counts.get("diverged", 0) + counts.get("exploded", 0) == table["diverged"]
    words = {word for word, _ in drawn["losses"]}
    assert f"{table['solved']:,} solved" in words
    assert f"{table['runs'] - table['solved'] - table['learnt']:,} not solved" in words
    assert (f"{table['learnt']:,} learnt" in words) == ("learnt" in head) == (table["learnt"] > 0)
    lost = [word.partition(" of them ") for word in words if " of them " in word]
    assert [number for number, _, _ in lost] == [f"{table['diverged']:,}"] * (table["diverged"] > 0)
    assert all(f"  {name}  stuck" in head for _, _, name in lost)
    assert ("solved" in words) == (0.05 <= table["solved"] / table["runs"] <= 0.95)  # the name of their own median
    assert "solved" in words or format_loss(table["loss_median"]) in words


def left_of(word: str, written: list[tuple[str, Box]]) -> str:
    """The text before a word in its line."""
    (place,) = (box for text, box in written if text == word)
    line = [(box.x, text) for text, box in written if abs(box.y - place.y) < 6 and box.x < place.x]
    return max(line)[1]


def test_runs_count_as_exploded_from_the_epoch_at_which_their_loss_passed_the_bound(tmp_path: Path) -> None:
    sweep = xortrain.sweep(*PLANTED["mse that explodes"], "film=none", f"root={tmp_path}")
    shown = film_data_of(sweep, 600, 60)
    constant = {"mse": 0.25, "bce": 4 * np.log(2)}  # of the mean target: the mean over XOR's examples, and the sum
    bound = 1000 * np.maximum(shown.losses[0], [constant[str(name)] for name in shown.varied["loss"]])
    for epoch in shown.epochs.tolist():
        has_passed = (shown.losses[shown.loss_epochs <= epoch] > bound).any(axis=0)
        counts = shown.outcomes.counts(epoch)
        assert counts["exploded"] == (has_passed & (shown.outcomes.outcome != "solved")).sum()
        assert counts["diverged"] == 0
    assert 200 < counts["exploded"] < 300


def huge(outcome: str) -> FilmData:
    """A run whose outputs are off the scale from epoch 10 on, and which exploded at epoch 20 if that is its outcome."""
    one = run_of("exploded")
    parameters, words = one.parameters.copy(), np.array([outcome], object)
    parameters[:10], parameters[10:] = parameters[0], parameters[-1]
    return replace(
        one, parameters=parameters, outcomes=replace(one.outcomes, outcome=words, exploded_at=np.array([20]))
    )


@pytest.mark.parametrize("layout", ["story", "field"])
@pytest.mark.parametrize("outcome", ["plateau", "training", "exploded"])
def test_outputs_off_the_scale_are_called_exploded_only_if_the_run_is(
    outcome: str, layout: str, written: list[tuple[str, Box]]
) -> None:
    film = make_layout(huge(outcome), FilmSettings(layout=layout))
    for number in range(0, 31, 5):
        written.clear()
        film.frame(number)
        (*_, banner), words = ["", *(word for word, _ in written if "outputs reach" in word)], [w for w, _ in written]
        has_exploded = outcome == "exploded" and number >= 20
        assert banner.partition(": ")[0] == ("" if number < 10 else "exploded" if has_exploded else "off the scale")
        assert any("exploded" in word for word in words) == has_exploded


def test_runs_that_are_trained_again_for_a_film_keep_the_outcome_of_their_record() -> None:
    trained = xortrain.train("epochs=30", "track.frames=2").trained
    rows = trained.rows.copy()
    rows["outcome"] = code("linear")  # as an older version may have called it
    assert film_data(with_snapshots(replace(trained, rows=rows), np.arange(31))).outcomes.words == ["linear"]
