"""16,384 sigmoid networks 2-2-1, 1,000 epochs, float64, one core: ns per run and step.

Compared with one fused loop in C (the limit), JAX with runs on the last axis, and JAX jit(vmap(scan)).  Requires gcc
and the extra [benchmark]; run it on one core: OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/population.py
"""

import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

os.environ |= {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "JAX_ENABLE_X64": "1"}

import numpy as np
from results import in_turn, keep, ratio

from xortrain.config.compose import compose
from xortrain.records.layout import Blocks
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.loop import Training
from xortrain.training.task import History

RUNS, EPOCHS = 16_384, int(sys.argv[1]) if len(sys.argv) > 1 else 1000
FLAGS = ["-O3", "-march=native", "-ffast-math", "-fopenmp-simd"]
X, T = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])


def make_setup() -> Setup:
    config = compose([f"epochs={EPOCHS}", "track.losses=2", "track.frames=2"])
    return Setup.of(Population(config, {"seed": np.arange(RUNS, dtype=np.uint32)}, np.arange(RUNS)))


def ours(setup: Setup) -> Callable[[], np.ndarray]:
    """Training alone, with the tasks made before: no losses recorded, success and divergence checked."""
    blocks = Blocks(RUNS, setup.block_size)
    tasks = [setup.task(blocks.runs_of(k)) for k in range(len(blocks))]

    def run() -> np.ndarray:
        ends = []
        for task in tasks:
            history = History.empty(np.array([], int), np.array([EPOCHS]), task.theta.shape, task.theta.dtype, False)
            training = Training(task, history)
            for _ in training.run():
                pass
            ends.append(training.theta)
        return np.concatenate(ends, axis=1)

    return run


def fused_c(theta: np.ndarray, folder: str) -> Callable[[], np.ndarray]:
    library = Path(folder) / "baseline.so"
    source = Path(__file__).with_name("baseline.c")
    subprocess.run(["gcc", *FLAGS, "-shared", "-fPIC", "-o", library, source, "-lm"], check=True)
    train = ctypes.CDLL(str(library)).train
    lr = np.ones(RUNS)

    def run() -> np.ndarray:
        end = theta.copy()
        arrays = [array.ctypes.data_as(ctypes.c_void_p) for array in (end, lr, X, T)]
        train(*arrays, *map(ctypes.c_long, (RUNS, EPOCHS, 1024)))
        return end

    return run


def jax_runs_last(theta: np.ndarray) -> Callable[[], np.ndarray]:
    """Every weight is an array over the runs, every sum is written out, so that all of it can be fused."""
    import jax
    import jax.numpy as jnp

    rows = [(x1, x2, t) for (x1, x2), (t,) in zip(X.tolist(), T.tolist(), strict=True)]

    def step(w, _):  # type: ignore[no-untyped-def]
        g = [jnp.zeros_like(w[0])] * 9
        for x1, x2, t in rows:
            h1 = jax.nn.sigmoid(w[0] * x1 + w[1] * x2 + w[4])
            h2 = jax.nn.sigmoid(w[2] * x1 + w[3] * x2 + w[5])
            d = jax.nn.sigmoid(w[6] * h1 + w[7] * h2 + w[8]) - t
            d1, d2 = d * w[6] * h1 * (1 - h1), d * w[7] * h2 * (1 - h2)
            parts = (d1 * x1, d1 * x2, d2 * x1, d2 * x2, d1, d2, d * h1, d * h2, d)
            g = [total + part for total, part in zip(g, parts, strict=True)]
        return tuple(v - part for v, part in zip(w, g, strict=True)), None

    train = jax.jit(lambda w: jnp.stack(jax.lax.scan(step, w, None, length=EPOCHS)[0]))
    start = tuple(jnp.asarray(row) for row in theta)
    return lambda: np.asarray(train(start))


def jax_vmap(theta: np.ndarray) -> Callable[[], np.ndarray]:
    import jax
    import jax.numpy as jnp

    x, t = jnp.asarray(X), jnp.asarray(T)

    def loss(w):  # type: ignore[no-untyped-def]
        h = jax.nn.sigmoid(x @ w[:4].reshape(2, 2).T + w[4:6])
        z = h @ w[6:8].reshape(1, 2).T + w[8]
        return jnp.sum(jnp.maximum(z, 0) - z * t + jnp.log1p(jnp.exp(-jnp.abs(z))))

    gradient = jax.grad(loss)
    one = lambda w: jax.lax.scan(lambda v, _: (v - gradient(v), None), w, None, length=EPOCHS)[0]
    train = jax.jit(jax.vmap(one))
    start = jnp.asarray(theta.T.copy())
    return lambda: np.asarray(train(start)).T


def main() -> None:
    population = make_setup()
    theta = population.task().theta
    with tempfile.TemporaryDirectory() as folder:
        subjects = {
            "xortrain": ours(population),
            "C, one fused loop": fused_c(theta, folder),
            "JAX, runs last": jax_runs_last(theta),
            "JAX, jit(vmap(scan))": jax_vmap(theta),
        }
        ends = [subject() for subject in subjects.values()]
        early = np.abs(ends[0]) < 1e3
        for end in ends[1:]:
            assert np.median(np.abs(end - ends[0])[early]) < 1e-6, "they do not train the same networks"
        seconds = in_turn(subjects, rounds=3)
    lines = [f"gcc {' '.join(FLAGS)}; blocks of {population.block_size}; {RUNS} runs, {EPOCHS} epochs"]
    lines += [f"{name:<22}{median(s) / RUNS / EPOCHS * 1e9:6.1f} ns a run and step" for name, s in seconds.items()]
    lines.append(f"jit(vmap(scan)) / xortrain: {ratio(seconds, 'JAX, jit(vmap(scan))', 'xortrain'):.2f} (at least 1.4)")
    lines.append(f"xortrain / C: {ratio(seconds, 'xortrain', 'C, one fused loop'):.2f} (at most 3)")
    keep("population", lines)


if __name__ == "__main__":
    main()
