"""What a page holds of its runs: a JSON, and the arrays that it names by their places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from xortrain.config.own_rows import files_of
from xortrain.films.colours import MOST_HUES, get_colours
from xortrain.nets import Array, Numbers
from xortrain.nets.datasets import Scaling
from xortrain.nets.setting import in_use
from xortrain.page.arrays import Arrays
from xortrain.page.pictures import picture
from xortrain.page.run_table import Runs, table
from xortrain.training.task import Choice, Task

AT_ONCE = 1 << 22  # numbers of a record that are in memory while some of them are taken


@dataclass(frozen=True)
class Detail:
    """How much a page holds of each run at most: its snapshots, none for 0, and recorded losses, exact or rounded."""

    frames: int = 60
    losses: int = 1001
    is_rounded: bool = False


@dataclass
class Payload:
    """A page's JSON and arrays, and the tasks of its populations."""

    meta: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=Arrays)
    tasks: list[Task] = field(default_factory=list)


def payload(
    title: str, groups: Sequence[Runs], detail: Detail = Detail(), more: Mapping[str, Any] | None = None
) -> Payload:
    """Everything that a page shows of some runs; ``more`` are further entries of its JSON."""
    made = Payload()
    first, populations = 0, []
    for group in groups:
        populations.append(_population(group, first, detail, made.arrays))
        made.tasks.append(group.trained.setup.part(group.places[:1]).task())
        first += len(group.places)
    columns, axes = table(groups, made.arrays)
    made.meta = {
        "title": title,
        "columns": columns,
        "axes": axes,
        "populations": populations,
        "stories": {},
        **(more or {}),
        "colours": {"light": _colours(False, made.arrays), "dark": _colours(True, made.arrays)},
        "arrays": made.arrays.described,
    }
    return made


def _population(group: Runs, first: int, detail: Detail, arrays: Arrays) -> dict[str, Any]:
    setup = group.trained.setup.part(group.places)
    task = setup.task()
    lower, upper = task.success.interval(task.data.t)
    frames, losses = spaced(len(setup.frame_epochs), detail.frames), spaced(len(setup.loss_epochs), detail.losses)
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
        "success": {"lower": _each(lower, 2, arrays), "upper": _each(upper, 2, arrays)},
        "stages": [*(_stage(s.task, arrays, s.until, s.then_set) for s in task.stages), _stage(task, arrays)],
        "seeds": _number(task.seeds, arrays),
        "scaling": {name: _scaling(getattr(task.scaling, name), arrays) for name in ("inputs", "targets")},
        "data": {"x": _each(task.data.x, 2, arrays), "t": _each(task.data.t, 2, arrays)},
        "names": {
            "inputs": list(setup.columns.inputs),
            "outputs": list(setup.columns.short_outputs),
            "classes": list(setup.columns.told_classes),
        },
        "lossEpochs": setup.loss_epochs[losses].tolist(),
        "frameEpochs": setup.frame_epochs[frames].tolist(),
        "recordEpochs": setup.frame_epochs[spaced(len(setup.frame_epochs), Detail.losses)].tolist(),
        **_recorded(group, frames, losses, detail.is_rounded, arrays),
        "dtype": str(setup.population.dtype),
        "stop": setup.population.shared("stop.name"),
        "use": [quote(Path(file.name).name) for file in files_of(setup.configs)],
        "picture": picture(setup, group.trained.rows[group.places]),
    }  # fmt: skip


def spaced(rows: int, most: int) -> Array:
    """The indices of at most ``most`` of the rows, evenly spaced from the first to the last; the first if it is 0."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(int)) if most else np.zeros(1, int)


def _recorded(group: Runs, frames: Array, losses: Array, is_rounded: bool, arrays: Arrays) -> dict[str, Any]:
    """Initial parameters, and some of the recorded losses and snapshots; none of these if ``frames`` is the first."""

    def add(what: str, rows: Array) -> int:
        exact = _rows(group, what, rows)
        with np.errstate(over="ignore"):
            values = exact.astype("<f4")
        if is_rounded:
            return arrays.add_rounded(values, is_log=what != "parameters" and not (values < 0).any())
        beyond = np.isinf(values) & np.isfinite(exact)  # of runs that diverge or explode
        if not beyond.any():
            return arrays.add(values, "<f4", "changes")
        return arrays.add(np.where(beyond, exact, values), "<f8", "changes")  # the last bits of others are 0

    found = {"losses": add("losses", losses), "starts": arrays.add(_rows(group, "parameters", frames[:1])[0])}
    if group.trained.setup.test is not None:
        found["testLosses"] = add("test_losses", losses)
    return found if len(frames) == 1 else found | {"snapshots": add("parameters", frames)}


def _rows(group: Runs, what: str, rows: Array) -> Array:
    """Some rows of an array of a record; few at once, since a page holds less than the record."""
    shape = group.trained.array(what, group.places[:1], rows[:1]).shape[1:-1]
    found = np.empty((len(rows), *shape, len(group.places)))
    step = max(64, AT_ONCE // found[..., :1].size)
    for start in range(0, len(group.places), step):
        runs = slice(start, start + step)
        found[..., runs] = group.trained.array(what, group.places[runs], rows)
    return found


def _stage(task: Task, arrays: Arrays, until: int | None = None, then_set: Sequence[Any] = ()) -> dict[str, Any]:
    """The settings with which updates are made up to an epoch, and what is set then."""
    criterion = task.criterion
    loss = Choice(criterion.loss, in_use(criterion.row.settings, criterion.settings))
    places = task.network.split(np.arange(task.network.size))
    return {
        "until": until,
        "set": then_set,
        "loss": {**_choice(loss, arrays), "reduction": criterion.reduction},
        "optimizer": _choice(task.optimizer, arrays),
        "schedule": _choice(task.schedule, arrays),
        "lr": _number(task.lr, arrays) if task.lr.ndim == 1 else _each(task.lr, 1, arrays),
        "epochs": task.epochs,
        "batchSize": task.batch_size,
        "shuffle": task.shuffle,
        "frozen": [int(place) for name in task.freeze for place in places[name].ravel()],
    }


def _scaling(scaling: Scaling, arrays: Arrays) -> dict[str, Any] | None:
    """Shift and factor of each column, back to the units of the data."""
    if scaling.fitted is None:
        return None
    shift, factor = scaling.fitted
    return {"shift": _each(shift, 1, arrays), "factor": _each(factor, 1, arrays)}


def _choice(choice: Choice, arrays: Arrays) -> dict[str, Any]:
    return {"name": choice.name, "settings": _numbers(choice.settings, arrays)}


def _each(values: Array, axes: int, arrays: Arrays) -> dict[str, Any]:
    """Numbers in an array with this many axes, if all runs share them; else it has one more, of the runs."""
    shared = values[..., 0] if values.ndim > axes and values.shape[-1] == 1 else values
    return {"array": arrays.add(shared), "perRun": shared.ndim > axes}


def _numbers(settings: Numbers, arrays: Arrays) -> dict[str, Any]:
    return {name: _number(values, arrays) for name, values in settings.items()}


def _number(values: Array, arrays: Arrays) -> Any:
    """The number that all runs share, or the place of an array (runs,)."""
    is_shared = len(values) > 0 and bool((values == values[0]).all() and np.isfinite(values[0]))
    return values[0].item() if is_shared else {"array": arrays.add(values), "perRun": True}


def _colours(is_dark: bool, arrays: Arrays) -> dict[str, Any]:
    """The colours of the films: the levels from the low target to the high one, and the classes, (colours, 3)."""
    used = get_colours("default", 256, is_dark, MOST_HUES)
    return {"levels": {"array": arrays.add(used.levels, "u1")}, "hues": {"array": arrays.add(used.classes, "u1")}}
