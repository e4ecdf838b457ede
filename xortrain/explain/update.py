"""The update as equations: the optimizer's new parameters, and the outputs and the loss that they give."""

import numpy as np

from xortrain.explain.document import Block, Equation, Section
from xortrain.explain.forward import Shown, output_table, setting_symbols
from xortrain.explain.step import RunState, Step
from xortrain.nets.formula import Symbol, Term, symbol
from xortrain.nets.optimizers import OPTIMIZERS, Move, written_shaped


def update(step: Step, shown: Shown) -> Section:
    """θ → θ', and y and L with the new parameters."""
    text = f"The optimizer is {step.task.optimizer.name}; a prime marks a new value."
    if step.updates > 1:
        text += f" The epoch has {step.updates} updates, one for each batch; this is the first."
    names = [name for name in step.network.shapes if int(name[1:]) - 1 in shown.layers]
    parameters = [Section(name, _parameter(step, name)) for name in names]
    return Section("Update", [text, *_numbers(step), *parameters, _after(step)])


def _settings(step: Step) -> dict[str, Symbol]:
    choice = step.task.optimizer
    return setting_symbols(OPTIMIZERS[choice.name].settings, choice.settings)


def _numbers(step: Step) -> list[Equation]:
    """The learning rate, the settings that are not 0, and the part of the optimizer's state that is one number."""
    row = OPTIMIZERS[step.task.optimizer.name]
    settings = [s for name, s in _settings(step).items() if s.value and row.settings[name].kind != "flag"]
    state = [symbol(row.letters[name], value) for name, value in step.after.state.items() if not value.ndim]
    if "clip_norm" in step.shaping:
        state.append(symbol("‖g‖", step.gradient_length))
    rates = {rate.name: rate for rate in (_rate(step, name) for name in step.network.shapes)}
    return [Equation(s.name, s.value) for s in (*rates.values(), *settings, *state)]


def _rate(step: Step, name: str) -> Symbol:
    """The learning rate of an array of parameters, which may have one of its own."""
    if not step.lr.ndim:
        return symbol("η", step.lr)
    return symbol(f"η{name}", step.network.split(step.lr)[name].flat[0])


def _state(step: Step, moment: RunState, parameter: str, prime: str) -> dict[str, Symbol]:
    """The optimizer's state for one array of parameters, as symbols."""
    letters, found = OPTIMIZERS[step.task.optimizer.name].letters, {}
    for name, value in moment.state.items():
        part = step.network.split(value)[parameter] if value.ndim else value
        found[name] = symbol(letters[name] + (prime if value.ndim else ""), part)
    return found


def _parameter(step: Step, name: str) -> list[Block]:
    """The update of one array of parameters."""
    theta = symbol(name, step.network.split(step.before.theta)[name])
    new = symbol(f"{name}'", step.network.split(step.after.theta)[name])
    if name in step.task.freeze:
        return [Equation(new.name, new.value, (theta,)), f"`{name}` is frozen."]
    after = _state(step, step.after, name, "'")
    gradient = symbol(f"dL/d{name}", step.total.gradient[name])
    shaped = [Equation(f"g{name}", step.shaped[name], (_shaped(step, gradient, theta),))] if step.shaping else []
    move = Move(
        theta=theta,
        g=symbol(f"g{name}", step.shaped[name]) if shaped else gradient,
        lr=_rate(step, name),
        settings=_settings(step),
        before=_state(step, step.before, name, ""),
        after=after,
    )
    changed = {**after, "theta": new}
    formulas = OPTIMIZERS[step.task.optimizer.name].written(move)
    lines = (Equation(changed[key].name, changed[key].value, (formula,)) for key, formula in formulas.items())
    return [*shaped, *lines]


def _shaped(step: Step, gradient: Symbol, theta: Symbol) -> Term:
    """The gradient of one array of parameters with penalties, and clipped."""
    used = {key: setting for key, setting in _settings(step).items() if key in step.shaping}
    return written_shaped(gradient, theta, symbol("‖g‖", step.gradient_length), used, theta.name[0] == "W")


def _after(step: Step) -> Section:
    """The outputs with the new parameters, and the loss before and after."""
    after = step.after
    change = float(after.loss - step.before.loss)
    verb = "falls" if change < 0 else "rises" if change > 0 else "does not change" if change == 0 else "is not finite"
    amount = f" by {abs(change):.2g}" if change < 0 or change > 0 else ""
    right = int(np.sum(after.right))
    text = f"The loss {verb}{amount}; {right} of {len(step.x)} {'is' if right == 1 else 'are'} right."
    losses = Equation("L", step.before.loss), Equation("L'", after.loss)
    return Section("After the update", [output_table(step, after), *losses, text])
