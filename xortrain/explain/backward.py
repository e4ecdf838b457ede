"""The backward pass as equations: a chain of products of row vectors and Jacobians, from the loss back to x.

δk is dℓ/dzk, a row; Jk is dak/dzk.  First each example by itself, then all of them in the gradient of L.
"""

import numpy as np

from xortrain.explain.document import Block, Equation, Section, Sentences, Table
from xortrain.explain.forward import (
    PARTS,
    Shown,
    a_name,
    a_of,
    loss_settings,
    parameters,
    received,
    setting_symbols,
    shared,
    target,
    title,
)
from xortrain.explain.proof import Proof
from xortrain.explain.step import Step
from xortrain.nets import Array
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.formula import Call, Number, Symbol, Term, Total, kron, symbol
from xortrain.nets.losses import LOSSES
from xortrain.nets.network import Layer


def backward(step: Step, shown: Shown, proof: Proof) -> Section:
    """dℓ/dy → δK → … → dℓ/dx of the examples shown, and dL/dθ."""
    blocks: list[Block] = [Section(title(step, n), _example(step, n, shown, proof)) for n in shown.examples]
    return Section("Backward", [*blocks, _together(step, shown, proof)])


def _row(values: Array) -> Array:
    return values[None]


def _delta(step: Step, k: int, n: int) -> Symbol:
    return symbol(f"δ{k + 1}", _row(step.each.delta[k][n]))


def _upstream(step: Step, k: int, n: int) -> Symbol:
    """dℓ/da of layer k, counted from 0."""
    return symbol(f"dℓ/d{a_name(step, k + 1)}", _row(step.each.upstream[k][n]))


def _example(step: Step, n: int, shown: Shown, proof: Proof) -> list[Block]:
    last = len(step.network.layers) - 1
    y, t = a_of(step, last + 1, n), target(step, n)
    on_y = LOSSES[step.criterion.loss].slope(y, t, **loss_settings(step))
    blocks: list[Block] = [Equation(f"dℓ/d{y.name}", _upstream(step, last, n).value, (on_y,))]
    for k in reversed(range(last + 1)):
        if k in shown.layers:
            blocks += [*_jacobian(step, k, n), *_gradient(step, k, n, proof)]
            if k:
                below = _upstream(step, k - 1, n)
                blocks.append(Equation(below.name, below.value, (_delta(step, k, n) @ _towards(step, k, "a"),)))
    return [*blocks, _inputs(step, n, proof)]


def _jacobian(step: Step, k: int, n: int) -> list[Block]:
    """Jk, and δk: what comes from above times Jk."""
    layer, above, delta = step.network.layers[k], _upstream(step, k, n), _delta(step, k, n)
    z, a = symbol(f"z{k + 1}", step.before.z[k][n]), a_of(step, k + 1, n)
    formula = _written_jacobian(layer, z, a)
    j = symbol(f"J{k + 1}", step.jacobian(k, n))
    formulas: tuple[Term, ...] = (above @ j,)
    is_last = k == len(step.network.layers) - 1
    joint = step.criterion.joint if is_last else None
    if joint and joint.written_delta:
        formulas = (*formulas, joint.written_delta(a, target(step, n)))
    blocks: list[Block] = [Equation(j.name, j.value, (formula,)), Equation(delta.name, delta.value, formulas)]
    if is_last and not np.allclose(above.value @ j.value, delta.value, rtol=1e-6, atol=0):
        blocks.append(Sentences(LOST.format(above=above.name, j=j.name, delta=delta.name, z=z.name)))
    return blocks


def _written_jacobian(layer: Layer, z: Term, a: Term) -> Term:
    """da/dz: diagonal, unless the units of the layer are coupled."""
    row = ACTIVATIONS[layer.activation]
    settings = setting_symbols(row.settings, layer.settings)
    return row.jacobian(z, a, **settings) if row.jacobian else Call("diag", row.slope(z, a, **settings))


LOST = (
    "The product of `{above}` and `{j}` is not `{delta}` here: `y` has rounded to 0 or 1, and what that loses "
    "the program keeps, for it takes `{delta}` straight from `{z}`."
)


def _gradient(step: Step, k: int, n: int, proof: Proof) -> list[Block]:
    """dℓ/dW and dℓ/db of layer k."""
    delta, each = _delta(step, k, n), step.each.gradient
    below = Call("T", received(step, k + 1, n))
    w, b = f"W{k + 1}", f"b{k + 1}"
    blocks: list[Block] = [Equation(f"dℓ/d{w}", each[w][n], (kron(Call("T", delta), below),), *proof.of_example(w, n))]
    if step.network.bias:
        blocks.append(Equation(f"dℓ/d{b}", each[b][n], (Call("T", delta),), *proof.of_example(b, n)))
    return blocks


def _towards(step: Step, k: int, side: str) -> Symbol:
    """The columns of W of layer k for the units before it ("a"), or with skip for the inputs ("x")."""
    w = parameters(step)[f"W{k + 1}"]
    if not step.network.skip or k < len(step.network.layers) - 1:
        return w
    units = step.network.layers[k - 1].units
    return symbol(f"{w.name}{side}", w.value[:, :units] if side == "a" else w.value[:, units:])


def _inputs(step: Step, n: int, proof: Proof) -> Equation:
    formula: Term = _delta(step, 0, n) @ _towards(step, 0, "a")
    if step.network.skip:
        last = len(step.network.layers) - 1
        formula = formula + _delta(step, last, n) @ _towards(step, last, "x")
    return Equation("dℓ/dx", _row(step.each.inputs[n]), (formula,), *proof.of_inputs(n))


def _together(step: Step, shown: Shown, proof: Proof) -> Section:
    """The gradient of L: what flows back in all examples, one row each, and its sum for every parameter."""
    blocks: list[Block] = [Sentences(_mean_or_sum(step))]
    for k in reversed(shown.layers):
        blocks += [
            _rows(
                step,
                f"dL/d{a_name(step, k + 1)}",
                f"dℓ/d{a_name(step, k + 1)}",
                step.total.upstream[k],
                step.each.upstream[k],
            ),
            _rows(step, f"dL/dz{k + 1}", f"δ{k + 1}", step.total.delta[k], step.each.delta[k]),
        ]
    for name, g in step.total.gradient.items():
        if int(name[1:]) - 1 in shown.layers:
            total = Total(f"dℓ/d{name}", tuple(step.each.gradient[name][:PARTS]), max(0, len(step.x) - PARTS))
            blocks.append(Equation(f"dL/d{name}", g, (shared(step, total),), *proof.of_total(name)))
    if proof.sample is not None:
        blocks += [Sentences(proof.sampled), Table(("parameter", "gradient", "by differences", "off by"), proof.sample)]
    return Section("All examples", blocks)


def _rows(step: Step, name: str, source: str, value: Array, each: Array) -> Equation:
    """A derivative of L in all examples, one row each."""
    rows = symbol(source, each)
    count = round(1 / step.share)
    return Equation(name, value, (rows if count == 1 else Number(1) / Number(count) * rows,))


def _mean_or_sum(step: Step) -> str:
    count = round(1 / step.share)
    if count == 1:
        return "`L` is the sum of the examples' losses, so its gradient is the sum of theirs. Rows are examples."
    return (
        f"`L` is the sum of the examples' losses divided by {count}, so its gradient is the sum of theirs divided "
        f"by {count}. Rows are examples."
    )
