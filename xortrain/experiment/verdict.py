"""Why a run ended as it did, in one or two sentences with a hint: what the diagnosis has found, in words.

The hints name overrides that one can type; docs/diagnosis.md has an example of each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from xortrain.experiment import rates
from xortrain.experiment.wording import conjoined, dead_units, tied, unit_names
from xortrain.training.findings import Findings, best_linear_loss, findings
from xortrain.training.outcome import others

if TYPE_CHECKING:
    from xortrain.experiment.trained import Run

SMOOTH = ("sigmoid", "tanh", "softsign")
PROBABILITIES = ("sigmoid", "softmax", "hardsigmoid", "gaussian", "step")
JUMPS = 1.5  # times the lowest loss
EXPLODED = 1e6  # times the loss at the start


@dataclass(frozen=True)
class Case:
    """A run that is over, and what has been found of it."""

    run: "Run"

    @cached_property
    def found(self) -> Findings:
        return findings(self.run.task, self.run.parameters[-1])

    @cached_property
    def reasons(self) -> list[str]:
        """The outcomes that hold too."""
        return others(self.run.row["reasons"])

    @property
    def layers(self) -> int:
        return len(self.run.network.layers)

    def odds(self) -> str:
        """How many seeds get through, where our sweeps know."""
        return "" if self.run.build.population.arrays else rates.sentence(self.run.config)


def verdict(run: "Run") -> str:
    """The sentences; empty where the outcome says all."""
    case, says = Case(run), SAYS.get(run.outcome)
    first = "" if run.outcome in ("solved", "pending") else _settings_at_odds(case)
    if first:
        return first
    exploded = _exploded(case)
    if exploded and run.outcome != "linear":  # which no learning rate would mend
        return exploded
    return " ".join(filter(None, [exploded, *(says(case) if says else [])]))


def _settings_at_odds(case: Case) -> str:
    """What in the settings alone keeps a run from learning."""
    config, output = case.run.config, case.run.network.layers[-1].activation
    loss = config["loss"]["name"]
    if config["epochs"] and set(config["freeze"]) >= set(case.run.network.shapes):
        return "Nothing was trained: freeze names every parameter."
    if loss == "cross_entropy" and output != "softmax":
        return (
            f"loss=cross_entropy looks at the right class alone: with output={output} it is least where every output"
            " is 1. output=softmax (or auto) makes outputs share one probability; loss=bce goes with output=sigmoid."
        )
    if loss in ("bce", "focal") and output not in PROBABILITIES:
        return (
            f"loss={loss} takes outputs for probabilities; output={output} gives others too, which have no gradient:"
            " output=sigmoid (or auto) goes with it."
        )
    return ""


def _exploded(case: Case) -> str:
    """What has to be said first of a loss that is still a number and means nothing."""
    last, first = case.run.row["final_loss"], float(case.run.losses[0])
    if case.run.outcome == "diverged" or not last > EXPLODED * max(first, 1):
        return ""
    return f"Its loss has exploded, from {first:.4g} to {last:.4g}. {_too_large(case)}"


def _too_large(case: Case) -> str:
    return f"The steps were too large: try a smaller learning rate, as in lr={case.run.config['lr'] / 10:g}."


def _diverged(case: Case) -> list[str]:
    return [_too_large(case)]


def _solved(case: Case) -> list[str]:
    if "dead" not in case.reasons:
        return []
    return [f"{dead_units(case.run, case.found.dead)}; the others did without."]


def _linear(case: Case) -> list[str]:
    run = case.run
    cut = "straight line" if run.network.inputs == 2 else "plane"
    best = best_linear_loss(run.task)
    hint = "activation=tanh" if run.config["architecture"]["hidden"] else "architecture.hidden=[2]"
    return [
        f"Nothing in this network bends: it can only divide its inputs by one {cut}, and the lowest loss that leaves"
        f" is {best:.6g}.",
        f"A hidden layer that bends helps: {hint}.",
    ]


def _clones(case: Case) -> list[str]:
    parts = [f"{unit_names(case.run, group)} are equal, weights in and out" for group in case.found.equal]
    return [
        f"{conjoined(parts)}: they get the same gradient at every step and stay equal, so they are worth one unit.",
        "A random start parts them: init=xavier_uniform.",
    ]


def _dead(case: Case) -> list[str]:
    rest = "The rest still moves, so more epochs may be enough." if "training" in case.reasons else ""
    at_end = any(layer == case.layers - 1 for layer, _ in case.found.dead)
    hint = "output=auto cannot be off" if at_end else "Another seed, more units or activation=leaky_relu may help"
    return [f"{dead_units(case.run, case.found.dead)}.", tied(case.run, case.found), rest, f"{hint}.", case.odds()]


def _saturated(case: Case) -> list[str]:
    units = case.found.saturated
    are, own = ("is", "its") if len(units) == 1 else ("are", "their")
    return [
        f"{unit_names(case.run, units)} {are} saturated: on every example {own} slope is below 1 % of the steepest, so"
        " hardly any gradient gets through.",
        tied(case.run, case.found),
        _out_of_saturation(case),
    ]


def _out_of_saturation(case: Case) -> str:
    if any(layer == case.layers - 1 for layer, _ in case.found.saturated):
        return "loss=bce keeps the gradient of a saturated output."
    config, at_start = case.run.config, findings(case.run.task, case.run.parameters[0]).saturated
    if set(at_start) & set(case.found.saturated):
        return f"It began so: a smaller start helps, as in init.scale={config['init']['scale'] / 10:g}."
    return f"It did not begin so: a smaller learning rate helps, as in lr={config['lr'] / 10:g}."


def _plateau(case: Case) -> list[str]:
    thresholds = "" if case.run.network.bias else "Biases give its units thresholds: architecture.bias=true."
    if not case.found.in_state:
        return [
            "The loss no longer falls: as many epochs again would change it by less than 1 %.",
            tied(case.run, case.found),
            thresholds or "Another seed, another learning rate or more units may help.",
        ]
    return [tied(case.run, case.found), _out_of_a_tie(case), thresholds, case.odds()]


def _out_of_a_tie(case: Case) -> str:
    """What has come of such ties in our census (docs/diagnosis.md)."""
    together, examples = len(case.found.tied[0].examples), len(case.run.x)
    smooth = {layer.activation for layer in case.run.network.layers[:-1]} <= set(SMOOTH)
    if smooth and together == examples:
        return "Most nets leave this state in time: more epochs, a larger learning rate or another seed help."
    never = examples == 4 and (together == 2 or not smooth)
    return f"More epochs {'do not' if never else 'seldom'} help; another seed or more units do."


def _early(case: Case) -> list[str]:
    return ["Its loss was still falling."] if "training" in case.reasons else []


def _training(case: Case) -> list[str]:
    row, epochs = case.run.row, case.run.config["epochs"]
    if not epochs:
        return ["Nothing was trained: epochs=0."]
    if row["final_loss"] > JUMPS * row["best_loss"]:
        smaller = f"lr={case.run.config['lr'] / 4:g}"
        return [
            f"Its loss jumps, it has been down to {row['best_loss']:.4g}: try a smaller learning rate, as in {smaller}."
        ]
    return [f"It was still learning when its epochs were over: try more, as in epochs={4 * epochs}."]


SAYS: dict[str, Callable[[Case], list[str]]] = {
    "diverged": _diverged,
    "solved": _solved,
    "linear": _linear,
    "clones": _clones,
    "dead": _dead,
    "saturated": _saturated,
    "plateau": _plateau,
    "early": _early,
    "training": _training,
}
"""Outcome to its sentences."""
