"""Recorded NumPy code gives NumPy's numbers through the assembler and the machine."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xortrain.machine.library import instruction_set
from xortrain.machine.run import PART, STEP, TileCall, TileExamples, operation_codes, structures
from xortrain.nets import Array
from xortrain.symbols import SymbolError
from xortrain.symbols.assembly import assembled
from xortrain.symbols.tape import Tape

pytestmark = pytest.mark.skipif(instruction_set() is None, reason="the machine is not built")
RUNS = 9
Function = Callable[[Any, Any], None]
"""Changes the first of two arrays (rows, columns, runs) in place."""


def by_the_machine(function: Function, a: Array, b: Array) -> Array:
    """What is left of ``a``, the state of an optimizer, after one update, of which the function is the program."""
    tape = Tape(50)
    theta, state, other, one = tape.new(1), tape.new(*a.shape[:-1], 1), tape.new(*b.shape[:-1], 1), tape.new(1)
    fixed = tape.size
    function(state, other)
    codes = operation_codes()
    (update,), _, top = assembled([tape.instructions], fixed, tape.blocks, codes)
    end = np.array([[codes["end"], *[0] * 17]], np.int32)
    at = int(one.places[0])
    first: Any = lambda slots: int(slots.places.flat[0])
    sizes = {"thetas": 1, "states": state.size, "settings": other.size, "constants": len(tape.numbers), "slots": top}
    nothing = (
        "memories rates frozen memory g rate frozen_at stop stop_needs testing training ordered inputs epoch test_loss"
    )
    numbers: dict[str, int] = dict.fromkeys(nothing.split(), 0) | dict.fromkeys(("right", "sound", "stops", "loss"), at)
    numbers |= sizes | {
        "runs": RUNS,
        "theta": first(theta),
        "state": first(state),
        "setting": first(other),
        "update": 1,
        "outputs": 0,
    }
    numbers |= {"judging": 1, "is_full_batch": 1, "first": 0, "last": 1, "final": 9, "window": 64, "stride": RUNS}
    found, none = a.reshape(-1, RUNS).copy(), np.full(1, -1, np.int32)
    ends = np.full((4, RUNS), -1, np.int32)
    arrays: dict[str, Any] = dict.fromkeys(
        ("train", "test", "order", "factors", "memory_of", "losses", "test_losses", "frames", "frozen_rows")
    )
    arrays |= {
        "code": np.concatenate([end, update]), "parts": structures(PART, [[0, 0, 0, 0, 0, 0, at, 0, 0, 0]]),
        "judge": structures(STEP, [[0, 0, 1, 1]]), "constant_slots": np.arange(len(tape.numbers), dtype=np.int32),
        "constant_numbers": tape.numbers, "loss_rows": none, "frame_rows": none,
        "setting_of": b.reshape(-1, RUNS).copy(), "theta_of": np.zeros((1, RUNS)), "state_of": found,
        "columns": np.arange(RUNS),
        **dict(zip(("left", "wrong", "diverged_at", "diverged_in"), ends, strict=True)),
    }  # fmt: skip
    x = np.zeros((1, 1))
    data = TileExamples.of(x, x[..., None], (x[..., None], x[..., None]), RUNS, a.dtype)
    name: Any = instruction_set()
    TileCall(name, a.dtype, "small", numbers, arrays, data).train()
    return found.reshape(a.shape)


ROWS, COLUMNS = 3, 4
VIEWS = {
    "all": lambda x: x, "reversed": lambda x: x[::-1], "first": lambda x: x[:1], "column": lambda x: x[:, 1:2],
    "last column": lambda x: x[:, -1:], "turned": lambda x: x[:, ::-1], "scattered": lambda x: x[[2, 0, 1]],
}  # fmt: skip
PARTS = {
    "all": (slice(None), slice(None)), "later": (slice(1, None), slice(None)),
    "earlier": (slice(None, -1), slice(None)),
    "right": (slice(None), slice(1, None)), "left": (slice(None), slice(None, -1)),
}  # fmt: skip
PAIRS = [np.add, np.subtract, np.multiply, np.maximum, np.minimum]
STEPS = st.one_of(
    st.tuples(
        st.just("pair"),
        st.sampled_from(PAIRS),
        st.sampled_from([*VIEWS]),
        st.sampled_from([*VIEWS]),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    st.tuples(
        st.just("shift"),
        st.sampled_from(PAIRS),
        st.sampled_from(["later", "earlier"]),
        st.sampled_from(["later", "earlier"]),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    st.tuples(
        st.just("product"),
        st.sampled_from([np.add, np.subtract]),
        st.booleans(),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    st.tuples(
        st.just("dot"),
        st.sampled_from(["rik,rjk->rij", "ki,kj->ij", "ik,jk->ji"]),
        st.booleans(),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    st.tuples(
        st.just("fold"),
        st.sampled_from([np.add, np.maximum, np.minimum]),
        st.sampled_from([0, 1, (0, 1)]),
        st.booleans(),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    st.tuples(st.just("where"), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("copy"), st.integers(0, 3), st.integers(0, 3)),
)


def program(steps: list[Any]) -> Function:
    def run(a: Any, b: Any) -> None:
        c = np.zeros_like(a)
        c[...] = b
        d = a * 0.5
        arrays = [a, b, c, d]
        for kind, *how in steps:
            if kind == "pair":
                f, one, other, i, j, k = how
                f(VIEWS[one](arrays[i]), VIEWS[other](arrays[j]), out=arrays[k])
            elif kind == "shift":
                f, one, other, i, k = how
                source, into = arrays[i][PARTS[one]], arrays[k][PARTS[other]]
                f(source, 0.5, out=into)
            elif kind == "product":
                f, is_late, i, j, k, into = how
                product = arrays[i] * arrays[j]
                f(*((arrays[k], product) if is_late else (product, arrays[k])), out=arrays[into])
            elif kind == "dot":
                subscripts, is_added, i, j, into = how
                if subscripts.startswith("r"):
                    continue
                left, right = arrays[i], arrays[j]
                if subscripts.startswith("k"):
                    left, right = left[:, :3], right[:, :4]
                    result = np.einsum("ki...,kj...->ij...", left, right)
                else:
                    left, right = left[:, :2], right[:, 1:3]
                    result = np.einsum("ik...,jk...->ij...", left, right)
                    arrays[into][:, :3] = arrays[into][:, :3] + result if is_added else result
                    continue
                if is_added:
                    np.add(result, arrays[into], out=arrays[into])
                else:
                    arrays[into][...] = result
            elif kind == "fold":
                f, axis, keeps, i, into = how
                total = f.reduce(arrays[i], axis=axis, keepdims=True)
                arrays[into] *= 0.25 if keeps else 1.0
                arrays[into] += total * 0.25
            elif kind == "where":
                i, j, k, is_copy = how
                if is_copy:
                    np.copyto(arrays[k], arrays[j], where=arrays[i] > 0)
                else:
                    arrays[k][...] = np.where(arrays[i] > arrays[j], np.clip(arrays[j], -1, 1), arrays[k])
            else:
                i, k = how
                new = arrays[i].copy()
                arrays[k] = new  # what it stood for is still there
            for one in arrays:
                one *= 0.5
        a += b + c * d

    return run


@settings(max_examples=60)
@given(st.lists(STEPS, min_size=1, max_size=6), st.integers(0, 99), st.booleans())
def test_recorded_code_gives_numpys_numbers(steps: list[Any], seed: int, are_finite: bool) -> None:
    """Sums and products of these numbers are exact, however fused; those that are not finite must not disappear."""
    draw = np.random.default_rng(seed)
    a, b = draw.integers(-4, 5, (2, ROWS, COLUMNS, RUNS)).astype(float)
    if not are_finite:
        a[draw.random(a.shape) < 0.1], b[draw.random(b.shape) < 0.1] = np.inf, np.nan
    expected, other = a.copy(), b.copy()
    with np.errstate(all="ignore"):
        program(steps)(expected, other)
    np.testing.assert_array_equal(by_the_machine(program(steps), a, b), expected)


@pytest.mark.parametrize(
    "function",
    [lambda z: (z > 0) + (z > 1), lambda z: (z * 3).astype(int), lambda z: np.fmax(z, 0), lambda z: z if z > 0 else 0],
)
def test_what_would_be_computed_otherwise_is_not_recorded(function: Any) -> None:
    tape = Tape(9)

    def compiled() -> object:
        function(tape.new(4, 1))
        return assembled([tape.instructions], tape.size, tape.blocks, operation_codes())

    with pytest.raises(SymbolError):
        compiled()
