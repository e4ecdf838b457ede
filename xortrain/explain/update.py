"""The update as equations: what the optimizer makes of each gradient, and the network after it."""

import numpy as np

from xortrain.explain.document import Block, Equation, Section, Sentences
from xortrain.explain.forward import Shown, outputs, setting_symbols
from xortrain.explain.step import RunState, Step
from xortrain.nets import Array
from xortrain.nets.formula import Symbol, symbol
from xortrain.nets.optimizers import OPTIMIZERS, Move, Optimizer


def update(step: Step, shown: Shown) -> Section:
    """θ → θ', and y and L after it."""
    blocks: list[Block] = [Sentences(_says(step)), *_numbers(step)]
    for name in step.network.shapes:
        if int(name[1:]) - 1 in shown.layers:
            blocks.append(Section(name, _parameter(step, name)))
    return Section("Update", [*blocks, _after(step)])


def _says(step: Step) -> str:
    text = f"The optimizer is {step.task.optimizer.name}; a prime marks what is new."
    if step.updates > 1:
        text += f" The epoch makes {step.updates} updates, one for each batch; this is the first."
    return text


def _row(step: Step) -> Optimizer:
    return OPTIMIZERS[step.task.optimizer.name]


def _settings(step: Step) -> dict[str, Symbol]:
    return setting_symbols(_row(step).settings, step.task.optimizer.settings)


def _numbers(step: Step) -> list[Block]:
    """The learning rate and the settings that are not 0, and what the optimizer keeps that is one number."""
    is_number = {name: setting.kind != "flag" for name, setting in _row(step).settings.items()}
    settings = [s for name, s in _settings(step).items() if s.value and is_number[name]]
    kept = [symbol(_row(step).letters[name], value) for name, value in step.after.state.items() if not value.ndim]
    return [Equation(s.name, s.value) for s in (symbol("η", step.lr), *settings, *kept)]


def _kept(step: Step, moment: RunState, name: str, prime: str) -> dict[str, Symbol]:
    """What the optimizer keeps of one parameter, as symbols."""
    found = {}
    for key, value in moment.state.items():
        of_parameter = step.network.split(value)[name] if value.ndim else value
        found[key] = symbol(_row(step).letters[key] + (prime if value.ndim else ""), of_parameter)
    return found


def _parameter(step: Step, name: str) -> list[Block]:
    """What becomes of one array of parameters."""
    new = step.network.split(step.after.theta)[name]
    theta = symbol(name, step.network.split(step.before.theta)[name])
    if name in step.task.freeze:
        return [Equation(f"{name}'", new, (theta,)), Sentences(f"`{name}` is frozen.")]
    after = _kept(step, step.after, name, "'")
    move = Move(
        theta=theta,
        g=symbol(f"dL/d{name}", step.total.gradient[name]),
        lr=symbol("η", step.lr),
        settings=_settings(step),
        before=_kept(step, step.before, name, ""),
        after=after,
    )
    values: dict[str, Array] = {key: s.value for key, s in after.items()} | {"theta": new}
    names = {key: s.name for key, s in after.items()} | {"theta": f"{name}'"}
    lines = _row(step).written(move)
    return [Equation(names[key], values[key], (formula,)) for key, formula in lines.items()]


def _after(step: Step) -> Section:
    """The outputs with the new parameters, and the loss before and after."""
    after = step.after
    change = float(after.loss - step.before.loss)
    verb = "falls" if change < 0 else "rises" if change > 0 else "stays"
    right = int(np.sum(after.right))
    blocks: list[Block] = [
        outputs(step, after),
        Equation("L", step.before.loss),
        Equation("L'", after.loss),
        Sentences(f"The loss {verb}{f' by {abs(change):.2g}' if change else ''}; {right} of {len(step.x)} are right."),
    ]
    return Section("After the update", blocks)
