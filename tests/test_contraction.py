"""Sums of a layer by BLAS are those of einsum, have the same bits for a run alone, and for any number of threads."""

import os
import subprocess
import sys

import numpy as np
import pytest

from xortrain.nets import Array
from xortrain.nets.contraction import Blas, BlasOfOne, BlasOfPoints, Contraction, contraction, product

SIZES = [(1, 3, 2), (40, 10, 50), (200, 64, 64), (129, 65, 130), (7, 200, 9)]
THREADS = """
import hashlib
import numpy as np
from xortrain.nets.contraction import product
rng, found = np.random.default_rng(0), hashlib.sha256()
for rows, terms, columns in [(300, 70, 90), (64, 500, 64), (3000, 64, 20), (1, 4000, 300), (4000, 300, 1)]:
    found.update(product(rng.normal(size=(2, rows, terms)), rng.normal(size=(2, terms, columns))).tobytes())
print(found.hexdigest())
"""


def layer(examples: int, inputs: int, units: int, runs: int, is_shared: bool) -> tuple[Array, Array, Array]:
    """Return what a layer receives, its weights and its δ."""
    rng = np.random.default_rng(examples)
    received = rng.normal(size=(examples, inputs) if is_shared else (examples, inputs, runs))
    return received, rng.normal(size=(units, inputs, runs)), rng.normal(size=(examples, units, runs))


def sums(kind: type[Contraction], received: Array, W: Array, delta: Array) -> list[Array]:
    outputs, gradient = np.empty_like(delta), np.empty_like(W)
    kind.outputs(received, W, outputs)
    kind.gradient(delta, received, gradient)
    return [outputs, gradient, kind.upstream(delta, W, None)]


@pytest.mark.parametrize("is_shared", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_blas_computes_the_same_sums_and_the_same_bits_for_a_part_of_the_runs(
    size: tuple[int, int, int], is_shared: bool
) -> None:
    received, W, delta = layer(*size, 5, is_shared)
    found = sums(Blas, received, W, delta)
    for one, other in zip(found, sums(Contraction, received, W, delta), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    part = slice(2, 4)
    fewer = sums(Blas, received if is_shared else received[..., part], W[..., part], delta[..., part])
    for one, other in zip(found, fewer, strict=True):
        np.testing.assert_array_equal(one[..., part], other)


def test_one_run_and_many_points_have_the_outputs_of_einsum() -> None:
    received, W, delta = layer(30, 5, 4, 1, False)
    found, expected = np.empty_like(delta), np.empty_like(delta)
    BlasOfOne.outputs(received, W, found)
    Contraction.outputs(received, W, expected)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    rng = np.random.default_rng(2)
    weights = np.broadcast_to(rng.normal(size=(4, 5, 3, 1)), (4, 5, 3, 50))
    for runs in (1, 3):
        points, at_points = rng.normal(size=(1, 5, runs, 50)), np.empty((1, 4, 3, 50))
        BlasOfPoints.outputs(points, weights, at_points)
        np.testing.assert_allclose(at_points[0], np.einsum("irp,oirp->orp", points[0] + np.zeros((1, 3, 1)), weights))


def test_a_sum_of_no_terms_is_zero() -> None:
    np.testing.assert_array_equal(product(np.ones((2, 3, 0)), np.ones((2, 0, 4))), np.zeros((2, 3, 4)))


def test_the_number_of_runs_does_not_decide_how_a_layer_is_computed() -> None:
    for examples, inputs, units in SIZES:
        kinds = {contraction(np.empty((9, runs)), examples, inputs, units) for runs in (2, 3, 500)}
        assert len(kinds) == 1


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    found = set()
    for threads in "124":
        variables = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        command = [sys.executable, "-c", THREADS]
        done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1
