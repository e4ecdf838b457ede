"""16,384 networks 2-2-1 on XOR by PyTorch, JAX and scikit-learn, beside ours: nets and updates a second.

CPU time of one thread.  Peers that keep every loss are compared with ours keeping every loss; ours also watches success
and divergence.  Each does equal work: its end parameters are ours, or the script ends.  Peers that are not installed
are left out; `pip install 'xortrain[benchmark]'` has them.  rounds=3 and epochs=40 are quicker.
"""

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from statistics import median
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ |= {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "JAX_ENABLE_X64": "1"}

import numpy as np
from population import NONE, RUNS, Trained, ends, engines, equal, every, setup_of
from results import in_turn, judged, keep, ratios

from xortrain.nets import Array
from xortrain.training.task import Task

ONE_BY_ONE = 4  # nets of scikit-learn, which trains one at a time
OF_JAX = 1.0  # at most, both with runs last, by hand, and every loss kept
KEPT = ", every loss kept"
Training = Callable[[], tuple[Array, Array | None]]
"""Returns θ (parameters, runs), and the losses (epochs, runs) before each update."""


@dataclass(frozen=True)
class Peer:
    """A package that has to be there, what makes a training of a task, and the number of runs that it trains."""

    package: str
    training: Callable[[Task], Training]
    runs: int = RUNS


def jax_by_hand(task: Task, keeps: bool) -> Training:
    """Every weight is an array over the runs, every sum is written out, so that all of it can be fused."""
    import jax
    import jax.numpy as jnp

    rows = [(*x, *t) for x, t in zip(task.data.x.tolist(), task.data.t[..., 0].tolist(), strict=True)]

    def step(w, _):  # type: ignore[no-untyped-def]
        g, loss = [jnp.zeros_like(w[0])] * 9, jnp.zeros_like(w[0])
        for x1, x2, t in rows:
            h1 = jax.nn.sigmoid(w[0] * x1 + w[1] * x2 + w[4])
            h2 = jax.nn.sigmoid(w[2] * x1 + w[3] * x2 + w[5])
            z = w[6] * h1 + w[7] * h2 + w[8]
            d = jax.nn.sigmoid(z) - t
            d1, d2 = d * w[6] * h1 * (1 - h1), d * w[7] * h2 * (1 - h2)
            parts = (d1 * x1, d1 * x2, d2 * x1, d2 * x2, d1, d2, d * h1, d * h2, d)
            g = [total + part for total, part in zip(g, parts, strict=True)]
            loss += _jax_bce(z, t)
        return tuple(v - part for v, part in zip(w, g, strict=True)), loss if keeps else None

    def train(w):  # type: ignore[no-untyped-def]
        end, losses = jax.lax.scan(step, w, None, length=task.epochs)
        return jnp.stack(end), losses

    compiled, start = jax.jit(train), tuple(jnp.asarray(row) for row in task.theta)
    return lambda: _as_arrays(compiled(start))


def jax_vmap(task: Task, keeps: bool) -> Training:
    """One net as one writes it, its gradient by JAX, over all runs by vmap."""
    import jax
    import jax.numpy as jnp

    x, t = jnp.asarray(task.data.x), jnp.asarray(task.data.t[..., 0])

    def loss(w):  # type: ignore[no-untyped-def]
        h = jax.nn.sigmoid(x @ w[:4].reshape(2, 2).T + w[4:6])
        return jnp.sum(_jax_bce(h @ w[6:8].reshape(1, 2).T + w[8], t))

    slope = jax.value_and_grad(loss)

    def step(w, _):  # type: ignore[no-untyped-def]
        value, g = slope(w)
        return w - g, value if keeps else None

    one = lambda w: jax.lax.scan(step, w, None, length=task.epochs)
    compiled, start = jax.jit(jax.vmap(one, out_axes=1)), jnp.asarray(task.theta.T.copy())
    return lambda: _as_arrays(compiled(start))


def _jax_bce(z: Any, t: Any) -> Any:
    """The cross-entropy of sigmoid(z), without overflow."""
    import jax.numpy as jnp

    return jnp.maximum(z, 0) - z * t + jnp.log1p(jnp.exp(-jnp.abs(z)))


def _as_arrays(found: tuple[object, object]) -> tuple[Array, Array | None]:
    end, losses = found
    return np.asarray(end), None if losses is None else np.asarray(losses)


def torch_vmap(task: Task) -> Training:
    """One net as one writes it, its gradient by torch.func over all runs by vmap; every loss kept."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as bce

    torch.set_num_threads(1)
    x, t = torch.as_tensor(task.data.x), torch.as_tensor(task.data.t[..., 0].copy())

    def loss(w):  # type: ignore[no-untyped-def]
        h = torch.sigmoid(x @ w[:4].reshape(2, 2).T + w[4:6])
        return bce(h @ w[6:8].reshape(1, 2).T + w[8], t, reduction="sum")

    slopes = torch.func.vmap(torch.func.grad_and_value(loss))

    def run() -> tuple[Array, Array | None]:
        w, losses = torch.as_tensor(task.theta.T.copy()), torch.empty((task.epochs, task.runs), dtype=torch.float64)
        for epoch in range(task.epochs):
            g, losses[epoch] = slopes(w)
            w = w - g
        return w.numpy().T, losses.numpy()

    return run


def torch_bmm(task: Task) -> Training:
    """Products of batches of matrices, one for each run, and autograd through the sum of all losses; all kept."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as bce

    torch.set_num_threads(1)
    x = torch.as_tensor(task.data.x).expand(task.runs, -1, -1)
    t = torch.as_tensor(task.data.t[..., 0].copy()).expand(task.runs, -1, -1)

    def run() -> tuple[Array, Array | None]:
        w, losses = torch.as_tensor(task.theta.T.copy()), torch.empty((task.epochs, task.runs), dtype=torch.float64)
        parts = [part.clone().requires_grad_() for part in torch.split(w, [4, 2, 2, 1], dim=1)]
        w1, b1, w2, b2 = parts
        for epoch in range(task.epochs):
            h = torch.sigmoid(torch.baddbmm(b1[:, None], x, w1.reshape(-1, 2, 2).transpose(1, 2)))
            z = torch.baddbmm(b2[:, None], h, w2[:, :, None])
            loss = bce(z, t, reduction="none").sum(dim=(1, 2))
            losses[epoch] = loss.detach()
            for part, g in zip(parts, torch.autograd.grad(loss.sum(), parts), strict=True):
                part.data -= g
        return torch.cat([part.detach() for part in parts], dim=1).numpy().T, losses.numpy()

    return run


def sklearn_loop(task: Task) -> Training:
    """scikit-learn's MLPClassifier on one net after the other, from the same parameters; it keeps every loss itself."""
    from sklearn.neural_network import MLPClassifier

    x, t = task.data.x, task.data.t[:, 0, 0]
    options = {"solver": "sgd", "momentum": 0.0, "alpha": 0.0, "batch_size": len(x), "shuffle": False, "tol": 0.0}
    rate = {"learning_rate_init": float(task.lr[0]) * len(x)}  # its loss is a mean over examples

    def run() -> tuple[Array, Array | None]:
        found, losses = [], []
        for theta in task.theta.T:
            net = MLPClassifier(
                (2,), "logistic", max_iter=task.epochs, n_iter_no_change=np.inf, warm_start=True, **options, **rate
            )
            net.partial_fit(x, t, classes=[0, 1])  # makes its arrays, which are then set
            net.coefs_ = [theta[:4].reshape(2, 2).T.copy(), theta[6:8].reshape(2, 1).copy()]
            net.intercepts_ = [theta[4:6].copy(), theta[8:].copy()]
            net.loss_curve_ = []
            net.fit(x, t)
            (w1, w2), (b1, b2) = net.coefs_, net.intercepts_
            found.append(np.concatenate([w1.T.ravel(), b1, w2.ravel(), b2]))
            losses.append(np.array(net.loss_curve_[-task.epochs :]) * len(x))
        return np.array(found).T, np.array(losses).T

    return run


BY_HAND = "JAX, runs last by hand"
PEERS = {
    BY_HAND: Peer("jax", partial(jax_by_hand, keeps=False)),
    BY_HAND + KEPT: Peer("jax", partial(jax_by_hand, keeps=True)),
    "JAX, jit(vmap(scan))": Peer("jax", partial(jax_vmap, keeps=False)),
    "JAX, jit(vmap(scan))" + KEPT: Peer("jax", partial(jax_vmap, keeps=True)),
    "PyTorch, bmm and autograd" + KEPT: Peer("torch", torch_bmm),
    "PyTorch, torch.func.vmap" + KEPT: Peer("torch", torch_vmap),
    "scikit-learn, one by one" + KEPT: Peer("sklearn", sklearn_loop, ONE_BY_ONE),
}
"""By name, which says whether every loss is kept."""


def main() -> None:
    warnings.simplefilter("ignore")  # scikit-learn warns that it has not converged
    options = dict(word.split("=") for word in sys.argv[1:])
    rounds, epochs = int(options.get("rounds", 15)), int(options.get("epochs", 200))
    known, ours = engines(), dict[str, Trained]()
    for engine, chosen in known.items():
        for end, kept in (("", NONE), (KEPT, every(epochs))):
            ours[f"xortrain, {engine}{end}"] = Trained(setup_of([*kept, *chosen], RUNS, epochs))
    fastest = f"xortrain, {list(known)[-1]}"
    there = {name: peer for name, peer in PEERS.items() if find_spec(peer.package)}
    theirs = {name: peer.training(ours[fastest].setup.task(slice(0, peer.runs))) for name, peer in there.items()}
    lines = [f"    {name}: end parameters differ by {one}" for name, one in distances(theirs, ours[fastest + KEPT])]
    subjects: dict[str, Callable[[], object]] = {**ours, **theirs}
    pair = [name for name in subjects if name.startswith((fastest, BY_HAND))]
    seconds = in_turn({name: subjects[name] for name in pair}, rounds, time.process_time)
    for end in ("", KEPT) if BY_HAND in there else ():
        bound = OF_JAX if end == KEPT and "compiled" in known else None
        lines.append(f"{fastest} / {BY_HAND}{end}: {judged(ratios(seconds, fastest + end, BY_HAND + end), bound)}")
    others = {name: subject for name, subject in subjects.items() if name not in pair}
    seconds |= in_turn(others, min(rounds, 3), time.process_time)
    table = []
    for name in subjects:
        net = median(seconds[name]) / (there[name].runs if name in there else RUNS)
        speed = f"{1 / net:>9,.0f} nets/s {epochs / net:>13,.0f} updates/s"
        table.append(f"{name:<46}{net / epochs * 1e9:>9,.0f} ns an update {speed}")
    missing = sorted({peer.package for name, peer in PEERS.items() if name not in there})
    head = f"{RUNS:,} networks 2-2-1 on XOR, {epochs} epochs, float64, CPU time of one thread, {rounds} alternations"
    keep("peers", [head, *([f"not installed: {', '.join(missing)}"] if missing else []), *table, *lines])


def distances(theirs: Mapping[str, Training], ours: Trained) -> Iterator[tuple[str, str]]:
    """How far each peer is from ours; AssertionError if it trains other networks or has other losses."""
    done = ours()
    losses = np.concatenate([training.history.losses for training in done], axis=1)
    for name, training in theirs.items():
        theta, own = training()
        assert (own is not None) == name.endswith(KEPT)
        assert own is None or np.median(np.abs(own - losses[:-1, : theta.shape[1]])) < 1e-9, f"{name}: other losses"
        yield name, equal(theta, ends(done)[:, : theta.shape[1]], 1e-9)


if __name__ == "__main__":
    main()
