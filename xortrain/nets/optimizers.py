"""How parameters move: each optimizer is one update of θ by the gradient g and the learning rate η.

Conventions and default rates are PyTorch's (2.13).  θ and g are (parameters, *runs), η and all settings
(*runs,); what an optimizer remembers is a dict of arrays with runs last.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array

State = dict[str, Array]


@dataclass(frozen=True)
class Optimizer:
    """``start(θ, η, **settings)`` gives the state, ``update(θ, g, state, η, **settings)`` changes θ in place.

    ``update`` may overwrite g.  Memory that no run's settings ask for is left out of the state at the start; a
    run that does not ask for it moves by the same bits beside one that does.
    """

    start: Callable[..., State]
    update: Callable[..., None]
    settings: tuple[str, ...]


def _memory(theta: Array, *names: str, **asked: Array) -> State:
    """Zeros like θ by name, and those settings that are not 0 for all runs."""
    state = {name: np.zeros_like(theta) for name in names}
    return state | {name: value.copy() for name, value in asked.items() if value.any()}


def _decay(theta: Array, g: Array, state: State) -> None:
    """g ← g + λ θ, λ the weight decay."""
    if "weight_decay" in state:
        g += state["weight_decay"] * theta


def _average(memory: Array, g: Array, share: Array) -> None:
    """memory ← share · memory + (1 - share) g."""
    memory *= share
    memory += (1 - share) * g


def start_sgd(theta: Array, lr: Array, *, momentum: Array, nesterov: Array, weight_decay: Array) -> State:
    if not momentum.any():
        return _memory(theta, weight_decay=weight_decay)
    return _memory(theta, "velocity", weight_decay=weight_decay, nesterov=nesterov)


def sgd(
    theta: Array, g: Array, state: State, lr: Array, *, momentum: Array, nesterov: Array, weight_decay: Array
) -> None:
    """v ← μ v + g,  θ ← θ - η v;  with Nesterov's look ahead θ ← θ - η (g + μ v).

    μ multiplies the velocity and not the rate: heavy ball without dampening.
    """
    _decay(theta, g, state)
    if "velocity" in state:
        v = state["velocity"]
        v *= momentum
        v += g
        g = np.where(state["nesterov"] != 0, g + momentum * v, v) if "nesterov" in state else v
        theta -= lr * g
    else:
        g *= lr
        theta -= g


def start_rmsprop(theta: Array, lr: Array, *, alpha: Array, eps: Array, momentum: Array, weight_decay: Array) -> State:
    names = ("square", "velocity") if momentum.any() else ("square",)
    return _memory(theta, *names, weight_decay=weight_decay)


def rmsprop(
    theta: Array,
    g: Array,
    state: State,
    lr: Array,
    *,
    alpha: Array,
    eps: Array,
    momentum: Array,
    weight_decay: Array,
) -> None:
    """s ← α s + (1 - α) g²,  v ← μ v + g / (√s + ε),  θ ← θ - η v."""
    _decay(theta, g, state)
    _average(state["square"], g * g, alpha)
    g /= np.sqrt(state["square"]) + eps
    if "velocity" in state:
        state["velocity"] *= momentum
        state["velocity"] += g
        g = state["velocity"]
    theta -= lr * g


def start_adam(theta: Array, lr: Array, *, beta1: Array, beta2: Array, eps: Array, weight_decay: Array) -> State:
    powers = {"beta1_power": np.ones_like(beta1), "beta2_power": np.ones_like(beta2)}
    return _memory(theta, "mean", "square", weight_decay=weight_decay) | powers


def _adam_step(theta: Array, g: Array, state: State, lr: Array, beta1: Array, beta2: Array, eps: Array) -> None:
    _average(state["mean"], g, beta1)
    g *= g
    _average(state["square"], g, beta2)
    state["beta1_power"] *= beta1
    state["beta2_power"] *= beta2
    np.sqrt(state["square"], out=g)
    g /= np.sqrt(1 - state["beta2_power"])
    g += eps
    np.divide(state["mean"], g, out=g)
    g *= lr / (1 - state["beta1_power"])
    theta -= g


def adam(
    theta: Array,
    g: Array,
    state: State,
    lr: Array,
    *,
    beta1: Array,
    beta2: Array,
    eps: Array,
    weight_decay: Array,
) -> None:
    """m ← β1 m + (1 - β1) g,  s ← β2 s + (1 - β2) g²,  θ ← θ - η m̂ / (√ŝ + ε).

    m̂ = m / (1 - β1^t) and ŝ = s / (1 - β2^t): Algorithm 1 of Kingma & Ba (2015), ε outside the corrected
    root.  Weight decay is added to g.
    """
    _decay(theta, g, state)
    _adam_step(theta, g, state, lr, beta1, beta2, eps)


def adamw(
    theta: Array,
    g: Array,
    state: State,
    lr: Array,
    *,
    beta1: Array,
    beta2: Array,
    eps: Array,
    weight_decay: Array,
) -> None:
    """θ ← θ (1 - η λ), then Adam without weight decay in g (Loshchilov & Hutter 2019)."""
    if "weight_decay" in state:
        theta *= 1 - lr * weight_decay
    _adam_step(theta, g, state, lr, beta1, beta2, eps)


def start_adagrad(theta: Array, lr: Array, *, lr_decay: Array, eps: Array, weight_decay: Array) -> State:
    return _memory(theta, "square", weight_decay=weight_decay) | {"steps": np.zeros_like(lr)}


def adagrad(
    theta: Array, g: Array, state: State, lr: Array, *, lr_decay: Array, eps: Array, weight_decay: Array
) -> None:
    """s ← s + g²,  θ ← θ - η / (1 + t d) · g / (√s + ε), d the decay of the rate, t counted from 0."""
    _decay(theta, g, state)
    state["square"] += g * g
    g /= np.sqrt(state["square"]) + eps
    g *= lr / (1 + state["steps"] * lr_decay)
    state["steps"] += 1
    theta -= g


def start_adadelta(theta: Array, lr: Array, *, rho: Array, eps: Array, weight_decay: Array) -> State:
    return _memory(theta, "square", "moved", weight_decay=weight_decay)


def adadelta(theta: Array, g: Array, state: State, lr: Array, *, rho: Array, eps: Array, weight_decay: Array) -> None:
    """s ← ρ s + (1 - ρ) g²,  d = √(m + ε) / √(s + ε) · g,  m ← ρ m + (1 - ρ) d²,  θ ← θ - η d."""
    _decay(theta, g, state)
    _average(state["square"], g * g, rho)
    g *= np.sqrt(state["moved"] + eps) / np.sqrt(state["square"] + eps)
    _average(state["moved"], g * g, rho)
    g *= lr
    theta -= g


def start_rprop(
    theta: Array, lr: Array, *, eta_minus: Array, eta_plus: Array, step_min: Array, step_max: Array
) -> State:
    return _memory(theta, "sign") | {"step": np.zeros_like(theta) + lr}


def rprop(
    theta: Array,
    g: Array,
    state: State,
    lr: Array,
    *,
    eta_minus: Array,
    eta_plus: Array,
    step_min: Array,
    step_max: Array,
) -> None:
    """Each parameter has its own step Δ, at first η: θ ← θ - sign(g) Δ.

    Δ grows by η+ while the sign of g stays and shrinks by η- when it turns; after a turn the parameter rests
    for one update.  Full batch only (Riedmiller & Braun 1993).
    """
    sign, step = np.sign(g, out=g), state["step"]
    same = sign * state["sign"]
    step *= np.where(same > 0, eta_plus, np.where(same < 0, eta_minus, 1))
    np.clip(step, step_min, step_max, out=step)
    np.copyto(sign, 0, where=same < 0)
    state["sign"][:] = sign
    sign *= step
    theta -= sign


ADAM = ("beta1", "beta2", "eps", "weight_decay")

OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer(start_sgd, sgd, ("momentum", "nesterov", "weight_decay")),
    "rmsprop": Optimizer(start_rmsprop, rmsprop, ("alpha", "eps", "momentum", "weight_decay")),
    "adam": Optimizer(start_adam, adam, ADAM),
    "adamw": Optimizer(start_adam, adamw, ADAM),
    "adagrad": Optimizer(start_adagrad, adagrad, ("lr_decay", "eps", "weight_decay")),
    "adadelta": Optimizer(start_adadelta, adadelta, ("rho", "eps", "weight_decay")),
    "rprop": Optimizer(start_rprop, rprop, ("eta_minus", "eta_plus", "step_min", "step_max")),
}
"""Name of an optimizer in a config to its row."""
