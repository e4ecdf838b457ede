"""What a page holds of its runs: a JSON, and the arrays that it names by their places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xortrain.films.colours import MOST_HUES, get_colours
from xortrain.nets import Array, Numbers
from xortrain.nets.optimizers import OPTIMIZERS
from xortrain.nets.setting import in_use
from xortrain.page.arrays import Arrays
from xortrain.page.pictures import picture
from xortrain.records.columns import affects_training
from xortrain.records.metadata import flat_settings
from xortrain.trained.run_data import TrainedRuns
from xortrain.training.task import Choice, Data, Task

MOST_FRAMES = 60  # snapshots of a run, in a page of several; more look the same while it plays
RESULTS = ("outcome", "epochs_done", "solved_at", "final_loss", "best_loss", "accuracy", "test_loss", "test_accuracy")
NEVER = ("solved_at", "epochs_done")  # -1 where it did not happen


@dataclass(frozen=True)
class Runs:
    """Some runs of a population by their indices, and the id of its record, empty in memory."""

    trained: TrainedRuns
    places: Array
    id: str = ""


@dataclass
class Payload:
    """A page's JSON and arrays."""

    meta: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=Arrays)


def payload(title: str, groups: Sequence[Runs], frames: int = MOST_FRAMES) -> Payload:
    """Everything that a page shows of some runs, with this many snapshots of each."""
    made = Payload()
    first, populations = 0, []
    for group in groups:
        populations.append(_population(group, first, frames, made.arrays))
        first += len(group.places)
    columns, axes = _columns(groups, made.arrays)
    made.meta = {
        "title": title,
        "columns": columns,
        "axes": axes,
        "populations": populations,
        "stories": {},
        "colours": {"light": _colours(False, made.arrays), "dark": _colours(True, made.arrays)},
        "arrays": made.arrays.described,
    }
    return made


def _population(group: Runs, first: int, most: int, arrays: Arrays) -> dict[str, Any]:
    setup, trained = group.trained.setup.part(group.places), group.trained
    task = setup.task()
    frames = np.unique(np.linspace(0, len(setup.frame_epochs) - 1, most).round().astype(int))
    parameters = trained.array("parameters", group.places)
    lower, upper = task.success.interval(task.data.t)
    losses = {"losses": trained.array("losses", group.places)}
    if setup.test is not None:
        losses["testLosses"] = trained.array("test_losses", group.places)
    return {
        "runs": task.runs,
        "first": first,
        "id": group.id,
        "network": {
            "inputs": task.network.inputs,
            "layers": [
                {"units": layer.units, "activation": layer.activation, "settings": _numbers(layer.settings, arrays)}
                for layer in task.network.layers
            ],
            "bias": task.network.bias,
            "skip": task.network.skip,
        },
        "loss": {
            "name": task.criterion.loss,
            "reduction": task.criterion.reduction,
            "settings": _numbers(in_use(task.criterion.row.settings, task.criterion.settings), arrays),
        },
        "success": {"lower": _each(lower, arrays), "upper": _each(upper, arrays), "words": task.success.words()},
        "stages": [*(_stage(s.task, s.until, arrays) for s in task.stages), _stage(task, None, arrays)],
        "seeds": _number(task.seeds, arrays),
        "scaling": {
            name: None if own.fitted is None else {"shift": _each(own.fitted[0], arrays), "factor": _each(own.fitted[1], arrays)}
            for name, own in (("inputs", task.scaling.inputs), ("targets", task.scaling.targets))
        },
        "data": _data(task.data, arrays),
        "test": None if task.test is None else _data(task.test, arrays),
        "names": {
            "inputs": list(setup.columns.inputs),
            "outputs": list(setup.columns.short_outputs),
            "classes": list(setup.columns.told_classes),
        },
        "lossEpochs": setup.loss_epochs.tolist(),
        "frameEpochs": setup.frame_epochs[frames].tolist(),
        **{name: arrays.add(values, "<f4", "changes") for name, values in losses.items()},
        "starts": arrays.add(parameters[0]),
        "snapshots": arrays.add(parameters[frames], "<f4", "changes"),
        "dtype": str(setup.population.dtype),
        "picture": picture(setup, trained.rows[group.places]),
    }  # fmt: skip


def _stage(task: Task, until: int | None, arrays: Arrays) -> dict[str, Any]:
    """The settings with which updates are made up to an epoch."""
    places = task.network.split(np.arange(task.network.size))
    settings = in_use(OPTIMIZERS[task.optimizer.name].settings, task.optimizer.settings)
    return {
        "until": until,
        "optimizer": {"name": task.optimizer.name, "settings": _numbers(settings, arrays)},
        "schedule": _choice(task.schedule, arrays),
        "lr": _number(task.lr, arrays) if task.lr.ndim == 1 else {"array": arrays.add(task.lr), "perParameter": True},
        "epochs": task.epochs,
        "batchSize": task.batch_size,
        "shuffle": task.shuffle,
        "frozen": [int(place) for name in task.freeze for place in places[name].ravel()],
    }


def _choice(choice: Choice, arrays: Arrays) -> dict[str, Any]:
    return {"name": choice.name, "settings": _numbers(choice.settings, arrays)}


def _data(data: Data, arrays: Arrays) -> dict[str, Any]:
    """Examples as the network has them."""
    return {"x": _each(data.x, arrays), "t": _each(data.t, arrays)}


def _each(values: Array, arrays: Arrays) -> dict[str, Any]:
    """Numbers (rows, columns) that all runs share, or (rows, columns, runs), and (columns,) or (columns, runs)."""
    shared = values[..., 0] if values.ndim == 3 and values.shape[-1] == 1 else values
    return {"array": arrays.add(shared)}


def _numbers(settings: Numbers, arrays: Arrays) -> dict[str, Any]:
    return {name: _number(values, arrays) for name, values in settings.items()}


def _number(values: Array, arrays: Arrays) -> Any:
    """The number that all runs share, or the place of an array (runs,)."""
    is_shared = len(values) > 0 and bool((values == values[0]).all())
    return values[0].item() if is_shared else {"array": arrays.add(values)}


def _colours(is_dark: bool, arrays: Arrays) -> dict[str, int]:
    """The colours of the films: the levels from the low target to the high one, and the classes, (colours, 3)."""
    used = get_colours("default", 256, is_dark, MOST_HUES)
    return {"levels": arrays.add(used.levels, "u1"), "classes": arrays.add(used.classes, "u1")}


def _columns(groups: Sequence[Runs], arrays: Arrays) -> tuple[list[dict[str, Any]], list[str]]:
    """The columns of the table, and the names of the settings that vary, the seed last."""
    settings = [flat_settings(group.trained.setup.population.config) for group in groups]
    varying = dict.fromkeys(key for group in groups for key in group.trained.setup.population.varying)
    keys = [*varying, *dict.fromkeys(key for own in settings for key in own if key not in varying)]
    keys = [key for key in keys if affects_training(key) and key != "seed"]
    found = {key: _setting(groups, settings, key) for key in keys}
    axes = [key for key, values in found.items() if len(set(values)) > 1]
    rows = {name: [v for g in groups for v in _results(g, name)] for name in RESULTS}
    ids = [_run_id(group, place) for group in groups for place in group.places]
    table = {"run": ids, **{key: found[key] for key in axes}}
    table["seed"] = _setting(groups, settings, "seed")
    table |= {name: values for name, values in rows.items() if any(value is not None for value in values)}
    return [_column(name, values, arrays) for name, values in table.items()], axes


def _setting(groups: Sequence[Runs], settings: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    values = list[Any]()
    for group, shared in zip(groups, settings, strict=True):
        own = group.trained.setup.population.varying.get(key)
        values += [shared.get(key)] * len(group.places) if own is None else own[group.places].tolist()
    return values


def _results(group: Runs, name: str) -> list[Any]:
    rows = group.trained.rows
    if name == "outcome":
        return [group.trained.outcomes[place] for place in group.places]
    if name not in (rows.dtype.names or ()):
        return [None] * len(group.places)
    values = rows[name][group.places].astype(float)
    values[(values < 0) & (name in NEVER)] = np.nan
    return [value if np.isfinite(value) else None for value in values.tolist()]


def _run_id(group: Runs, place: int) -> str:
    number = int(group.trained.rows["number"][place])
    return f"{group.id}#{number}"


def _column(name: str, values: Sequence[Any], arrays: Arrays) -> dict[str, Any]:
    if all(value is None or type(value) in (int, float) for value in values):
        numbers = np.array([np.nan if value is None else value for value in values], float)
        return {"name": name, "kind": "number", "array": arrays.add(numbers)}
    words = list(dict.fromkeys(str(value) for value in values))
    place = {word: k for k, word in enumerate(words)}
    codes = np.array([place[str(value)] for value in values])
    return {"name": name, "kind": "text", "words": words, "array": arrays.add(codes, "<u4")}
