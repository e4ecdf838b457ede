"""The forward pass as equations: from x of one example to its loss, and from all losses to L."""

from dataclasses import dataclass

import numpy as np

from xortrain.explain.activations import ACTIVATIONS
from xortrain.explain.document import Block, Equation, Section, Sentences, Table
from xortrain.explain.formula import Call, Number, Symbol, Term, Total, symbol
from xortrain.explain.losses import LOSSES
from xortrain.explain.optimizers import LETTERS
from xortrain.explain.step import Moment, Step
from xortrain.nets import Array, Numbers

PARTS = 6  # of a sum over examples that are written out
SHORT = 3  # inputs that fit into a table


@dataclass(frozen=True)
class Shown:
    """Which examples and which layers (counted from 0) are written out."""

    examples: list[int]
    layers: list[int]


def settings(numbers: Numbers) -> dict[str, Term]:
    """Settings (1,) of a run as symbols."""
    return {name: symbol(LETTERS.get(name, name), value[0]) for name, value in numbers.items()}


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
    """t of an example, or what label smoothing makes of it."""
    return smoothed(step, symbol("t", step.t[example]))


def smoothed(step: Step, t: Term) -> Term:
    evenly = LOSSES[step.criterion.loss].evenly
    share = step.criterion.settings.get("label_smoothing")
    if evenly is None or share is None or not share.any():
        return t
    epsilon = symbol(LETTERS["label_smoothing"], share[0])
    return t * (1 - epsilon) + epsilon * evenly(step.network.outputs)


def loss_settings(step: Step) -> dict[str, Term]:
    return {k: v for k, v in settings(step.criterion.settings).items() if k != "label_smoothing"}


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
    a = ACTIVATIONS[layer.activation].formula(z, **settings(layer.settings))
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
    right = int(step.before.right.sum())
    blocks: list[Block] = [
        outputs(step, step.before),
        Equation("L", step.before.loss, (shared(step, total),)),
        Sentences(f"{right} of {len(losses)} examples {'is' if right == 1 else 'are'} right ({rule(step)})."),
    ]
    return Section("All examples", blocks)


def rule(step: Step) -> str:
    """When an output counts as right."""
    wanted = step.task.rule
    low, high = wanted.low[0], wanted.high[0]
    match wanted.name:
        case "tolerance":
            return f"less than {wanted.settings['within'][0]:g} from its target"
        case "fahlman":
            return f"in the lowest or the highest 40 % of {low:g} to {high:g}, where the target is"
    return f"on the target's side of {(low + high) / 2:g}"


def outputs(step: Step, moment: Moment) -> Table:
    """One row an example: x (where it is short), t, y, ℓ, and whether it is right."""
    count, losses = min(len(step.x), PARTS), moment.losses.sum(axis=1)
    columns = {"`t`": step.t, "`y`": moment.y, "`ℓ`": losses}
    if step.x.shape[1] <= SHORT:
        columns = {"`x`": step.x} | columns
    rows: list[tuple[str | Array, ...]] = [
        (str(n), *(values[n] for values in columns.values()), "yes" if moment.right[n] else "no") for n in range(count)
    ]
    return Table(("example", *columns, "right"), rows, len(step.x) - count)
