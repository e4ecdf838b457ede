"""The forward pass as equations: from x of one example to its loss ℓ, and from all losses to L."""

from dataclasses import dataclass

import numpy as np

from xortrain.errors import counted
from xortrain.explain.document import Block, Equation, Section, Table
from xortrain.explain.step import RunState, Step
from xortrain.nets import Numbers
from xortrain.nets.formula import Call, Number, Symbol, Term, Total, symbol
from xortrain.nets.setting import Settings

PARTS = 6  # terms that are written out of a sum over examples
SHORT = 3  # inputs that fit into a table


@dataclass(frozen=True)
class Shown:
    """Which examples and which layers (counted from 0) are written out."""

    examples: list[int]
    layers: list[int]


def setting_symbols(settings: Settings, numbers: Numbers) -> dict[str, Symbol]:
    """The settings (1,) of a run as symbols."""
    return {name: symbol(settings[name].letter or name, value[0]) for name, value in numbers.items()}


def a_name(step: Step, k: int) -> str:
    """The outputs of layer k, counted from 1: a1, a2, …, y; those of layer 0 are x."""
    return "x" if k == 0 else "y" if k == len(step.network.layers) else f"a{k}"


def a_symbol(step: Step, k: int, example: int) -> Symbol:
    """The outputs of layer k, counted from 1, for one example."""
    values = step.x if k == 0 else step.before.a[k - 1]
    return symbol(a_name(step, k), values[example])


def parameter_symbols(step: Step) -> dict[str, Symbol]:
    """W_k and b_k by name."""
    return {name: symbol(name, value) for name, value in step.network.split(step.before.theta).items()}


def layer_input(step: Step, k: int, example: int) -> Term:
    """The inputs of layer k, counted from 1; with skip those of the last layer include x."""
    below = a_symbol(step, k - 1, example)
    if step.network.skip and k == len(step.network.layers):
        return Call("join", below, a_symbol(step, 0, example))
    return below


def loss_settings(step: Step) -> dict[str, Symbol]:
    """The settings of the loss itself as symbols."""
    criterion = step.task.criterion
    return setting_symbols(criterion.row.own, {name: criterion.settings[name] for name in criterion.row.own})


def smoothed(step: Step, t: Term) -> Term:
    """The targets that the loss compares with, smoothed if label smoothing is on."""
    criterion = step.task.criterion
    share = setting_symbols(criterion.row.settings, criterion.settings).get("label_smoothing")
    return t if share is None or not share.value else criterion.row.smoothed(t, share, step.network.outputs)


def mean_or_sum(step: Step, term: Term) -> Term:
    """A part of L or of its gradient: the term itself if L is a sum of losses, divided by their count if a mean."""
    count = round(1 / step.share)
    return term if count == 1 else Number(1) / Number(count) * term


def example_heading(step: Step, example: int) -> str:
    return f"Example {example} (of 0 to {len(step.x) - 1})"


def forward(step: Step, shown: Shown) -> Section:
    """x → z1 → a1 → … → y → ℓ of the examples shown, and L."""
    examples: list[Block] = []
    for n in shown.examples:
        layers = [equation for k in shown.layers for equation in _layer(step, k, n)]
        blocks = [Equation("x", step.x[n]), Equation("t", step.t[n]), *layers, *_loss(step, n)]
        examples.append(Section(example_heading(step, n), blocks))
    return Section("Forward", [*examples, _all_examples(step)])


def _layer(step: Step, k: int, n: int) -> list[Block]:
    """z and a of layer k, counted from 0."""
    theta, row = parameter_symbols(step), step.network.layers[k].row
    z = symbol(f"z{k + 1}", step.before.z[k][n])
    weighted: Term = theta[f"W{k + 1}"] @ layer_input(step, k + 1, n)
    if step.network.bias:
        weighted = weighted + theta[f"b{k + 1}"]
    a = row.formula(z, **setting_symbols(row.settings, step.network.layers[k].settings))
    return [Equation(z.name, z.value, (weighted,)), Equation(a_name(step, k + 1), step.before.a[k][n], (a,))]


def _loss(step: Step, n: int) -> list[Block]:
    """The loss of an example; with several outputs, first the loss of each."""
    place = (n, 0) if step.network.outputs == 1 else n
    values, name = step.before.losses[place], "ℓ" if step.network.outputs == 1 else "losses"
    y, t = symbol("y", step.before.y[place]), smoothed(step, symbol("t", step.t[place]))
    each = Equation(name, values, (step.task.criterion.row.formula(y, t, **loss_settings(step)),))
    total = [] if name == "ℓ" else [Equation("ℓ", values.sum(), (Call("sum", symbol(name, values)),))]
    z = f"z{len(step.network.layers)}" if step.task.criterion.joint else None
    return [each, *beyond_formula(step, n, name, z), *total]


def directly(name: str, z: str) -> str:
    return f"`y` is rounded to 0 or 1 here: the program computes `{name}` directly from `{z}`."


def beyond_formula(step: Step, n: int, name: str, direct: str | None = None) -> list[Block]:
    """A sentence if a formula of the loss does not hold for an example: clipped, or computed from ``direct``."""
    criterion, t = step.task.criterion, step.t[n : n + 1]
    if criterion.row.holds is None or criterion.row.holds(step.before.y[n], criterion.aims(t)).all():
        return []
    clipped = "`y` is at an end of the range for which this formula holds, or beyond: the program clips"
    return [directly(name, direct) if direct else f"{clipped} `{name}` here."]


def _all_examples(step: Step) -> Section:
    """Every example in a table, and their losses in one number."""
    losses = step.before.losses.sum(axis=1)
    count = min(len(losses), PARTS)
    total = Total("ℓ", tuple(np.asarray(part) for part in losses[:count]), len(losses) - count)
    right, words = int(step.before.right.sum()), step.task.success.words()
    equation = Equation("L", step.before.loss, (mean_or_sum(step, total),))
    sentence = f"{right} of {counted(len(losses), 'example')} {'is' if right == 1 else 'are'} right ({words})."
    return Section("All examples", [output_table(step, step.before), equation, sentence])


def output_table(step: Step, state: RunState) -> Table:
    """One row per example: x (where it is short), t, y, ℓ, and whether it is right."""
    count, losses = min(len(step.x), PARTS), state.losses.sum(axis=1)
    columns = {"`t`": step.t, "`y`": state.y, "`ℓ`": losses}
    if step.x.shape[1] <= SHORT:
        columns = {"`x`": step.x} | columns
    rows = [(str(n), *(part[n] for part in columns.values()), "yes" if state.right[n] else "no") for n in range(count)]
    return Table(("example", *columns, "right"), rows, len(step.x) - count)
