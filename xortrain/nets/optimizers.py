"""The optimizers, each one update of θ by the gradient g and the learning rate η; and the schedules of η.

Conventions and default rates are PyTorch's (2.13).  θ and g are (parameters, *runs), all settings (*runs,), and η
(*runs,), or (parameters, *runs) where arrays of parameters have rates of their own;
the state of an optimizer is a dict of arrays with runs last.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from xortrain.nets import Array
from xortrain.nets.formula import Call, Number, Symbol, Term, not_given
from xortrain.nets.functions import each
from xortrain.nets.setting import Settings, flag, number

State = dict[str, Array]
Maybe = Array | None
Lines = dict[str, Term]
"""Names of what an update changes, ``theta`` last, to the formulas of the new values."""


@dataclass(frozen=True, eq=False)
class Move:
    """The symbols of one update of θ: its settings, and the state ``before`` and ``after`` it."""

    theta: Symbol
    g: Symbol
    lr: Symbol
    settings: Mapping[str, Symbol]
    before: Mapping[str, Symbol]
    after: Mapping[str, Symbol]

    @property
    def decayed(self) -> Term:
        """g + λ θ where there is weight decay."""
        return self.g + self.settings["weight_decay"] * self.theta if self.uses("weight_decay") else self.g

    def uses(self, setting: str) -> bool:
        """Whether a setting is not 0."""
        return bool(self.settings[setting].value)


SHAPING: Settings = {
    "l1": number("penalty λ1 Σ |w| over all weights w, but not biases", 0, optional=True, letter="λ1"),
    "l2": number("penalty λ2/2 Σ w² over all weights w, but not biases", 0, optional=True, letter="λ2"),
    "clip_norm": number("maximum norm of the gradient of all parameters; 0 for no limit", 0, optional=True, letter="c"),
    "clip_value": number("maximum |g| of each parameter; 0 for no limit", 0, optional=True, letter="C"),
}
"""What every optimizer does to the gradient before its own update."""


def shape_gradient(
    theta: Array, is_weight: Array, g: Array, *,
    l1: Maybe = None, l2: Maybe = None, clip_norm: Maybe = None, clip_value: Maybe = None,
) -> None:  # fmt: skip
    """Add the penalties of the weights to g, then clip it, as PyTorch's clip_grad_norm_ and clip_grad_value_ do.

    ``is_weight`` (parameters, 1) is 1 for weights and 0 for biases.
    """
    if l1 is not None:
        g += l1 * (is_weight * np.sign(theta))
    if l2 is not None:
        g += l2 * (is_weight * theta)
    if clip_norm is not None:
        length = np.sqrt(np.add.reduce(g * g, axis=0, keepdims=True))
        np.copyto(g, g * np.minimum(clip_norm / (length + 1e-6), 1), where=clip_norm > 0)
    if clip_value is not None:
        np.copyto(g, np.clip(g, -clip_value, clip_value), where=clip_value > 0)


def written_shaped(g: Term, theta: Term, length: Term, settings: Mapping[str, Symbol], is_weight: bool) -> Term:
    """The same as a formula; ``length`` is that of the gradient with its penalties."""
    new = g
    if is_weight and "l1" in settings:
        new = new + settings["l1"] * Call("sign", theta)
    if is_weight and "l2" in settings:
        new = new + settings["l2"] * theta
    if "clip_norm" in settings:
        new = new * Call("min", settings["clip_norm"] / (length + 1e-6), 1)
    if "clip_value" in settings:
        new = Call("clip", new, -settings["clip_value"], settings["clip_value"])
    return new


@dataclass(frozen=True, eq=False)
class Optimizer:
    """``start(θ, η, **settings)`` returns the state, ``update(θ, g, state, η, **settings)`` changes θ in place.

    ``update`` may overwrite g.  ``written(move)`` gives the same update as formulas, ``letters`` the symbols of the
    state.  Optional settings are missing where they are 0 for every run.

    Of a row of a user's own, ``update`` is enough, with ``start`` if it has a state; ``lr`` is then the learning rate
    that it sets, as those of the package do in conf/.
    """

    help: str
    start: Callable[..., State] = lambda theta, lr, **settings: {}
    update: Callable[..., None] = not_given
    written: Callable[[Move], Lines] = not_given
    own: Settings = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)
    lr: float | None = None
    is_full_batch: bool = False
    rate_at_start: bool = False
    """Whether η matters at the start only."""
    note: str = ""
    """What the documentation adds: conventions and sources."""

    @property
    def settings(self) -> Settings:
        """All settings: its own, and those of the gradient."""
        return {**self.own, **SHAPING}

    def divided(self, settings: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
        """Settings in use as those of ``start`` and ``update``, and those of `shape_gradient`."""
        own = {name: value for name, value in settings.items() if name in self.own}
        return own, {name: value for name, value in settings.items() if name not in own}


def _zeros(theta: Array, *names: str) -> State:
    return {name: np.zeros_like(theta) for name in names}


def _decay(theta: Array, g: Array, weight_decay: Array | None) -> None:
    """g ← g + λ θ, λ the weight decay."""
    if weight_decay is not None:
        g += weight_decay * theta


def _average(memory: Array, g: Array, share: Array) -> None:
    """memory ← share · memory + (1 - share) g."""
    memory *= share
    memory += (1 - share) * g


def _written_average(memory: Term, share: Term, new: Term) -> Term:
    return share * memory + (1 - share) * new


def start_sgd(theta: Array, lr: Array, *, momentum: Maybe = None, dampening: Maybe = None, **_: Array) -> State:
    if momentum is None:
        return {}
    return _zeros(theta, "velocity") | ({} if dampening is None else {"steps": np.zeros_like(dampening)})


def sgd(
    theta: Array, g: Array, state: State, lr: Array, *,
    momentum: Maybe = None, dampening: Maybe = None, nesterov: Maybe = None, weight_decay: Maybe = None,
) -> None:  # fmt: skip
    """v ← μ v + (1 - τ) g,  θ ← θ - η v;  with Nesterov's look-ahead θ ← θ - η (g + μ v).

    The first v is g, whatever the dampening τ.  η is not part of the velocity.
    """
    _decay(theta, g, weight_decay)
    if momentum is None:
        g *= lr
        theta -= g
        return
    v = state["velocity"]
    v *= momentum
    if dampening is None:
        v += g
    else:
        v += np.where((state["steps"] > 0) & (momentum > 0), 1 - dampening, 1) * g
        state["steps"] += 1
    theta -= lr * v if nesterov is None else lr * np.where(nesterov != 0, g + momentum * v, v)


def _written_sgd(move: Move) -> Lines:
    if not move.uses("momentum"):
        return {"theta": move.theta - move.lr * move.decayed}
    momentum, v = move.settings["momentum"], move.after["velocity"]
    ahead = move.decayed + momentum * v if move.uses("nesterov") else v
    new = move.decayed
    if move.uses("dampening") and move.before["steps"].value:
        new = (1 - move.settings["dampening"]) * new
    return {"velocity": momentum * move.before["velocity"] + new, "theta": move.theta - move.lr * ahead}


def start_rmsprop(
    theta: Array, lr: Array, *, momentum: Maybe = None, centered: Maybe = None, **_: Array
) -> State:  # fmt: skip
    more = [name for name, setting in (("mean", centered), ("velocity", momentum)) if setting is not None]
    return _zeros(theta, "square", *more)


def rmsprop(
    theta: Array, g: Array, state: State, lr: Array, *,
    alpha: Array, eps: Array, momentum: Maybe = None, centered: Maybe = None, weight_decay: Maybe = None,
) -> None:  # fmt: skip
    """s ← α s + (1 - α) g²,  v ← μ v + g / (√s + ε),  θ ← θ - η v;  centred: √(s - m²), m ← α m + (1 - α) g."""
    _decay(theta, g, weight_decay)
    _average(state["square"], g * g, alpha)
    spread = state["square"]
    if centered is not None:
        _average(state["mean"], g, alpha)
        spread = spread - centered * (state["mean"] * state["mean"])
    g /= np.sqrt(spread) + eps
    if momentum is not None:
        state["velocity"] *= momentum
        state["velocity"] += g
        g = state["velocity"]
    theta -= lr * g


def _written_rmsprop(move: Move) -> Lines:
    settings, before, after = move.settings, move.before, move.after
    lines: Lines = {"square": _written_average(before["square"], settings["alpha"], move.decayed**2)}
    spread: Term = after["square"]
    if move.uses("centered"):
        lines["mean"] = _written_average(before["mean"], settings["alpha"], move.decayed)
        spread = spread - after["mean"] ** 2
    scaled: Term = move.decayed / (Call("√", spread) + settings["eps"])
    if move.uses("momentum"):
        lines["velocity"] = settings["momentum"] * before["velocity"] + scaled
        scaled = after["velocity"]
    return lines | {"theta": move.theta - move.lr * scaled}


def start_adam(theta: Array, lr: Array, *, amsgrad: Maybe = None, **own: Array) -> State:
    return _start_moments(theta, lr, **own) | ({} if amsgrad is None else _zeros(theta, "largest"))


def _start_moments(theta: Array, lr: Array, *, beta1: Array, beta2: Array, **_: Array) -> State:
    powers = {"beta1_power": np.ones_like(beta1), "beta2_power": np.ones_like(beta2)}
    return _zeros(theta, "mean", "square") | powers


def _follow_moments(g: Array, state: State, beta1: Array, beta2: Array) -> None:
    """m ← β1 m + (1 - β1) g,  s ← β2 s + (1 - β2) g², and the powers of β1 and β2; g becomes g²."""
    _average(state["mean"], g, beta1)
    g *= g
    _average(state["square"], g, beta2)
    state["beta1_power"] *= beta1
    state["beta2_power"] *= beta2


def _adam_step(
    theta: Array, g: Array, state: State, lr: Array, beta1: Array, beta2: Array, eps: Array, amsgrad: Maybe = None
) -> None:  # fmt: skip
    _follow_moments(g, state, beta1, beta2)
    square = state["square"]
    if amsgrad is not None:
        np.maximum(state["largest"], square, out=state["largest"])
        square = np.where(amsgrad != 0, state["largest"], square)
    np.sqrt(square, out=g)
    g /= np.sqrt(1 - state["beta2_power"])
    g += eps
    np.divide(state["mean"], g, out=g)
    g *= lr / (1 - state["beta1_power"])
    theta -= g


def adam(theta: Array, g: Array, state: State, lr: Array, *, weight_decay: Maybe = None, **own: Array) -> None:
    """m ← β1 m + (1 - β1) g,  s ← β2 s + (1 - β2) g²,  θ ← θ - η m̂ / (√ŝ + ε).

    m̂ = m / (1 - β1^t) and ŝ = s / (1 - β2^t): Algorithm 1 of Kingma & Ba (2015), ε outside the corrected
    root.  Weight decay is added to g.  With amsgrad the largest s so far is in the place of s (Reddi et al. 2018).
    """
    _decay(theta, g, weight_decay)
    _adam_step(theta, g, state, lr, **own)


def adamw(theta: Array, g: Array, state: State, lr: Array, *, weight_decay: Maybe = None, **own: Array) -> None:
    """θ ← θ (1 - η λ), then Adam without weight decay in g (Loshchilov & Hutter 2019)."""
    if weight_decay is not None:
        theta *= 1 - lr * weight_decay
    _adam_step(theta, g, state, lr, **own)


def _written_adam_step(move: Move, g: Term, theta: Term) -> Lines:
    settings, before, after = move.settings, move.before, move.after
    is_amsgrad = move.uses("amsgrad")
    mean = after["mean"] / (1 - after["beta1_power"])
    square = after["largest" if is_amsgrad else "square"] / (1 - after["beta2_power"])
    largest: Lines = {"largest": Call("max", before["largest"], after["square"])} if is_amsgrad else {}
    new = theta - move.lr * (mean / (Call("√", square) + settings["eps"]))
    return {**_written_moments(move, g), **largest, "theta": new}


def _written_moments(move: Move, g: Term) -> Lines:
    return {
        "mean": _written_average(move.before["mean"], move.settings["beta1"], g),
        "square": _written_average(move.before["square"], move.settings["beta2"], g**2),
    }


def _written_adamw(move: Move) -> Lines:
    shrinks = move.uses("weight_decay")
    shrunk = move.theta * (1 - move.lr * move.settings["weight_decay"]) if shrinks else move.theta
    return _written_adam_step(move, move.g, shrunk)


def start_adamax(theta: Array, lr: Array, *, beta1: Array, **_: Array) -> State:
    return _zeros(theta, "mean", "largest") | {"beta1_power": np.ones_like(beta1)}


def adamax(
    theta: Array, g: Array, state: State, lr: Array, *,
    beta1: Array, beta2: Array, eps: Array, weight_decay: Maybe = None,
) -> None:  # fmt: skip
    """m ← β1 m + (1 - β1) g,  u ← max(β2 u, |g| + ε),  θ ← θ - η m / ((1 - β1^t) u)."""
    _decay(theta, g, weight_decay)
    _average(state["mean"], g, beta1)
    np.abs(g, out=g)
    g += eps
    state["largest"] *= beta2
    np.maximum(state["largest"], g, out=state["largest"])
    state["beta1_power"] *= beta1
    np.divide(state["mean"], state["largest"], out=g)
    g *= lr / (1 - state["beta1_power"])
    theta -= g


def _written_adamax(move: Move) -> Lines:
    settings, before, after = move.settings, move.before, move.after
    return {
        "mean": _written_average(before["mean"], settings["beta1"], move.decayed),
        "largest": Call("max", settings["beta2"] * before["largest"], Call("abs", move.decayed) + settings["eps"]),
        "theta": move.theta - move.lr / (1 - after["beta1_power"]) * (after["mean"] / after["largest"]),
    }


def start_nadam(theta: Array, lr: Array, **own: Array) -> State:
    steps = {"steps": np.zeros_like(theta[0]), "momenta": np.ones_like(theta[0])}
    return _start_moments(theta, lr, **own) | steps


def nadam(
    theta: Array, g: Array, state: State, lr: Array, *,
    beta1: Array, beta2: Array, eps: Array, momentum_decay: Array, weight_decay: Maybe = None,
) -> None:  # fmt: skip
    """Adam with Nesterov's look-ahead (Dozat 2016): μ_t = β1 (1 - 0.96^(t ψ) / 2), M the product of all μ.

    θ ← θ - η ((1 - μ_t) / (1 - M_t) g + μ_t+1 / (1 - M_t+1) m) / (√ŝ + ε).
    """
    _decay(theta, g, weight_decay)
    first = g.copy()
    _follow_moments(g, state, beta1, beta2)
    state["steps"] += 1
    now, ahead = (_nadam_momentum(state["steps"] + k, beta1, momentum_decay) for k in (0, 1))
    state["momenta"] *= now
    np.sqrt(state["square"], out=g)
    g /= np.sqrt(1 - state["beta2_power"])
    g += eps
    first *= (1 - now) / (1 - state["momenta"])
    first += ahead / (1 - state["momenta"] * ahead) * state["mean"]
    first /= g
    first *= lr
    theta -= first


def _nadam_momentum(steps: Array, beta1: Array, momentum_decay: Array) -> Array:
    """β1 (1 - 0.96^(t ψ) / 2)."""
    return beta1 * (1 - 0.5 * np.power(0.96, steps * momentum_decay))


def _written_nadam(move: Move) -> Lines:
    settings, after = move.settings, move.after
    ages = (after["steps"], after["steps"] + 1)
    now, ahead = (settings["beta1"] * (1 - 0.5 * Number(0.96) ** (age * settings["momentum_decay"])) for age in ages)
    g = (1 - now) / (1 - after["momenta"]) * move.decayed
    mean = ahead / (1 - after["momenta"] * ahead) * after["mean"]
    square = Call("√", after["square"] / (1 - after["beta2_power"])) + settings["eps"]
    return {**_written_moments(move, move.decayed), "theta": move.theta - move.lr * ((g + mean) / square)}


def radam(
    theta: Array, g: Array, state: State, lr: Array, *,
    beta1: Array, beta2: Array, eps: Array, weight_decay: Maybe = None,
) -> None:  # fmt: skip
    """Adam whose first steps are those of its mean alone, then rectified by r (Liu et al. 2020).

    ρ∞ = 2 / (1 - β2) - 1,  ρ = ρ∞ - 2 t β2^t / (1 - β2^t);  while ρ ≤ 5, θ ← θ - η m̂, then θ ← θ - η r m̂ / (√s + ε)
    · √(1 - β2^t).
    """
    _decay(theta, g, weight_decay)
    _follow_moments(g, state, beta1, beta2)
    state["steps"] += 1
    rectified, factor = _radam_factor(state["steps"], beta2)
    np.sqrt(state["square"], out=g)
    g += eps
    g = np.where(rectified, factor / g, 1)
    g *= state["mean"]
    g *= lr / (1 - state["beta1_power"])
    theta -= g


def _radam_factor(steps: Array, beta2: Array) -> tuple[Array, Array]:
    """Whether steps are rectified, and r √(1 - β2^t): in float64, since small differences of large numbers count."""
    steps, beta2 = (np.multiply(values, np.float64(1)) for values in (steps, beta2))
    power, last = np.power(beta2, steps), 2 / (1 - beta2) - 1
    rho = last - 2 * steps * power / (1 - power)
    rectified = rho > 5
    far = np.where(rectified, rho, 5)  # below it r is not needed, and not real
    r = np.sqrt((far - 4) * (far - 2) * last / ((last - 4) * (last - 2) * far))
    return rectified, r * np.sqrt(1 - power)


def start_radam(theta: Array, lr: Array, **own: Array) -> State:
    return _start_moments(theta, lr, **own) | {"steps": np.zeros_like(theta[0])}


def _written_radam(move: Move) -> Lines:
    settings, after = move.settings, move.after
    rectified, _ = _radam_factor(after["steps"].value, settings["beta2"].value)
    mean = after["mean"] / (1 - after["beta1_power"])
    if rectified:
        last = 2 / (1 - settings["beta2"]) - 1
        rho = last - 2 * after["steps"] * after["beta2_power"] / (1 - after["beta2_power"])
        r = Call("√", (rho - 4) * (rho - 2) * last / ((last - 4) * (last - 2) * rho))
        mean = r * mean / (Call("√", after["square"]) + settings["eps"]) * Call("√", 1 - after["beta2_power"])
    return {**_written_moments(move, move.decayed), "theta": move.theta - move.lr * mean}


def start_adagrad(theta: Array, lr: Array, **_: Array) -> State:
    return _zeros(theta, "square") | {"steps": np.zeros_like(theta[0])}


def adagrad(
    theta: Array, g: Array, state: State, lr: Array, *, lr_decay: Array, eps: Array, weight_decay: Maybe = None
) -> None:
    """s ← s + g²,  θ ← θ - η / (1 + t d) · g / (√s + ε), d the decay of the rate, t counted from 0."""
    _decay(theta, g, weight_decay)
    state["square"] += g * g
    g /= np.sqrt(state["square"]) + eps
    g *= lr / (1 + state["steps"] * lr_decay)
    state["steps"] += 1
    theta -= g


def _written_adagrad(move: Move) -> Lines:
    settings, before, after = move.settings, move.before, move.after
    rate = move.lr / (1 + before["steps"] * settings["lr_decay"])
    return {
        "square": before["square"] + move.decayed**2,
        "theta": move.theta - rate * (move.decayed / (Call("√", after["square"]) + settings["eps"])),
    }


def start_adadelta(theta: Array, lr: Array, **_: Array) -> State:
    return _zeros(theta, "square", "moved")


def adadelta(
    theta: Array, g: Array, state: State, lr: Array, *, rho: Array, eps: Array, weight_decay: Maybe = None
) -> None:
    """s ← ρ s + (1 - ρ) g²,  d = √(m + ε) / √(s + ε) · g,  m ← ρ m + (1 - ρ) d²,  θ ← θ - η d."""
    _decay(theta, g, weight_decay)
    _average(state["square"], g * g, rho)
    g *= np.sqrt(state["moved"] + eps) / np.sqrt(state["square"] + eps)
    _average(state["moved"], g * g, rho)
    g *= lr
    theta -= g


def _written_adadelta(move: Move) -> Lines:
    settings, before, after = move.settings, move.before, move.after
    eps, rho = settings["eps"], settings["rho"]
    step = Call("√", before["moved"] + eps) / Call("√", after["square"] + eps) * move.decayed
    return {
        "square": _written_average(before["square"], rho, move.decayed**2),
        "moved": _written_average(before["moved"], rho, step**2),
        "theta": move.theta - move.lr * step,
    }


def start_rprop(theta: Array, lr: Array, **_: Array) -> State:
    return _zeros(theta, "sign") | {"step": np.zeros_like(theta) + lr}


def rprop(
    theta: Array, g: Array, state: State, lr: Array, *,
    eta_minus: Array, eta_plus: Array, step_min: Array, step_max: Array,
) -> None:  # fmt: skip
    """Each parameter has its own step Δ, initially η: θ ← θ - sign(g) Δ.

    Δ is multiplied by η+ while the sign of g stays, and by η- when it changes; after a change the parameter
    skips one update.  Full batch only (Riedmiller & Braun 1993).
    """
    sign, step = np.sign(g, out=g), state["step"]
    same = sign * state["sign"]
    step *= np.where(same > 0, eta_plus, np.where(same < 0, eta_minus, 1))
    np.clip(step, step_min, step_max, out=step)
    np.copyto(sign, 0, where=same < 0)
    state["sign"][:] = sign
    sign *= step
    theta -= sign


def _written_rprop(move: Move) -> Lines:
    settings, before, after = move.settings, move.before, move.after
    turn = Call("sign", move.g) * before["sign"]
    factor = settings["eta_plus"] * (turn > 0) + settings["eta_minus"] * (turn < 0) + (1 - Call("abs", turn))
    return {
        "step": Call("clip", before["step"] * factor, settings["step_min"], settings["step_max"]),
        "sign": Call("sign", move.g) * (turn >= 0),
        "theta": move.theta - after["sign"] * after["step"],
    }


_MOMENTUM = {"momentum": number("momentum μ", 0, below=1, optional=True, letter="μ")}
_DECAY = {"weight_decay": number("weight decay λ", 0, optional=True, letter="λ")}
_EPS = {"eps": number("ε outside the root", above=0, letter="ε")}
_BETAS = {"beta1": number("β1", 0, below=1, letter="β1"), "beta2": number("β2", 0, below=1, letter="β2")}
_AMSGRAD = {"amsgrad": flag("use the largest mean square so far in place of the last", varies=True, optional=True)}
_POWERS = {"beta1_power": "β1^t", "beta2_power": "β2^t"}

# fmt: off
OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer("gradient descent", start_sgd, sgd, _written_sgd,
        {**_MOMENTUM, "dampening": number("dampening τ of the velocity", 0, optional=True, letter="τ"),
         "nesterov": flag("look ahead along the momentum", varies=True, optional=True), **_DECAY},
        {"velocity": "v", "steps": "t"}, note="the first v is g, also with dampening"),
    "rmsprop": Optimizer("PyTorch's RMSprop", start_rmsprop, rmsprop, _written_rmsprop,
        {"alpha": number("share of the old mean square", 0, below=1, letter="α"), **_MOMENTUM,
         "centered": flag("subtract the square of the mean gradient", varies=True, optional=True), **_EPS, **_DECAY},
        {"square": "s", "mean": "m", "velocity": "v"}, note="Keras has α = 0.9"),
    "adam": Optimizer("PyTorch's Adam", start_adam, adam,
        lambda move: _written_adam_step(move, move.decayed, move.theta),
        _BETAS | _EPS | _AMSGRAD | _DECAY, {"mean": "m", "square": "s", "largest": "S"} | _POWERS,
        note="Keras has ε = 1e-7"),
    "adamw": Optimizer("Adam with decoupled weight decay", start_adam, adamw, _written_adamw,
        _BETAS | _EPS | _AMSGRAD | _DECAY, {"mean": "m", "square": "s", "largest": "S"} | _POWERS),
    "adamax": Optimizer("PyTorch's Adamax: Adam by the largest gradient", start_adamax, adamax, _written_adamax,
        _BETAS | {"eps": number("ε added to |g|", above=0, letter="ε")} | _DECAY,
        {"mean": "m", "largest": "u", "beta1_power": "β1^t"}, note="Kingma & Ba (2015)"),
    "nadam": Optimizer("PyTorch's NAdam: Adam with Nesterov's look-ahead", start_nadam, nadam, _written_nadam,
        _BETAS | _EPS | {"momentum_decay": number("how fast the momentum grows to β1", 0, letter="ψ")} | _DECAY,
        {"mean": "m", "square": "s", "steps": "t", "momenta": "M"} | _POWERS, note="Dozat (2016)"),
    "radam": Optimizer("PyTorch's RAdam: Adam with rectified first steps", start_radam, radam, _written_radam,
        _BETAS | _EPS | _DECAY, {"mean": "m", "square": "s", "steps": "t"} | _POWERS, note="Liu et al. (2020)"),
    "adagrad": Optimizer("PyTorch's Adagrad", start_adagrad, adagrad, _written_adagrad,
        {"lr_decay": number("decay of the rate", 0, letter="d")} | _EPS | _DECAY, {"square": "s", "steps": "t"},
        note="ε outside the root"),
    "adadelta": Optimizer("PyTorch's Adadelta", start_adadelta, adadelta, _written_adadelta,
        {"rho": number("share of the old mean square", 0, below=1, letter="ρ")} | _EPS | _DECAY,
        {"square": "s", "moved": "u"}, note="Zeiler (2012)"),
    "rprop": Optimizer("PyTorch's Rprop: only the signs of the gradient; full batch", start_rprop, rprop,
        _written_rprop,
        {"eta_minus": number("factor of a step when the sign changes", above=0, below=1, letter="η-"),
         "eta_plus": number("factor of a step while the sign stays", above=1, letter="η+"),
         "step_min": number("shortest step", above=0, letter="Δmin"),
         "step_max": number("longest step", above=0, letter="Δmax")},
        {"sign": "s", "step": "Δ"}, is_full_batch=True, rate_at_start=True,
        note="without weight backtracking; a schedule has no effect; "
        "compares signs, where PyTorch takes the sign of a product that may underflow"),
}
# fmt: on
"""Name of an optimizer in a config to its row."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """``factor(epoch, epochs, **settings)`` multiplies the learning rate; None stands for 1.

    ``epoch`` is a number, or an array type that follows NumPy's protocols.  ``uses_total`` is whether the factor
    depends on ``epochs``.
    """

    help: str
    factor: Callable[..., Array | None]
    own: Settings = field(default_factory=dict)
    uses_total: bool = False
    is_constant: bool = False
    """Whether the factor is None at every epoch."""

    @property
    def settings(self) -> Settings:
        """All settings, which are its own."""
        return self.own


def step_decay(epoch: int, epochs: int, *, every: Array, gamma: Array) -> Array:
    """γ^⌊epoch / every⌋ (StepLR)."""
    return np.power(gamma, np.floor_divide(epoch, every).astype(gamma.dtype))


def exponential_decay(epoch: int, epochs: int, *, gamma: Array) -> Array:
    """γ^epoch (ExponentialLR)."""
    return np.power(gamma, np.zeros_like(gamma) + epoch)


def cosine_decay(epoch: int, epochs: int, *, final: Array) -> Array:
    """From 1 down to final along half a cosine (CosineAnnealingLR, T_max = epochs, eta_min = final · rate)."""
    return final + (1 - final) * (0.5 * (1 + each(math.cos)(math.pi * epoch / epochs)))


_GAMMA = {"gamma": number("factor of the learning rate", 0, 1)}

# fmt: off
SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule("constant learning rate", lambda epoch, epochs: None, is_constant=True),
    "step": Schedule("times gamma every few epochs", step_decay, {"every": number("epochs per step", 1), **_GAMMA}),
    "exponential": Schedule("times gamma every epoch", exponential_decay, _GAMMA),
    "cosine": Schedule("along half a cosine", cosine_decay, {"final": number("share of the rate at the end", 0, 1)},
        uses_total=True),
}
# fmt: on
"""Name of a schedule in a config to its row."""
