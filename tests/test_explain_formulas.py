"""Every formula in an explanation has the value printed after it, for all tables and architectures.

The tests evaluate the formulas independently; the values come from training.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_runs import some_setup

from xortrain.explain.document import Block, Equation, Section
from xortrain.explain.explanation import explanation
from xortrain.explain.step import step_at
from xortrain.explain.text import TextWriter
from xortrain.nets import Array
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.formula import Call, Number, Operation, Symbol, Term, Total, kron, symbol
from xortrain.nets.losses import LOSSES
from xortrain.nets.optimizers import OPTIMIZERS

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "-": np.negative,
    "T": lambda a: a[None] if a.ndim == 1 else a[0],
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sin": np.sin,
    "cos": np.cos,
    "cosh": np.cosh,
    "sign": np.sign,
    "abs": np.abs,
    "√": np.sqrt,
    "max": np.maximum,
    "min": np.minimum,
    "clip": np.clip,
    "sum": np.sum,
    "diag": np.diag,
    "ones": np.ones_like,
    "join": lambda *parts: np.concatenate(parts),
    "Φ": np.vectorize(lambda z: 0.5 * math.erfc(-z / math.sqrt(2))),
}
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "·": np.multiply,
    "/": np.divide,
    "^": np.power,
    ">": np.greater,
    "<": np.less,
    "≥": np.greater_equal,
    "≤": np.less_equal,
    "⊗": lambda column, row: np.kron(column[:, None], row),
    "@": lambda left, right: np.outer(left, right) if left.ndim == 1 and right.shape[0] == 1 else left @ right,
}


def value_of(formula: Term) -> Any:
    match formula:
        case Symbol(_, value) | Number(value):
            return np.asarray(value, float)
        case Total(_, parts, hidden):
            assert not hidden
            return np.sum(parts, axis=0)
        case Operation(sign, left, right):
            return np.asarray(SIGNS[sign](value_of(left), value_of(right)), float)
        case Call(name, arguments):
            return np.asarray(FUNCTIONS[name](*map(value_of, arguments)), float)
    raise AssertionError(formula)


def equations(block: Block) -> Iterator[Equation]:
    if isinstance(block, Equation):
        yield block
    elif isinstance(block, Section):
        for inner in block.blocks:
            yield from equations(inner)


def assert_every_formula_holds(epoch: int = 0, **changes: Any) -> list[Equation]:
    """Check a step of the default network with changed settings, and return its equations."""
    found = list(equations(explanation(step_at(some_setup(epochs=3, **changes).task(), epoch))))
    for equation in found:
        for formula in equation.formulas:
            value = np.broadcast_to(value_of(formula), equation.value.shape)
            where = f"{equation.name} = {TextWriter(4).formula(formula, numbers=False)}"
            np.testing.assert_allclose(value, equation.value, rtol=1e-8, atol=1e-12, err_msg=where)
        assert equation.check is None or equation.check.shape == equation.value.shape
    return found


@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"step"}))
def test_the_formulas_of_every_activation_hold(activation: str) -> None:
    assert_every_formula_holds(activation=activation, architecture=("mlp", {"hidden": [3]}), lr=0.1)


def test_the_formulas_of_a_step_function_hold() -> None:
    for equation in equations(explanation(step_at(some_setup(activation="step", epochs=0).task()))):
        for formula in equation.formulas:
            value = np.broadcast_to(value_of(formula), equation.value.shape)
            np.testing.assert_allclose(value, equation.value, atol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_formulas_of_every_loss_hold(loss: str) -> None:
    low = -1.0 if LOSSES[loss].targets == "signs" else 0.0
    assert_every_formula_holds(loss=loss, activation="tanh", lr=0.1, data=("xor", {"low": low}))


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_the_formulas_of_smoothed_targets_hold(loss: str) -> None:
    assert_every_formula_holds(loss=(loss, {"label_smoothing": 0.1}))


def assert_only_explained_formulas_fail(block: Block) -> int:
    """Check that a sentence follows each equation whose formula does not have its value, and count these equations."""
    if not isinstance(block, Section):
        return 0
    failed = sum(map(assert_only_explained_formulas_fail, block.blocks))
    for equation, after in zip(block.blocks, [*block.blocks[1:], None], strict=True):
        if isinstance(equation, Equation):
            values = [np.broadcast_to(value_of(formula), equation.value.shape) for formula in equation.formulas]
            sentence = after if isinstance(after, str) else ""
            if all(np.allclose(value, equation.value, rtol=1e-8, atol=1e-12) for value in values):
                assert "clips" not in sentence
            else:
                assert f"`{equation.name}`" in sentence
                failed += 1
    return failed


@pytest.mark.parametrize("output", ["auto", "identity", "relu", "softplus"])
@pytest.mark.parametrize("loss", LOSSES)
@np.errstate(all="ignore")
def test_a_formula_that_does_not_hold_is_followed_by_a_sentence(loss: str, output: str) -> None:
    low = -1.0 if LOSSES[loss].targets == "signs" else 0.0
    changes: dict[str, Any] = {"loss": loss, "output": output, "init": ("randn", {"scale": 60.0})}
    step = step_at(some_setup(data=("xor", {"low": low}), **changes).task())
    failed = assert_only_explained_formulas_fail(explanation(step))
    is_rounded = LOSSES[loss].holds is not None and (loss, output) != ("cross_entropy", "auto")
    assert (failed > 0) == is_rounded  # the outputs of softmax stay above 0


OPTIONS: dict[str, list[dict[str, Any]]] = {
    "sgd": [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "rmsprop": [{"momentum": 0.9}],
}
CASES = [(name, keys) for name in OPTIMIZERS for keys in ({}, *OPTIONS.get(name, []))]


@pytest.mark.parametrize("decay", [0, 0.1])
@pytest.mark.parametrize(("optimizer", "keys"), CASES)
def test_the_formulas_of_every_optimizer_hold(optimizer: str, keys: dict[str, Any], decay: float) -> None:
    decays = {"weight_decay": decay} if optimizer != "rprop" else {}
    assert_every_formula_holds(epoch=2, optimizer=(optimizer, keys | decays), lr=0.3)


@pytest.mark.parametrize(
    "changes",
    [
        {"architecture": ("skip", {"hidden": [2, 1]}), "activation": "tanh"},
        {"architecture": ("mlp", {"hidden": []})},
        {"architecture": ("mlp", {"bias": False}), "loss": "mse"},
        {"output": "softmax", "loss": "mse", "data": ("encoder", {"size": 3})},
        {"loss": "cross_entropy", "architecture": ("mlp", {"hidden": [4, 3]}), "activation": "softmax"},
        {"batch_size": 3, "schedule": "cosine"},
        {"freeze": ["W1"]},
        {"loss": ("bce", {"reduction": "mean"})},
    ],
)
def test_the_formulas_of_every_architecture_hold(changes: dict[str, Any]) -> None:
    assert_every_formula_holds(epoch=1, **changes)


def test_an_explanation_contains_every_quantity_of_the_step() -> None:
    names = {equation.name for equation in assert_every_formula_holds(epoch=1, optimizer="adam")}
    forward = {"x", "t", "z1", "a1", "z2", "y", "ℓ", "L"}
    chain = {"dℓ/dy", "J2", "δ2", "dℓ/dW2", "dℓ/db2", "dℓ/da1", "J1", "δ1", "dℓ/dW1", "dℓ/db1", "dℓ/dx"}
    batch = {"dL/dy", "dL/dz2", "dL/da1", "dL/dz1", "dL/dW2", "dL/db2", "dL/dW1", "dL/db1"}
    update = {"η", "β1", "β2", "ε", "β1^t", "β2^t", "m'", "s'", "W1'", "b1'", "W2'", "b2'", "L'"}
    assert names >= {"W1", "b1", "W2", "b2"} | forward | chain | batch | update


def test_every_gradient_is_followed_by_its_finite_differences() -> None:
    found = assert_every_formula_holds(epoch=2, activation="tanh")
    checked = [e for e in found if e.name.startswith("d") and e.name[-2] in "Wb"] + [
        e for e in found if e.name == "dℓ/dx"
    ]
    assert len(checked) == 4 * 4 + 4 + 4
    for equation in checked:
        assert equation.check is not None
        np.testing.assert_allclose(equation.check, equation.value, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_with_skip_the_gradient_of_the_inputs_includes_the_direct_connections(activation: str) -> None:
    found = assert_every_formula_holds(activation=activation, architecture=("skip", {"hidden": [2]}))
    for equation in (e for e in found if e.name == "dℓ/dx"):
        assert equation.check is not None
        np.testing.assert_allclose(equation.check, equation.value, rtol=1e-6, atol=1e-9)


def scalars(value: Any) -> Term:
    return symbol("v", value)


def grow(children: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    sums = st.builds(Operation, st.sampled_from("+-·/"), children, children)
    return sums | st.builds(lambda part: -part, children) | st.builds(lambda part: part**2, children)


TREES = st.recursive(st.sampled_from([-2.5, -1.0, 0.5, 3.0]).map(scalars), grow, max_leaves=8)


@given(TREES)
def test_brackets_preserve_the_meaning(tree: Term) -> None:
    """Python evaluates the written formula to the value of the term."""
    written = TextWriter(17).formula(tree, numbers=True)
    with np.errstate(all="ignore"):
        expected = float(value_of(tree))
    if not np.isfinite(expected) or "e" in written:
        return
    python = written.replace("·", "*").replace("^", "**")
    np.testing.assert_allclose(eval(python), expected, rtol=1e-9)


W, x, b = symbol("W", np.eye(2)), symbol("x", np.array([0.5, -1])), symbol("b", np.zeros(2))
y, t = symbol("y", np.array([0.25])), symbol("t", np.array([1.0]))
ROW: Array = np.array([[1.0, 2.0]])


@pytest.mark.parametrize(
    ("formula", "symbols", "numbers"),
    [
        (W @ x + b, "W x + b", "[[1 0] [0 1]] [0.5 -1] + [0 0]"),
        (1 / (1 + Call("exp", -x)), "1 / (1 + exp(-x))", "1 / (1 + exp(-[0.5 -1]))"),
        (-(t * Call("log", y)), "-t · log(y)", "-[1] · log([0.25])"),
        (2 * (y - t), "2 · (y - t)", "2 · ([0.25] - [1])"),
        ((y - t) ** 2, "(y - t)^2", "([0.25] - [1])^2"),
        (y - (t - y), "y - (t - y)", "[0.25] - ([1] - [0.25])"),
        (y / (t * y), "y / (t · y)", "[0.25] / ([1] · [0.25])"),
        (kron(Call("T", symbol("δ", ROW)), Call("T", x)), "δᵀ ⊗ xᵀ", "[1 2]ᵀ ⊗ [0.5 -1]ᵀ"),
        (symbol("u", -2.0) ** 2 * symbol("v", -1.5), "u^2 · v", "(-2)^2 · (-1.5)"),
        (symbol("dL/db1", ROW) ** 2, "(dL/db1)^2", "[1 2]^2"),
        (Total("g", (ROW, ROW)), "Σ g", "([1 2] + [1 2])"),
    ],
)
def test_formulas_are_written_in_textbook_notation(formula: Term, symbols: str, numbers: str) -> None:
    writer = TextWriter(4)
    assert writer.formula(formula, numbers=False) == symbols
    assert writer.formula(formula, numbers=True).replace("\N{NO-BREAK SPACE}", " ") == numbers
