"""The optimizers as they are written: how each moves one array of parameters θ by its gradient g.

What a row of xortrain.nets keeps between updates comes twice, before and after (with a prime): v a velocity, m a
mean, s a mean of squares, u a mean of squared moves.  The formulas here are only read: a test holds them to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xortrain.explain.formula import Call, Symbol, Term

LETTERS = {
    "momentum": "μ",
    "weight_decay": "λ",
    "alpha": "α",
    "gamma": "γ",
    "delta": "δ",
    "beta": "β",
    "label_smoothing": "ε",
    "eps": "ε",
    "beta1": "β1",
    "beta2": "β2",
    "lr_decay": "d",
    "rho": "ρ",
    "eta_minus": "η-",
    "eta_plus": "η+",
    "step_min": "Δmin",
    "step_max": "Δmax",
    "velocity": "v",
    "mean": "m",
    "square": "s",
    "moved": "u",
    "sign": "s",
    "step": "Δ",
    "steps": "t",
    "beta1_power": "β1^t",
    "beta2_power": "β2^t",
}
"""Names of settings and of what optimizers keep, to the letters that stand for them."""


@dataclass(frozen=True)
class Move:
    """The symbols of one update of θ: settings, and what the optimizer keeps ``before`` and ``after`` it."""

    theta: Symbol
    g: Symbol
    lr: Symbol
    settings: Mapping[str, Symbol]
    before: Mapping[str, Symbol]
    after: Mapping[str, Symbol]

    @property
    def decayed(self) -> Term:
        """g + λ θ where there is weight decay."""
        return self.g + self.settings["weight_decay"] * self.theta if self.decays else self.g

    @property
    def decays(self) -> bool:
        return "weight_decay" in self.before and bool(self.before["weight_decay"].value)


Lines = dict[str, Term]
"""Names of what changes, θ last, to the formulas of its new values."""


def average(memory: Term, share: Term, new: Term) -> Term:
    return share * memory + (1 - share) * new


def root(s: Term) -> Call:
    return Call("√", s)


def sgd(move: Move) -> Lines:
    if "velocity" not in move.before:
        return {"theta": move.theta - move.lr * move.decayed}
    momentum, v = move.settings["momentum"], move.after["velocity"]
    nesterov = "nesterov" in move.before and bool(move.before["nesterov"].value)
    ahead = move.decayed + momentum * v if nesterov else v
    return {
        "velocity": momentum * move.before["velocity"] + move.decayed,
        "theta": move.theta - move.lr * ahead,
    }


def rmsprop(move: Move) -> Lines:
    settings, before, after = move.settings, move.before, move.after
    lines: Lines = {"square": average(before["square"], settings["alpha"], move.decayed**2)}
    scaled: Term = move.decayed / (root(after["square"]) + settings["eps"])
    if "velocity" in before:
        lines["velocity"] = settings["momentum"] * before["velocity"] + scaled
        scaled = after["velocity"]
    return lines | {"theta": move.theta - move.lr * scaled}


def _adam(move: Move, g: Term, theta: Term) -> Lines:
    settings, before, after = move.settings, move.before, move.after
    mean = after["mean"] / (1 - after["beta1_power"])
    square = after["square"] / (1 - after["beta2_power"])
    return {
        "mean": average(before["mean"], settings["beta1"], g),
        "square": average(before["square"], settings["beta2"], g**2),
        "theta": theta - move.lr * (mean / (root(square) + settings["eps"])),
    }


def adam(move: Move) -> Lines:
    return _adam(move, move.decayed, move.theta)


def adamw(move: Move) -> Lines:
    shrunk = move.theta * (1 - move.lr * move.settings["weight_decay"]) if move.decays else move.theta
    return _adam(move, move.g, shrunk)


def adagrad(move: Move) -> Lines:
    settings, before, after = move.settings, move.before, move.after
    rate = move.lr / (1 + before["steps"] * settings["lr_decay"])
    return {
        "square": before["square"] + move.decayed**2,
        "theta": move.theta - rate * (move.decayed / (root(after["square"]) + settings["eps"])),
    }


def adadelta(move: Move) -> Lines:
    settings, before, after = move.settings, move.before, move.after
    eps = settings["eps"]
    step = root(before["moved"] + eps) / root(after["square"] + eps) * move.decayed
    return {
        "square": average(before["square"], settings["rho"], move.decayed**2),
        "moved": average(before["moved"], settings["rho"], step**2),
        "theta": move.theta - move.lr * step,
    }


def rprop(move: Move) -> Lines:
    settings, before, after = move.settings, move.before, move.after
    turn = Call("sign", move.g) * before["sign"]
    factor = settings["eta_plus"] * (turn > 0) + settings["eta_minus"] * (turn < 0) + (1 - Call("abs", turn))
    return {
        "step": Call("clip", before["step"] * factor, settings["step_min"], settings["step_max"]),
        "sign": Call("sign", move.g) * (turn >= 0),
        "theta": move.theta - after["sign"] * after["step"],
    }


OPTIMIZERS: dict[str, Callable[[Move], Lines]] = {
    "sgd": sgd,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
    "adagrad": adagrad,
    "adadelta": adadelta,
    "rprop": rprop,
}
"""Name of an optimizer to its formulas."""
