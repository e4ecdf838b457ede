"""From trained runs to what the films room is told of them, and the film.

A film that wants more pictures than snapshots were kept trains its run again, and only shows what agrees to the bit.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from xortrain.errors import UserError
from xortrain.films.data import FilmData
from xortrain.films.film_settings import FilmSettings
from xortrain.nets import Array
from xortrain.nets.datasets import DATASETS
from xortrain.records.files import plain
from xortrain.runner.train import RENDER, into_memory, resumable, with_folder
from xortrain.runs.trained import TrainedRuns
from xortrain.setup.film_config import film_name, film_settings
from xortrain.setup.run_setup import Setup, spread
from xortrain.training.outcome import words
from xortrain.training.task import History

CANDIDATES = 8  # snapshots for each picture asked: what changes fastest must be among them


def write_run_film(
    trained: TrainedRuns,
    settings: FilmSettings,
    path: Path,
    run: int = 0,
    progress: bool = False,
    still: bool = False,
) -> Path:
    """Write the film of one run; a still is its last picture."""
    from xortrain.films.film import poster, write

    shown = film_data(to_its_end(trained, 1 if still else settings.frames, run))
    return poster(shown, settings, path) if still else write(shown, settings, path, progress=progress)


def record_film(trained: TrainedRuns, progress: bool = False) -> Path:
    """Write the film that the config of a single run asks for into its record."""
    config, folder = trained.setup.population.config, trained.folder
    assert folder is not None
    with with_folder(folder), resumable(RENDER, folder):
        return write_run_film(trained, film_settings(config), folder / film_name(config), progress=progress)


def film_html(film: Callable[[Path], Path], name: str) -> str:
    """A film as HTML that contains the image itself; ``film`` writes it to a path."""
    import base64
    import html
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        image = base64.b64encode(film(Path(folder) / "film.gif").read_bytes()).decode()
    return f'<img alt="{html.escape(name)}" src="data:image/gif;base64,{image}">'


def to_its_end(trained: TrainedRuns, frames: int, run: int) -> TrainedRuns:
    """One run with snapshots enough, cut after its last epoch where it ended before the others would."""
    one = with_snapshots(trained, frames, run)
    return cut(one, _last(one))


def _last(one: TrainedRuns) -> int:
    """The last epoch of a run by itself; of one that is not finished the last that is planned."""
    return int(one.rows["epochs_done"][0]) if one.rows["outcome"][0] else one.setup.population.epochs


def with_snapshots(trained: TrainedRuns, frames: int, run: int) -> TrainedRuns:
    """One run, with snapshots enough for so many frames: trained again where too few were kept."""
    one = trained.some(np.array([run]))
    setup, last = one.setup, _last(one)
    if len(_epochs_until(setup.frame_epochs, last)) >= min(frames, last + 1):
        return one
    spacing = setup.population.config["track"]["spacing"]
    return again(one, np.union1d(setup.frame_epochs, spread(last, CANDIDATES * frames, spacing)))


def _epochs_until(epochs: Array, last: int) -> Array:
    """Those of the epochs that are not later, and the last."""
    return np.union1d(epochs[epochs <= last], last)


def cut(trained: TrainedRuns, last: int) -> TrainedRuns:
    """The same runs, ended after an epoch by which all of them have come to their own end."""
    setup, rows = trained.setup, trained.rows
    if last >= setup.population.epochs:
        return trained
    losses, parameters = trained.array("losses"), trained.array("parameters")
    assert losses is not None
    assert parameters is not None
    loss_epochs, frame_epochs = _epochs_until(setup.loss_epochs, last), _epochs_until(setup.frame_epochs, last)
    kept = losses[: len(loss_epochs)].copy()
    is_stopped = (rows["epochs_done"] == last) & (rows["diverged_at"] < 0)
    kept[-1] = np.where(is_stopped, rows["final_loss"], np.nan)
    seen = np.concatenate([parameters[: len(frame_epochs) - 1], parameters[-1:]])
    setup = replace(setup, loss_epochs=loss_epochs, frame_epochs=frame_epochs)
    return TrainedRuns(setup, rows, History(loss_epochs, frame_epochs, kept, seen))


def again(trained: TrainedRuns, epochs: Array, progress: bool = False) -> TrainedRuns:
    """These runs trained again, with snapshots after other epochs; their losses must be those that were kept."""
    setup = replace(trained.setup, frame_epochs=epochs)
    history, rows = into_memory(setup, progress)
    _refuse_other_losses(trained, history.losses)
    return TrainedRuns(setup, rows, history)


def _refuse_other_losses(kept: TrainedRuns, again: Array) -> None:
    losses = kept.array("losses")
    assert losses is not None
    differ = np.flatnonzero(((losses != again) & ~(np.isnan(losses) & np.isnan(again))).any(1))
    if len(differ):
        epoch = kept.setup.loss_epochs[differ[0]]
        where = f"{kept.folder}: too few snapshots were kept for so many frames, and training again"
        raise UserError(f"{where} gives another loss at epoch {epoch}; xortrain rerun --check says more")


def film_data(trained: TrainedRuns) -> FilmData:
    """What a film is told of all runs of a population."""
    setup = trained.setup
    task = setup.task()
    losses, parameters = trained.array("losses"), trained.array("parameters")
    assert losses is not None
    assert parameters is not None
    t = task.data.t
    return FilmData(
        network=task.network,
        x=task.data.x,
        t=t[..., 0] if t.shape[2] == 1 else t,
        losses=losses,
        loss_epochs=setup.loss_epochs,
        parameters=parameters,
        frame_epochs=setup.frame_epochs,
        right=task.success.right,
        loss=lambda z, y, t, runs: task.criterion.take(runs).total(z, y, t),
        title=title(setup),
        low=float(task.success.low[0]),
        high=float(task.success.high[0]),
        outcome=words(trained.rows["outcome"]),
        diverged_at=trained.rows["diverged_at"],
        solved_at=trained.rows["solved_at"],
        ended_at=np.where(trained.rows["outcome"] > 0, trained.rows["epochs_done"], setup.population.epochs),
        varied=setup.population.varying,
        input_names=setup.columns.inputs,
        output_names=setup.columns.outputs,
    )


def title(setup: Setup) -> str:
    """As in "XOR   2-2-1 sigmoid   bce   lr 1"; without the rate where it differs between the runs shown."""
    parts = [_data_name(setup), _network_name(setup), str(setup.population.shared("loss.name")), *_rate(setup)]
    return "   ".join(parts)


def _network_name(setup: Setup) -> str:
    """As in "2-2-1 sigmoid"; with what is unusual about it."""
    return f"{setup.shape}{'' if setup.shape.bias else ' no bias'}"


def common_title(setups: Sequence[Setup]) -> str:
    """What the runs of all these populations share: as in "XOR   2-2-1 tanh   mse   adam   lr 0.1"."""
    shapes = [_network_name(setup).split(" ", 1) for setup in setups]
    network = " ".join(filter(None, (_agreed(words) for words in zip(*shapes, strict=True))))
    optimizer = _agreed(setup.population.shared("optimizer.name") for setup in setups)
    told = [
        _agreed(map(_data_name, setups)),
        network,
        _agreed(setup.population.shared("loss.name") for setup in setups),
        "" if optimizer == "sgd" else optimizer,
        _agreed(" ".join(_rate(setup)) for setup in setups),
    ]
    return "   ".join(filter(None, told)) or f"{len(setups)} populations"


def _agreed(words: Iterable[str]) -> str:
    """The word, if all are the same."""
    found = set(words)
    return found.pop() if len(found) == 1 else ""


def _data_name(setup: Setup) -> str:
    """The name that the user gave, or that of the data."""
    p = setup.population
    name = "own data" if p.arrays else p.shared("data.name")
    title = DATASETS[name].title if name in DATASETS else ""
    name = Path(p.shared("data.path")).stem if name == "csv" else name
    return plain(p.shared("name") or title or name.replace("_", " "))


def _rate(setup: Setup) -> list[str]:
    """The learning rate, where it is the same for all runs."""
    rates = np.unique(setup.population.values("lr"))
    return [f"lr {rates[0]:g}"] if len(rates) == 1 else []
