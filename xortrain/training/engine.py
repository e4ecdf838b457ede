"""Which engine trains: NumPy, or the machine, in the same order of events but with other last bits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.machine.library import instruction_set, lacking, same_bits
from xortrain.nets import Array
from xortrain.nets.network import Pass, at_least_two
from xortrain.symbols import SymbolError
from xortrain.training.compiled import CompiledTraining
from xortrain.training.loop import Checkpoint, Training
from xortrain.training.program import program_of
from xortrain.training.task import History, Task


@dataclass(frozen=True)
class ChosenEngine:
    """The machine of an instruction set, or NumPy without ``name``; ``reason`` is why not the machine."""

    name: str | None
    reason: str = ""

    def __str__(self) -> str:
        why = f", as {self.reason}" if self.reason else ""
        return f"the compiled machine ({self.name})" if self.name else f"NumPy{why}"


MOST_PARAMETERS = 100_000
"""Larger networks are trained by NumPy: their layers are faster as products of matrices."""

MOST_EPOCHS = 1 << 24
"""The most that float32 counts exactly."""


def chosen_engine(wanted: str, first: Callable[[], Task]) -> ChosenEngine:
    """The engine that a setting stands for, from the task of the first run; UserError where there is no such engine."""
    if wanted == "numpy":
        return ChosenEngine(None)
    name = instruction_set()
    reason = lacking() if name is None else _unknown_to_machine(first())
    if wanted == "compiled" and reason:
        raise UserError(f"engine=compiled: {reason}")
    return ChosenEngine(None if reason else name, reason)


def _unknown_to_machine(task: Task) -> str:
    """Why the machine cannot train a task; empty if it can."""
    if task.network.size > MOST_PARAMETERS:
        return f"the machine trains networks of up to {MOST_PARAMETERS:,} parameters, not {task.network.size:,}"
    if task.theta.dtype == np.float32 and task.epochs > MOST_EPOCHS and task.stop.settings:
        return f"the machine counts epochs as float32, up to {MOST_EPOCHS:,}"
    try:
        program_of(task)
    except SymbolError as error:
        return f"the machine has no equivalent of what the settings use: {error}"
    return ""


def recorded_engine(metadata: Mapping[str, Any], wanted: object) -> str:
    """The engine that trained a record, in words, and how to have the machine where it was missing."""
    name, missing = metadata.get("instruction_set"), lacking() if wanted == "auto" else ""
    shown = str(ChosenEngine(name[:20] if isinstance(name, str) else None))
    return f"{shown}; the compiled machine is not available: {missing}" if missing and name is None else shown


@np.errstate(all="ignore")
def engine_losses(task: Task, theta: Array, passes: Sequence[Pass] = ()) -> tuple[Array, Array | None]:
    """The losses (runs,) of parameters θ (parameters, runs), with the bits that the engine of the task records.

    They are those of the training examples, and of the held-out ones, if there are any.  ``passes`` are NumPy's forward
    passes of both, at least two runs wide, where they are known.
    """
    if at_hand(task).instruction_set:
        return _recorded_losses(task, theta)
    both = at_least_two(np.arange(task.runs))
    some = task if len(both) == task.runs else task.take(both)
    parts = [part for part in (some.data, some.test) if part]
    nets = passes or [some.network.forward(theta.take(both, axis=-1), part.x) for part in parts]
    totals = [some.criterion.total(net.z[-1], net.y, part.t) for net, part in zip(nets, parts, strict=True)]
    losses, *held_out = (total[: task.runs] for total in totals)
    return losses, held_out[0] if held_out else None


def _recorded_losses(task: Task, theta: Array) -> tuple[Array, Array | None]:
    """The losses that a training of no epochs records."""
    history = History.empty(np.zeros(1, int), np.zeros(0, int), theta.shape, theta.dtype, task.test is not None)
    training = new_training(replace(task, theta=theta, epochs=0, stages=()), history)
    for _ in training.run():
        break  # before losses of runs that have diverged are dropped
    return history.losses[0], None if history.test_losses is None else history.test_losses[0]


def at_hand(task: Task) -> Task:
    """The task, for NumPy where the machine that it names is not here."""
    is_here = task.instruction_set is None or same_bits(task.instruction_set)
    return task if is_here else replace(task, instruction_set=None)


def refuse_missing_machine(name: str | None) -> str | None:
    """The instruction set to use here for the bits of another, None for NumPy; UserError if there is none."""
    here = same_bits(name) if name else None
    if name and here is None:
        why = lacking() or f"{instruction_set()} rounds in another way"
        raise UserError(f"trained by the compiled machine ({name}), whose results cannot be repeated here: {why}")
    return here


def new_training(task: Task, history: History, start: Checkpoint | None = None, until: int | None = None) -> Training:
    """A training by the engine of a task; UserError if the machine that it names is not here."""
    if task.instruction_set is None:
        return Training(task, history, start, until)
    here = refuse_missing_machine(task.instruction_set)
    try:
        return CompiledTraining(replace(task, instruction_set=here), history, start, until)
    except SymbolError as error:
        raise UserError(f"the compiled machine has no equivalent of what the settings use: {error}") from None
