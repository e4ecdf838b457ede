"""The backward pass as equations: a chain of products of row vectors and Jacobians, from the loss back to x.

δk is dℓ/dzk, a row; Jk is dak/dzk.  Each example comes first, then the gradient of L; each gradient is followed by its
finite differences.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xortrain.explain.document import Block, Equation, Section, Table
from xortrain.explain.forward import (
    PARTS,
    Shown,
    a_name,
    a_symbol,
    beyond_formula,
    directly,
    example_heading,
    layer_input,
    loss_settings,
    mean_or_sum,
    parameter_symbols,
    setting_symbols,
    smoothed,
)
from xortrain.explain.step import Step
from xortrain.nets import Array
from xortrain.nets.formula import Call, Symbol, Term, Total, kron, symbol
from xortrain.records.layout import parameter_names

AFFORDABLE = 2e8  # multiplications that all finite differences of a step may take
SAMPLED = 12  # parameters that are checked if all would take longer
Checked = tuple[Array | None, str]
"""Values by finite differences, if there are any, and a remark."""


@dataclass(frozen=True)
class FiniteDifferences:
    """The finite differences of a step: of every parameter of a small network, of a sample of a large one."""

    step: Step

    @cached_property
    def is_complete(self) -> bool:
        """Whether every parameter is checked."""
        size = self.step.network.size
        return 2.0 * size * size * len(self.step.x) <= AFFORDABLE

    @cached_property
    def _slopes(self) -> dict[str, Array]:
        """By name, (examples, *shape)."""
        network = self.step.network
        central = self.step.by_parameters(np.arange(network.size)).central
        return {name: np.moveaxis(part, -1, 0) for name, part in network.split(central.T).items()}

    def of_example(self, name: str, example: int) -> Checked:
        """dℓ/dθ of one example."""
        value = self._slopes[name][example] if self.is_complete else None
        return self._checked(value, self.step.each.gradient[name][example], [example])

    def of_total(self, name: str) -> Checked:
        """dL/dθ."""
        value = self._slopes[name].sum(axis=0) * self.step.share if self.is_complete else None
        return self._checked(value, self.step.total.gradient[name], list(range(len(self.step.x))))

    def of_inputs(self, example: int) -> Checked:
        """dℓ/dx of one example."""
        return self._checked(self.step.by_inputs.central[[example]], self.step.each.inputs[[example]], [example])

    def _checked(self, value: Array | None, gradient: Array, examples: list[int]) -> Checked:
        """A value, with the corners that may explain why it differs from the gradient."""
        if value is None or np.allclose(value, gradient, rtol=1e-4, atol=1e-7):
            return value, ""
        return value, " ".join(self.step.corners(examples)[:2])

    def sample(self) -> list[Block]:
        """A table of some parameters of a large network."""
        if self.is_complete:
            return []
        network = self.step.network
        places = np.linspace(0, network.size - 1, SAMPLED).astype(int)
        value = self.step.by_parameters(places).central.sum(axis=0) * self.step.share
        g = network.join(self.step.total.gradient)[places]
        names = parameter_names(network.shapes)
        text = f"{SAMPLED} of {network.size:,} parameters are checked here by differences; `xortrain check` checks all."
        rows = [(names[p], g[i], value[i], f"{abs(value[i] - g[i]):.0e}") for i, p in enumerate(places)]
        return [text, Table(("parameter", "gradient", "by differences", "off by"), rows)]


def backward(step: Step, shown: Shown) -> Section:
    """dℓ/dy → δK → … → dℓ/dx of the examples shown, and dL/dθ."""
    differences = FiniteDifferences(step)
    examples = [Section(example_heading(step, n), _example(step, n, shown, differences)) for n in shown.examples]
    return Section("Backward", [*examples, _all_examples(step, shown, differences)])


def _delta(step: Step, k: int, n: int) -> Symbol:
    """δ of layer k, counted from 0, as a row."""
    return symbol(f"δ{k + 1}", step.each.delta[k][n][None])


def _upstream(step: Step, k: int, n: int) -> Symbol:
    """dℓ/da of layer k, counted from 0, as a row."""
    return symbol(f"dℓ/d{a_name(step, k + 1)}", step.each.upstream[k][n][None])


def _example(step: Step, n: int, shown: Shown, differences: FiniteDifferences) -> list[Block]:
    last = len(step.network.layers) - 1
    y, t = a_symbol(step, last + 1, n), smoothed(step, symbol("t", step.t[n]))
    on_y = _upstream(step, last, n)
    slope = step.task.criterion.row.slope(y, t, **loss_settings(step))
    blocks: list[Block] = [Equation(on_y.name, on_y.value, (slope,)), *beyond_formula(step, n, on_y.name)]
    for k in reversed(shown.layers):
        blocks += [*_jacobian(step, k, n, t), *_gradient(step, k, n, differences)]
        if k:
            below = _upstream(step, k - 1, n)
            blocks.append(Equation(below.name, below.value, (_delta(step, k, n) @ _weights(step, k, "a"),)))
    return [*blocks, _inputs(step, n, differences)]


def _jacobian(step: Step, k: int, n: int, t: Term) -> list[Block]:
    """Jk, and δk: dℓ/dak times Jk."""
    above, delta = _upstream(step, k, n), _delta(step, k, n)
    z, a = symbol(f"z{k + 1}", step.before.z[k][n]), a_symbol(step, k + 1, n)
    row = step.network.layers[k].row
    settings = setting_symbols(row.settings, step.network.layers[k].settings)
    written = row.jacobian(z, a, **settings) if row.jacobian else Call("diag", row.slope(z, a, **settings))
    j = symbol(f"J{k + 1}", step.jacobian(k, n))
    formulas: list[Term] = [above @ j]
    is_last = k == len(step.network.layers) - 1
    joint = step.task.criterion.joint if is_last else None
    if joint and joint.written_delta:
        formulas.append(joint.written_delta(a, t))
    blocks: list[Block] = [Equation(j.name, j.value, (written,)), Equation(delta.name, delta.value, tuple(formulas))]
    if is_last and not np.allclose(above.value @ j.value, delta.value, rtol=1e-6, atol=0):
        blocks.append(
            f"The product of `{above.name}` and `{j.name}` is not `{delta.name}`. {directly(delta.name, z.name)}"
        )
    return blocks


def _gradient(step: Step, k: int, n: int, differences: FiniteDifferences) -> list[Block]:
    """dℓ/dW and dℓ/db of layer k."""
    column, inputs = Call("T", _delta(step, k, n)), Call("T", layer_input(step, k + 1, n))
    formulas: dict[str, Term] = {f"W{k + 1}": kron(column, inputs)}
    if step.network.bias:
        formulas[f"b{k + 1}"] = column
    return [
        Equation(f"dℓ/d{name}", step.each.gradient[name][n], (formula,), *differences.of_example(name, n))
        for name, formula in formulas.items()
    ]


def _weights(step: Step, k: int, part: str) -> Symbol:
    """W of layer k; with skip, in the last layer, its columns for the hidden units ("a") or the inputs ("x")."""
    w = parameter_symbols(step)[f"W{k + 1}"]
    if not step.network.skip or k < len(step.network.layers) - 1:
        return w
    units = step.network.layers[k - 1].units
    return symbol(f"{w.name}{part}", w.value[:, :units] if part == "a" else w.value[:, units:])


def _inputs(step: Step, n: int, differences: FiniteDifferences) -> Equation:
    formula: Term = _delta(step, 0, n) @ _weights(step, 0, "a")
    if step.network.skip:
        last = len(step.network.layers) - 1
        formula = formula + _delta(step, last, n) @ _weights(step, last, "x")
    return Equation("dℓ/dx", step.each.inputs[n][None], (formula,), *differences.of_inputs(n))


def _all_examples(step: Step, shown: Shown, differences: FiniteDifferences) -> Section:
    """The gradient of L: its derivatives for all examples, one row each, and their sum for every parameter."""
    count, each, total = round(1 / step.share), step.each, step.total
    divided = "" if count == 1 else f" divided by {count}"
    blocks: list[Block] = [
        f"`L` is the sum of the examples' losses{divided}, so its gradient is the sum of their gradients{divided}. "
        "Rows are examples."
    ]
    for k in reversed(shown.layers):
        a = a_name(step, k + 1)
        for name, value, source, parts in (
            (f"dL/d{a}", total.upstream[k], f"dℓ/d{a}", each.upstream[k]),
            (f"dL/dz{k + 1}", total.delta[k], f"δ{k + 1}", each.delta[k]),
        ):
            blocks.append(Equation(name, value, (mean_or_sum(step, symbol(source, parts)),)))
    for name, g in total.gradient.items():
        if int(name[1:]) - 1 in shown.layers:
            terms = Total(f"dℓ/d{name}", tuple(each.gradient[name][:PARTS]), max(0, len(step.x) - PARTS))
            blocks.append(Equation(f"dL/d{name}", g, (mean_or_sum(step, terms),), *differences.of_total(name)))
    return Section("All examples", [*blocks, *differences.sample()])
