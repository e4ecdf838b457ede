"""Every operation of the machine, against mpmath or NumPy, for each instruction set that can be tested here.

The bounds are in ulp, the distance of two neighbouring doubles at the true result.
"""

import ctypes
import math
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import pytest

from xortrain.machine import library
from xortrain.machine.build import FLAGS, FOLDER, SETS

Array = npt.NDArray[Any]

OWN = {"exp": 1.0, "expm1": 2.0, "log": 1.6, "log1p": 1.8, "tanh": 2.1}
BOUNDS = OWN | {
    "sin": 1.0, "cos": 1.0, "sinh": 3.0, "cosh": 2.0, "arctan": 1.0, "arcsin": 1.0, "arccos": 1.0,
    "arcsinh": 2.5, "arctanh": 2.5, "cbrt": 4.0, "erf": 1.5, "power": 1.0,
}  # fmt: skip
"""The others are functions of C, and libraries differ: in glibc 2.36 sinh comes to 1.5 and cbrt to 2.9."""
BOUND_OF_FLOATS = 0.51
"""Rounded once more, from the result for doubles."""
TRUE = {"arctan": mpmath.atan, "arcsin": mpmath.asin, "arccos": mpmath.acos, "arcsinh": mpmath.asinh,
        "arctanh": mpmath.atanh, "cbrt": lambda a: mpmath.sign(a) * mpmath.cbrt(abs(a)),
        "power": lambda a, b: mpmath.power(abs(a), b) * (-1 if a < 0 and b % 2 == 1 else 1)}  # fmt: skip
"""What mpmath calls by another name or computes with complex numbers."""
OTHERS = [
    "positive", "negative", "absolute", "sign", "floor", "ceil", "rint", "trunc", "sqrt", "isnan", "isfinite",
    "logical_not", "add", "subtract", "multiply", "divide", "maximum", "minimum", "greater", "less", "greater_equal",
    "less_equal", "equal", "not_equal", "floor_divide", "logical_and", "logical_or", "where",
]  # fmt: skip
"""These are exactly those of NumPy."""
HARD = [
    *(0, 1, 0.5, 2**0.5, 0.5**0.5, 2 * math.pi, 37.4, 40, 88.72, 103.97, 708.4, 709.78, 710.5, 744.4, 745.13, 746),
    *(2.0**-54, 2.0**-1022, 5e-324, *(math.log(2) / 2 * k for k in (1, 2, 3, 5, 7, 2045, 2047, 2149))),
]
"""Where something changes: a sign, a range, an exponent, from normal to subnormal, to infinity or 0."""
EDGES = np.array([0, 1, 2, 3, 0.5, 0.1, 1e-5, 5e-324, 1e-310, 1e300, 2.0**53, np.pi, 710, 746, np.inf])
HERE = [name for name in SETS if library._opened(name) != f"this CPU has no {name}"]
FAMILIES = {SETS[name].family: name for name in HERE}
"""One of each family, whose members give the same bits."""


@dataclass(frozen=True)
class Machine:
    """The operations of a built library, on arrays."""

    library: ctypes.CDLL

    @property
    def operands(self) -> dict[str, int]:
        """How many operands each operation has, in the order of their codes."""
        names = self.library.operation_names
        names.restype = ctypes.c_char_p
        lines = names().decode().splitlines()[:-3]  # the last are those of the interpreter
        return {name: int(count) for name, count in map(str.split, lines)}

    def __call__(self, name: str, *arrays: Array) -> Array:
        """Apply an operation to arrays of the same length and type."""
        out, operands = np.empty_like(arrays[0]), [np.ascontiguousarray(array) for array in (arrays * 3)[:3]]
        function = self.library.elementary if out.dtype == np.float64 else self.library.elementary32
        code = list(self.operands).index(name)
        function(code, ctypes.c_long(out.size), *(ctypes.c_void_p(array.ctypes.data) for array in (*operands, out)))
        return out


def built(name: str, folder: Path, *more_flags: str) -> Machine:
    """Compile the operations alone, for an instruction set."""
    compiler = next(filter(None, map(shutil.which, ("gcc", "clang", "cc"))), None)
    if compiler is None and os.environ.get("XORTRAIN_SKIP_NOTHING"):
        pytest.fail("no C compiler is installed")
    if compiler is None:
        pytest.skip("no C compiler is installed")
    library, source = folder / "machine.so", folder / "only.c"
    source.write_text('#include <stdint.h>\n#include <string.h>\n#include "lanes.h"\n#include "elementary.h"\n')
    flags = [*FLAGS, *SETS[name].flags, *more_flags, "-w", f"-I{FOLDER}"]
    subprocess.run([compiler, *flags, str(source), "-o", str(library), "-lm"], check=True)
    return Machine(ctypes.CDLL(str(library)))


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def machine(family: str, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return built(FAMILIES[family], tmp_path_factory.mktemp("machine"))


def arguments(dtype: npt.DTypeLike, count: int) -> Array:
    """Return numbers of all exponents, small numbers, neighbours of hard points near and far, and the edges."""
    rng, kind = np.random.default_rng(16), np.dtype(dtype)
    anything = rng.integers(0, 256, (count, kind.itemsize), np.uint8).view(kind).ravel()
    small, wide = rng.uniform(-6, 6, count), rng.uniform(-750, 750, count // 2)
    hard = np.repeat(HARD, 1 + count // 50)
    near = hard * (1 + 2.0 ** rng.uniform(-53, -3, hard.size) * rng.choice([-1, 1], hard.size))
    with np.errstate(over="ignore"):
        chosen = np.concatenate([small, wide, near, -near, EDGES, -EDGES, [np.nan]]).astype(kind)
    return np.concatenate([anything, chosen])


def pairs(dtype: npt.DTypeLike) -> tuple[Array, Array, Array]:
    """All pairs of edges, and some of other numbers; each with a third number."""
    rng, edges = np.random.default_rng(16), np.concatenate([EDGES, -EDGES, [np.nan]])
    a, b = (edge.ravel() for edge in np.meshgrid(edges, edges))
    more = arguments(dtype, 400)
    with np.errstate(over="ignore"):
        a, b = (np.concatenate([one.astype(dtype), rng.permutation(more), more]) for one in (a, b))
        b[-more.size :] = rng.uniform(-5, 5, more.size)
        return a, b, rng.permutation(b)


def by_numpy(name: str, *arrays: Array) -> Array:
    """What NumPy computes, as numbers of the arguments' type; erf is of the mathematics of Python."""
    function: Callable[..., Any] = np.vectorize(math.erf, [float]) if name == "erf" else getattr(np, name)
    with np.errstate(all="ignore"):
        return np.asarray(function(*arrays)).astype(arrays[0].dtype)


def same(a: Array, b: Array) -> Array:
    """Where two arrays have the same numbers, zeros of the same sign, or both nan."""
    return ((a == b) & (np.signbit(a) == np.signbit(b))) | (np.isnan(a) & np.isnan(b))


def errors(name: str, got: Array, *arrays: Array) -> Array:
    """In ulp of the true results, which are finite."""
    true = TRUE.get(name) or getattr(mpmath, name)
    with mpmath.workprec(140):
        exact = [true(*map(mpmath.mpf, numbers)) for numbers in zip(*(array.tolist() for array in arrays), strict=True)]
        ulp = np.spacing(np.abs(np.array([float(number) for number in exact]).astype(got.dtype)))
        pairs = zip(got.tolist(), exact, ulp.tolist(), strict=True)
        return np.array([float(abs(mpmath.mpf(one) - number) / unit) for one, number, unit in pairs])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", BOUNDS)
def test_a_function_is_within_its_bound_over_its_whole_range(name: str, dtype: Any, machine: Machine) -> None:
    count = 300 if name in OWN and dtype == np.float64 else 50
    arrays = pairs(dtype)[:2] if name == "power" else (arguments(dtype, count),)
    got, expected = machine(name, *arrays), by_numpy(name, *arrays)
    inner = np.isfinite([expected, *arrays]).all(0) & (expected != 0)
    assert same(got, expected)[~inner].all(), [array[~inner][~same(got, expected)[~inner]] for array in arrays]
    error = errors(name, got[inner], *(array[inner] for array in arrays))
    worst = int(np.argmax(error))
    bound = BOUNDS[name] if dtype == np.float64 else BOUND_OF_FLOATS
    assert error[worst] <= bound, (error[worst], [array[inner][worst] for array in arrays])


def test_a_result_wrong_by_three_ulp_is_caught() -> None:
    a = np.array([-700.0, 1e-5, 3.0])
    assert (errors("exp", np.exp(a) + 3 * np.spacing(np.exp(a)), a) > max(OWN.values())).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", OTHERS)
def test_an_operation_is_exactly_that_of_numpy(name: str, dtype: Any, machine: Machine) -> None:
    arrays = pairs(dtype)[: machine.operands[name]]
    got, expected = machine(name, *arrays), by_numpy(name, *arrays)
    alike = got == expected if name in ("maximum", "minimum") else False  # either zero of a pair
    wrong = ~(same(got, expected) | alike)
    assert not wrong.any(), [array[wrong] for array in (*arrays, got, expected)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_product_and_a_sum_are_rounded_as_the_family_says(dtype: Any, machine: Machine, family: str) -> None:
    rng = np.random.default_rng(16)
    a, b, c = rng.normal(size=(3, 300)).astype(dtype)
    for name, sign in (("fma", 1), ("fnma", -1)):
        got, twice = machine(name, a, b, c), sign * a * b + c
        exact = [[Fraction(number) for number in array.tolist()] for array in (a, b, c)]
        once = np.array([float(sign * x * y + z) for x, y, z in zip(*exact, strict=True)]).astype(dtype)
        assert (got == {"fma": once, "plain": twice}[family]).all()
        assert (once != twice).any()


def test_each_operation_of_the_machine_has_an_oracle(machine: Machine) -> None:
    assert {*machine.operands} == {*BOUNDS, *OTHERS, "fma", "fnma"}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_number_gives_the_same_bits_in_whichever_lane(dtype: Any, machine: Machine) -> None:
    arrays = [array[-61:] for array in pairs(dtype)]
    for name in machine.operands:
        results = machine(name, *arrays)
        for places in (1, 2, 3, 5, 8):
            moved = machine(name, *(np.roll(array, places) for array in arrays))
            assert same(moved, np.roll(results, places)).all(), name


@pytest.mark.skipif("fma" not in FAMILIES, reason="no fma in this processor")
def test_vectors_of_another_length_give_the_same_bits(tmp_path_factory: pytest.TempPathFactory) -> None:
    chosen, eight = FAMILIES["fma"], ("-DLANES=8", "-O0")  # which are quickly compiled only without optimizing
    variants = [(name, ()) for name in HERE if SETS[name].family == "fma"] + [(chosen, eight)]
    first, *others = (built(name, tmp_path_factory.mktemp("machine"), *flags) for name, flags in variants)
    for dtype in (np.float64, np.float32):
        arrays = pairs(dtype)
        for name in first.operands:
            assert all(same(first(name, *arrays), other(name, *arrays)).all() for other in others), name
