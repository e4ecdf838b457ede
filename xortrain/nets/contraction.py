"""Sums of products over the units or examples of a layer, for many runs: by einsum, or run by run by BLAS.

Narrow layers of many runs are fastest with runs on the last axis.  Wide ones are multiplied by BLAS, by the same calls
for a run alone and among others, so with the same bits; in blocks so small that BLAS never divides one among threads,
as the bits would change with their number.
"""

from collections.abc import Iterator

import numpy as np

from xortrain.nets import Array

NARROW, PRODUCTS, EXAMPLES, MANY = 8, 100, 32, 1024
"""BLAS is faster where inputs and units are NARROW or more, and their products PRODUCTS with EXAMPLES, or else MANY."""
BLOCK = 64
"""Rows, columns and terms of a block: 64³ products are the most that OpenBLAS computes in one thread."""


class Contraction:
    """The three sums of a layer whose runs are on the last axis, by einsum."""

    @staticmethod
    def outputs(received: Array, W: Array, out: Array) -> None:
        """Σ_i a_i W_oi: (examples, inputs[, runs]), (units, inputs, *runs) -> (examples, units, *runs)."""
        np.einsum("ni...,oi...->no...", received, W, out=out)

    @staticmethod
    def gradient(delta: Array, received: Array, out: Array) -> None:
        """Σ_n δ_o a_i: (examples, units, *runs), (examples, inputs[, runs]) -> (units, inputs, *runs)."""
        np.einsum("no...,ni...->oi...", delta, received, out=out)

    @staticmethod
    def upstream(delta: Array, W: Array, out: Array | None) -> Array:
        """Σ_o δ_o W_oi: (examples, units, *runs), (units, inputs, *runs) -> (examples, inputs, *runs)."""
        found: Array = np.einsum("no...,oi...->ni...", delta, W, out=out)
        return found


class Blas(Contraction):
    """The same sums by BLAS, run by run."""

    @staticmethod
    def outputs(received: Array, W: Array, out: Array) -> None:
        weights = np.swapaxes(runs_first(W), 1, 2)
        out[...] = np.moveaxis(product(runs_first(received, out.ndim), weights), 0, -1)

    @staticmethod
    def gradient(delta: Array, received: Array, out: Array) -> None:
        first = np.swapaxes(runs_first(delta), 1, 2)
        out[...] = np.moveaxis(product(first, runs_first(received, out.ndim)), 0, -1)

    @staticmethod
    def upstream(delta: Array, W: Array, out: Array | None) -> Array:
        found = np.moveaxis(product(runs_first(delta), runs_first(W)), 0, -1)
        if out is None:
            return np.ascontiguousarray(found)
        out[...] = found
        return out


class BlasOfOne(Contraction):
    """The outputs of a single run, whose arrays are used without its axis."""

    @staticmethod
    def outputs(received: Array, W: Array, out: Array) -> None:
        np.matmul(received.reshape(received.shape[:2]), W[..., 0].T, out=out[..., 0])


class BlasOfPoints(Contraction):
    """The outputs for many points, on the last axis, of runs whose parameters are the same at each of them."""

    @staticmethod
    def outputs(received: Array, W: Array, out: Array) -> None:
        np.matmul(np.moveaxis(W[..., 0], 2, 0), np.swapaxes(received[0], 0, 1), out=np.swapaxes(out[0], 0, 1))


def contraction(theta: Array, examples: int, inputs: int, units: int) -> type[Contraction]:
    """How a layer is computed: decided by its own size, never by how many runs there are.

    What is looked at and not trained is computed in the quickest way: a run without a twin, and fields of many points.
    """
    if not isinstance(theta, np.ndarray) or theta.ndim == 1:
        return Contraction
    if theta.ndim == 3:
        return BlasOfPoints if theta.strides[2] == 0 and examples == 1 else Contraction
    if theta.shape[1] == 1:
        return BlasOfOne
    products = inputs * units if min(inputs, units) >= NARROW else 0
    return Blas if products >= MANY or (products >= PRODUCTS and examples >= EXAMPLES) else Contraction


def runs_first(values: Array, axes: int = 3) -> Array:
    """Values (rows, columns, runs) as (runs, rows, columns); those that all runs share as (1, rows, columns)."""
    if values.ndim < axes:
        return values[None]
    return np.ascontiguousarray(np.moveaxis(values, -1, 0))


def product(left: Array, right: Array) -> Array:
    """The matrix product of each run, (runs, rows, terms) and (runs, terms, columns), block by block."""
    (runs, rows, terms), columns = left.shape, right.shape[2]
    found = (np.empty if terms else np.zeros)((max(runs, len(right)), rows, columns), np.result_type(left, right))
    for row in _blocks(rows):
        for column in _blocks(columns):
            into = found[:, row, column]
            for number, term in enumerate(_blocks(terms)):
                if number:
                    into += np.matmul(left[:, row, term], right[:, term, column])
                else:
                    np.matmul(left[:, row, term], right[:, term, column], out=into)
    return found


def _blocks(length: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, length, BLOCK))
