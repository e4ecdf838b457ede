"""Films of single runs: from trained runs to the data of a film, and the file.

A run with fewer snapshots than the film has frames is trained again, and shown only if its losses are bit-identical.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xortrain.errors import UserError, printable
from xortrain.films.data import FilmData, HeldOut, Outcomes
from xortrain.films.film import write_film
from xortrain.films.film_settings import LAYOUTS, FilmSettings
from xortrain.films.pacing import flip_events
from xortrain.nets import Array
from xortrain.nets.datasets import DATASETS
from xortrain.records.layout import column_of
from xortrain.setup.film_config import film_name, film_settings, refuse_film_of_one
from xortrain.setup.run_setup import Setup, spread
from xortrain.trained.run_data import RunData, TrainedRuns

if TYPE_CHECKING:
    from xortrain.films.film import Shown

CANDIDATES = 8  # snapshots per frame, so that frames can be chosen where the run changes fastest
LEAST_FRAMES = 60  # of a film that has as many as it needs
MOST_EPOCHS = 50_000  # of a run that is trained again so that its film does not jump
QUICK_EPOCHS, QUICK_PRODUCTS = 2000, 1e8  # epochs and multiplications of a run that is trained again for its film


def write_run_film(
    trained: TrainedRuns, config: Mapping[str, Any], path: Path, run: int = 0, progress: bool = False,
    still: bool = False,
) -> Path:  # fmt: skip
    """Write the film of one run with the settings of a config, or with ``still`` its last frame; return the path."""
    refuse_film_of_one(config)
    if config["film"]["at"] == "best":
        trained, run = RunData(trained, run).until_best(), 0
    layout = config["film"]["name"]
    one = single_run(trained, 1 if still else config["film"]["frames"], run, LAYOUTS[layout].has_past)
    if layout != "story":
        return write(_with_flips(one), config, path, progress, still)
    data = run_film_data(one)
    if not still and config["film"]["frames"] is None:
        data = _without_jumps(one, data, film_settings(config, path), progress)
    return write(data, config, path, progress, still)


def _without_jumps(one: TrainedRuns, data: FilmData, settings: FilmSettings, progress: bool) -> FilmData:
    """The data of a film; trained again for the epochs without which it would jump, if that does not take long."""
    last = int(data.frame_epochs[-1])
    if len(data.frame_epochs) > last or last > MOST_EPOCHS:
        return data
    from xortrain.films.story_layout import StoryLayout

    missing = StoryLayout(data, settings, 0).missing
    if not len(missing):
        return data
    try:
        return run_film_data(with_snapshots(one, np.union1d(one.setup.frame_epochs, missing), progress))
    except UserError:  # trained again it gives other numbers: the film shows what was recorded
        return data


def write(shown: "Shown", config: Mapping[str, Any], path: Path, progress: bool, still: bool) -> Path:
    """Write a film of one run or many, or its last frame."""
    return write_film(shown, film_settings(config, path, still), path, progress, still)


def record_film(trained: TrainedRuns) -> Path:
    """Write the film that a single run asks for into its record."""
    from xortrain.runner.train import RENDER, working_in

    config, folder = trained.setup.population.config, trained.folder
    assert folder is not None
    with working_in(folder, RENDER):
        return write_run_film(trained, config, folder / film_name(config), progress=True)


def single_run(trained: TrainedRuns, frames: int | None, run: int, has_past: bool = False) -> TrainedRuns:
    """One run up to its last epoch, with enough snapshots for its frames; trained again for them if needed.

    With ``frames`` None or with ``has_past`` it has a snapshot of each epoch, or many where that takes too long.
    """
    one = trained.take(np.array([run]))
    setup = one.setup
    last = int(one.rows["epochs_done"][0]) if one.rows["outcome"][0] else setup.population.epochs
    wanted = frames or LEAST_FRAMES
    if (has_past and last <= MOST_EPOCHS) or frames is None:
        wanted = max(wanted, last + 1 if is_quick(setup, last) else LEAST_FRAMES)
    known = len(one.until(last).setup.frame_epochs)
    if known < min(wanted, last + 1):
        spacing = setup.population.shared("track.spacing")
        try:
            one = with_snapshots(one, np.union1d(setup.frame_epochs, spread(last, CANDIDATES * wanted, spacing)))
        except UserError:
            if known < min(frames or LEAST_FRAMES, last + 1):
                raise  # else the snapshots of the record are enough
    return one.until(last)


def is_quick(setup: Setup, epochs: int) -> bool:
    """Whether training the run again takes well under a second."""
    return epochs <= QUICK_EPOCHS and epochs * setup.shape.size * len(setup.train.x) <= QUICK_PRODUCTS


def _with_flips(one: TrainedRuns) -> FilmData:
    """The input of a film of the only run, with nothing that happens in it but what decides its frames."""
    data = film_data(one)
    return replace(data, events=tuple(flip_events(data)) if len(one.finished) else ())


def run_film_data(one: TrainedRuns) -> FilmData:
    """The input of a film of the only run, with what happens in it."""
    from xortrain.views.run_events import ending, run_events

    data, run = film_data(one), RunData(one)
    return replace(data, events=run_events(run, data), ending=ending(run))


def with_snapshots(trained: TrainedRuns, epochs: Array, progress: bool = False) -> TrainedRuns:
    """Train the same runs with snapshots after these epochs; raises UserError if the losses differ from the record."""
    from xortrain.runner.train import train_in_memory

    few = "film.frames: too few snapshots were recorded for this many frames, and"
    if len(trained.finished) < len(trained.rows):
        raise UserError(f"{few} this run is not finished; xortrain resume trains what is missing")
    again = train_in_memory(replace(trained.setup, frame_epochs=epochs), progress)
    old, new = trained.array("losses"), again.array("losses")
    differ = np.flatnonzero(((old != new) & ~(np.isnan(old) & np.isnan(new))).any(axis=1))
    if len(differ):
        raise UserError(
            f"{few} training again gives another loss at epoch {trained.setup.loss_epochs[differ[0]]}; "
            "xortrain rerun --check shows why"
        )
    return replace(again, rows=trained.rows)


def film_data(trained: TrainedRuns) -> FilmData:
    """The input of a film of all runs of a population."""
    setup, rows = trained.setup, trained.rows
    task = setup.task()
    x, t, rule = setup.train.x, setup.train.t, task.success.unscaled

    def interval(t: Array) -> tuple[Array, Array]:
        low, high = rule.interval(t[..., None])
        return low[..., 0], high[..., 0]

    return FilmData(
        network=task.network,
        x=x,
        t=t[..., 0] if t.shape[2] == 1 else t,
        losses=trained.array("losses"),
        loss_epochs=setup.loss_epochs,
        parameters=trained.array("parameters"),
        frame_epochs=setup.frame_epochs,
        right=lambda y, t: np.logical_and.reduce(rule.right(y[..., None], t[..., None]), axis=-1),
        loss_name=setup.population.shared("loss.name"),
        loss=lambda z, y, t, runs: task.criterion.take(runs).total(z, y, t),
        title=film_title(setup),
        low=float(rule.low.min()),
        high=float(rule.high.max()),
        outcomes=outcomes_of(trained.outcomes, rows.__getitem__),
        varied={column_of(key): values for key, values in setup.population.varying.items()},
        input_names=setup.columns.inputs,
        output_names=setup.columns.short_outputs,
        class_names=setup.columns.told_classes,
        scaling=setup.scaling,
        interval=interval,
        held=_held_out(trained),
    )


def _held_out(trained: TrainedRuns) -> HeldOut | None:
    test = trained.setup.test
    if test is None:
        return None
    return HeldOut(test.x, test.t[..., 0] if test.t.shape[2] == 1 else test.t, trained.array("test_losses"))


def outcomes_of(words: Sequence[str], column: Callable[[str], Array]) -> Outcomes:
    """The outcomes of runs, from their words and the columns of their rows."""
    names = ("solved_at", "diverged_at", "exploded_at", "epochs_done", "final_loss")
    return Outcomes(np.array(words, object), *map(column, names))


def film_title(setup: Setup) -> str:
    """As in "XOR   2-2-1 sigmoid   bce   lr 1"; without the rate where it differs between the runs shown."""
    return "   ".join([_data_name(setup), _network_name(setup), setup.population.shared("loss.name"), *_rate(setup)])


def sweep_title(setups: Sequence[Setup]) -> str:
    """What the runs of several populations share, as in "XOR   2-2-1 tanh   mse   adam   lr 0.1"."""
    shapes = [_network_name(setup).split(" ", 1) for setup in setups]
    optimizer = _shared(setup.population.shared("optimizer.name") for setup in setups)
    parts = [
        _shared(map(_data_name, setups)),
        " ".join(filter(None, (_shared(words) for words in zip(*shapes, strict=True)))),
        _shared(setup.population.shared("loss.name") for setup in setups),
        "" if optimizer == "sgd" else optimizer,
        _shared(" ".join(_rate(setup)) for setup in setups),
    ]
    return "   ".join(filter(None, parts)) or "Different data and networks"


def _shared(words: Iterable[str]) -> str:
    """The word, if all are the same."""
    found = set(words)
    return found.pop() if len(found) == 1 else ""


def _data_name(setup: Setup) -> str:
    """The user's name for the run, or the name of the data."""
    p = setup.population
    name, path = p.shared("data.name"), p.config["data"].get("path")
    own = Path(path).stem if path and not p.own else "own data" if name == "csv" else ""
    own = own or str(p.config["data"].get("set", ""))
    return printable(p.shared("name") or DATASETS[name].title or (own or name).replace("_", " "))


def _network_name(setup: Setup) -> str:
    return f"{setup.shape}{'' if setup.shape.bias else ' no bias'}"


def _rate(setup: Setup) -> list[str]:
    """The learning rate, and those of single arrays of parameters, if all runs share them."""
    p = setup.population
    names = {"lr": "lr", **{f"layer_lr.{name}": f"lr of {name}" for name in p.shared("layer_lr")}}
    rates = {said: np.unique(p.values(key)) for key, said in names.items()}
    return [f"{said} {values[0]:g}" for said, values in rates.items() if len(values) == 1]
