"""From trained runs to what the films room is told of them, and the film.

A film that wants more pictures than snapshots were kept trains its run again, and only shows what agrees to the bit.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xortrain.errors import UserError
from xortrain.experiment.build import spread
from xortrain.experiment.titles import title
from xortrain.experiment.train import into_memory
from xortrain.nets import Array
from xortrain.training.outcome import words
from xortrain.training.task import History

if TYPE_CHECKING:
    from xortrain.experiment.runs import Sweep
    from xortrain.experiment.trained import Run, Trained
    from xortrain.films import FilmSettings, Subject

CANDIDATES = 8  # snapshots for each picture asked: what changes fastest must be among them
MANY = {"sweep": 400, "losses": 4000}  # layouts that show all runs of a sweep, and how many at most


def with_film(config: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A config with another film: what it says itself, else the defaults, and the changes on top."""
    from xortrain.config.check import check
    from xortrain.config.defaults import read

    if "film" in changes:
        raise UserError(f'film={changes["film"]}: from Python a layout is named by layout="{changes["film"]}"')
    own = config["film"] if config["film"]["name"] != "none" else {"name": "panels"}
    changes = {"name" if key == "layout" else key: value for key, value in changes.items()}
    size = {"size": list(changes["size"])} if changes.get("size") else {}
    return check({**config, "film": {**read("shared/film"), **own, **changes, **size}})


def film_settings(config: Mapping[str, Any], path: Path | None = None) -> "FilmSettings":
    """How the film of a config looks, in a file of that name; raises UserError for what no film can be."""
    from xortrain.films import FilmSettings, check

    wanted = config["film"]
    names = {field.name for field in fields(FilmSettings)}
    size = tuple(wanted["size"]) if wanted["size"] else None
    settings = FilmSettings(layout=wanted["name"], **{k: v for k, v in wanted.items() if k in names} | {"size": size})
    check(settings, path or film_name(config))
    return settings


def film_name(config: Mapping[str, Any]) -> Path:
    """What the film is called in its record."""
    return Path(f"film.{config['film']['format']}")


def of_one(folder: Path, number: int, name: Path) -> Path:
    """Where a picture of one run of a record lies: beside those of the others, called by the number of its job."""
    kind = "" if name.stem == "film" else f"-{name.stem}"
    return folder / "films" / f"{number:06d}{kind}{name.suffix}"


def film(
    trained: "Trained",
    settings: "FilmSettings",
    path: Path,
    run: int = 0,
    progress: bool = False,
    still: bool = False,
) -> Path:
    """Write the film of one run; a still is its last picture."""
    from xortrain.films import poster, write

    shown = subject(to_its_end(trained, 1 if still else settings.frames, run))
    return poster(shown, settings, path) if still else write(shown, settings, path, progress=progress)


def film_html(found: "Run | Sweep", called: str) -> str:
    """The film of a run or of a sweep as HTML that holds the picture itself."""
    import base64
    import html
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = found.film(Path(folder) / "film.gif")
        picture = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{html.escape(called)}" src="data:image/gif;base64,{picture}">'


def to_its_end(trained: "Trained", frames: int, run: int) -> "Trained":
    """One run with snapshots enough, cut after its last epoch where it ended before the others would."""
    one = with_snapshots(trained, frames, run)
    return cut(one, _last(one))


def _last(one: "Trained") -> int:
    """The last epoch of a run by itself; of one that is not finished the last that is planned."""
    return int(one.rows["epochs_done"][0]) if one.rows["outcome"][0] else one.build.population.epochs


def with_snapshots(trained: "Trained", frames: int, run: int) -> "Trained":
    """One run, with snapshots enough for so many frames: trained again where too few were kept."""
    one = trained.only(run)
    build, last = one.build, _last(one)
    if len(_until(build.frame_epochs, last)) >= min(frames, last + 1):
        return one
    spacing = build.population.config["track"]["spacing"]
    return again(one, np.union1d(build.frame_epochs, spread(last, CANDIDATES * frames, spacing)))


def _until(epochs: Array, last: int) -> Array:
    """Those of the epochs that are not later, and the last."""
    return np.union1d(epochs[epochs <= last], last)


def cut(trained: "Trained", last: int) -> "Trained":
    """The same runs, ended after an epoch by which all of them have come to their own end."""
    from xortrain.experiment.trained import Trained

    build, rows = trained.build, trained.rows
    if last >= build.population.epochs:
        return trained
    losses, parameters = trained.array("losses"), trained.array("parameters")
    assert losses is not None
    assert parameters is not None
    loss_epochs, frame_epochs = _until(build.loss_epochs, last), _until(build.frame_epochs, last)
    kept = losses[: len(loss_epochs)].copy()
    is_stopped = (rows["epochs_done"] == last) & (rows["diverged_at"] < 0)
    kept[-1] = np.where(is_stopped, rows["final_loss"], np.nan)
    seen = np.concatenate([parameters[: len(frame_epochs) - 1], parameters[-1:]])
    build = replace(build, loss_epochs=loss_epochs, frame_epochs=frame_epochs)
    return Trained(build, rows, History(loss_epochs, frame_epochs, kept, seen))


def again(trained: "Trained", epochs: Array, progress: bool = False) -> "Trained":
    """These runs trained again, with snapshots after other epochs; their losses must be those that were kept."""
    from xortrain.experiment.trained import Trained

    build = replace(trained.build, frame_epochs=epochs)
    history, rows = into_memory(build, progress)
    _refuse_other_losses(trained, history.losses)
    return Trained(build, rows, history)


def _refuse_other_losses(kept: "Trained", again: Array) -> None:
    losses = kept.array("losses")
    assert losses is not None
    differ = np.flatnonzero(((losses != again) & ~(np.isnan(losses) & np.isnan(again))).any(1))
    if len(differ):
        epoch = kept.build.loss_epochs[differ[0]]
        where = f"{kept.folder}: too few snapshots were kept for so many frames, and training again"
        raise UserError(f"{where} gives another loss at epoch {epoch}; xortrain rerun --check says more")


def subject(trained: "Trained") -> "Subject":
    """What a film is told of all runs of a population."""
    from xortrain.films import Subject

    build = trained.build
    task = build.task()
    losses, parameters = trained.array("losses"), trained.array("parameters")
    assert losses is not None
    assert parameters is not None
    t = task.data.t
    return Subject(
        network=task.network,
        x=task.data.x,
        t=t[..., 0] if t.shape[2] == 1 else t,
        losses=losses,
        loss_epochs=build.loss_epochs,
        parameters=parameters,
        frame_epochs=build.frame_epochs,
        right=task.rule.right,
        loss=lambda z, y, t, runs: task.criterion.take(runs).total(z, y, t),
        title=title(build),
        low=float(task.rule.low[0]),
        high=float(task.rule.high[0]),
        outcome=words(trained.rows["outcome"]),
        diverged_at=trained.rows["diverged_at"],
        solved_at=trained.rows["solved_at"],
        ended_at=np.where(trained.rows["outcome"] > 0, trained.rows["epochs_done"], build.population.epochs),
        varied=build.population.varying,
        input_names=build.columns.inputs,
        output_names=build.columns.outputs,
    )
