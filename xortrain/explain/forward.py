"""The forward pass as equations: from x of one example to its loss, and from all losses to L."""

from dataclasses import dataclass

import numpy as np

from xortrain.explain.document import Block, Equation, Section, Sentences, Table
from xortrain.explain.step import RunState, Step
from xortrain.nets import Array, Numbers
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.formula import Call, Number, Symbol, Term, Total, symbol
from xortrain.nets.losses import LOSSES
from xortrain.nets.setting import Settings

PARTS = 6  # of a sum over examples that are written out
SHORT = 3  # inputs that fit into a table


@dataclass(frozen=True)
class Shown:
    """Which examples and which layers (counted from 0) are written out."""

    examples: list[int]
    layers: list[int]


def setting_symbols(settings: Settings, numbers: Numbers) -> dict[str, Symbol]:
    """Settings (1,) of a run as symbols."""
    return {name: symbol(settings[name].letter or name, value[0]) for name, value in numbers.items()}


def a_name(step: Step, k: int) -> str:
    """The outputs of layer k, counted from 1: a1, a2, …, y; those of layer 0 are x."""
    return "x" if k == 0 else "y" if k == len(step.network.layers) else f"a{k}"


def a_of(step: Step, k: int, example: int) -> Symbol:
    values = step.x if k == 0 else step.before.a[k - 1]
    return symbol(a_name(step, k), values[example])


def parameters(step: Step) -> dict[str, Symbol]:
    """W_k and b_k by name."""
    return {name: symbol(name, value) for name, value in step.network.split(step.before.theta).items()}


def received(step: Step, k: int, example: int) -> Term:
    """What layer k, counted from 1, receives: with skip the last layer sees x too."""
    below = a_of(step, k - 1, example)
    if step.network.skip and k == len(step.network.layers):
        return Call("join", below, a_of(step, 0, example))
    return below


def target(step: Step, example: int) -> Term:
    """t of an example, smoothed if label smoothing is on."""
    return smoothed(step, symbol("t", step.t[example]))


def smoothed(step: Step, t: Term) -> Term:
    """Targets as the loss compares with them."""
    row = LOSSES[step.criterion.loss]
    share = setting_symbols(row.settings, step.criterion.settings).get("label_smoothing")
    return t if share is None or not share.value else row.smoothed(t, share, step.network.outputs)


def loss_settings(step: Step) -> dict[str, Symbol]:
    """The settings of the loss itself as symbols."""
    found = setting_symbols(LOSSES[step.criterion.loss].settings, step.criterion.settings)
    return {name: found[name] for name in LOSSES[step.criterion.loss].own}


def forward(step: Step, shown: Shown) -> Section:
    """x → z1 → a1 → … → y → ℓ of the examples shown, and L."""
    blocks: list[Block] = [Section(title(step, n), _example(step, n, shown)) for n in shown.examples]
    return Section("Forward", [*blocks, together(step)])


def title(step: Step, example: int) -> str:
    return f"Example {example} (of 0 to {len(step.x) - 1})"


def _example(step: Step, n: int, shown: Shown) -> list[Block]:
    blocks: list[Block] = [Equation("x", step.x[n]), Equation("t", step.t[n])]
    for k in shown.layers:
        blocks += _layer(step, k, n)
    return [*blocks, *_loss(step, n)]


def _layer(step: Step, k: int, n: int) -> list[Block]:
    """z and a of layer k, counted from 0."""
    theta, layer = parameters(step), step.network.layers[k]
    z = symbol(f"z{k + 1}", step.before.z[k][n])
    weighted: Term = theta[f"W{k + 1}"] @ received(step, k + 1, n)
    if step.network.bias:
        weighted = weighted + theta[f"b{k + 1}"]
    row = ACTIVATIONS[layer.activation]
    a = row.formula(z, **setting_symbols(row.settings, layer.settings))
    return [
        Equation(z.name, z.value, (weighted,)),
        Equation(a_name(step, k + 1), step.before.a[k][n], (a,)),
    ]


def _loss(step: Step, n: int) -> list[Block]:
    """The loss of an example; with several outputs the loss of each first."""
    values, written = step.before.losses[n], LOSSES[step.criterion.loss]
    if len(values) == 1:
        y, t = symbol("y", step.before.y[n, 0]), smoothed(step, symbol("t", step.t[n, 0]))
        return [Equation("ℓ", values[0], (written.formula(y, t, **loss_settings(step)),))]
    y = a_of(step, len(step.network.layers), n)
    each = Equation("losses", values, (written.formula(y, target(step, n), **loss_settings(step)),))
    return [each, Equation("ℓ", values.sum(), (Call("sum", symbol(each.name, values)),))]


def shared(step: Step, total: Total) -> Term:
    """A sum over the examples, or their mean."""
    count = round(1 / step.share)
    return total if count == 1 else Number(1) / Number(count) * total


def together(step: Step) -> Section:
    """Every example in a table, and their losses in one number."""
    losses = step.before.losses.sum(axis=1)
    count = min(len(losses), PARTS)
    total = Total("ℓ", tuple(np.asarray(part) for part in losses[:count]), len(losses) - count)
    right, words = int(step.before.right.sum()), step.task.success.words()
    blocks: list[Block] = [
        outputs(step, step.before),
        Equation("L", step.before.loss, (shared(step, total),)),
        Sentences(f"{right} of {len(losses)} examples {'is' if right == 1 else 'are'} right ({words})."),
    ]
    return Section("All examples", blocks)


def outputs(step: Step, moment: RunState) -> Table:
    """One row an example: x (where it is short), t, y, ℓ, and whether it is right."""
    count, losses = min(len(step.x), PARTS), moment.losses.sum(axis=1)
    columns = {"`t`": step.t, "`y`": moment.y, "`ℓ`": losses}
    if step.x.shape[1] <= SHORT:
        columns = {"`x`": step.x} | columns
    rows: list[tuple[str | Array, ...]] = [
        (str(n), *(values[n] for values in columns.values()), "yes" if moment.right[n] else "no") for n in range(count)
    ]
    return Table(("example", *columns, "right"), rows, len(step.x) - count)
