"""Why a run ended as it did, in one or two sentences with a hint: what the diagnosis has found, in words.

The hints name overrides that one can type; docs/diagnosis.md has an example of each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from xortrain.experiment import rates
from xortrain.training.findings import Findings, Tie, Unit, best_linear_loss, dead_since, findings
from xortrain.training.outcome import others

if TYPE_CHECKING:
    from xortrain.experiment.trained import Run

MOST_NAMED = 6  # units or examples by name; of more, how many there are
SMOOTH = ("sigmoid", "tanh", "softsign")
JUMPS = 1.5  # times the lowest loss


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
    says = SAYS.get(run.outcome)
    return " ".join(filter(None, says(Case(run)))) if says else ""


def _diverged(case: Case) -> list[str]:
    return [f"The steps were too large: try a smaller learning rate, as in lr={case.run.config['lr'] / 10:g}."]


def _solved(case: Case) -> list[str]:
    if "dead" not in case.reasons:
        return []
    return [f"{_dead_units(case)}; the others did without."]


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
    groups = [_listed([_unit(case, unit) for unit in group], "units") for group in case.found.equal]
    parts = [f"{group} are equal, weights in and out" for group in groups]
    return [
        f"{_and(parts)}: they get the same gradient at every step and stay equal, so they are worth one unit.",
        "A random start parts them: init=xavier_uniform.",
    ]


def _dead(case: Case) -> list[str]:
    rest = "The rest still moves, so more epochs may be enough." if "training" in case.reasons else ""
    help_ = "Another seed, more units or activation=leaky_relu help."
    return [f"{_dead_units(case)}.", _tied(case), rest, help_, case.odds()]


def _saturated(case: Case) -> list[str]:
    units = case.found.saturated
    names = _listed([_unit(case, unit) for unit in units], "units")
    own = "its" if len(units) == 1 else "their"
    return [
        f"{names} {_are(units)} saturated: on every example {own} slope is below 1 % of the steepest, so hardly any"
        " gradient gets through.",
        _tied(case),
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
    if not case.found.in_state:
        return [
            "The loss no longer falls: as many epochs again would change it by less than 1 %.",
            _tied(case),
            "Another seed, another learning rate or more units may help.",
        ]
    parts = [_tied(case)]
    everything = len(case.found.tied) == 1 and len(case.found.tied[0].examples) == len(case.run.x)
    names = {layer.activation for layer in case.run.network.layers[:-1]}
    if everything and names <= set(SMOOTH):
        parts.append("Many nets leave this state in time: more epochs, a larger learning rate or another seed help.")
    else:
        parts.append("More epochs seldom help; another seed or more units do.")
    return [*parts, case.odds()]


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


def _dead_units(case: Case) -> str:
    """As in "h2 is dead since epoch 12: it is off on every example and its gradient is exactly 0"."""
    units, run = case.found.dead, case.run
    if len(units) > MOST_NAMED:
        return f"{len(units)} units are dead: off on every example, so that their gradient is exactly 0"
    parts = []
    for unit in units:
        epoch, exact = dead_since(run.task, unit, run.epochs, run.parameters)
        since = "from the start" if epoch == 0 else f"since epoch {epoch:,}" + ("" if exact else " at the latest")
        parts.append(f"{_unit(case, unit)} is dead {since}")
    it = "it is off on every example and its" if len(units) == 1 else "they are off on every example and their"
    return f"{_and(parts)}: {it} gradient is exactly 0"


def _tied(case: Case) -> str:
    """As in "One corner is cut off: (0, 1), (1, 0) and (1, 1) are tied at 2/3."."""
    run, ties = case.run, case.found.tied
    if not ties:
        return ""
    at_state = case.found.in_state
    parts = [
        f"{_examples(case, tie)} {f'are tied at {_state(tie)}' if at_state else 'get the same output'}" for tie in ties
    ]
    told, names = _and(parts), {4: "The net knows nothing", 3: "One corner is cut off", 2: "Half solved"}
    small = len(run.x) == 4 and len(ties) == 1
    return f"{names[len(ties[0].examples)]}: {told}." if small else f"{told[0].upper()}{told[1:]}."


def _examples(case: Case, tie: Tie) -> str:
    x = case.run.x
    if len(tie.examples) == len(x):
        return f"all {len(x)} examples" if len(x) != 4 else "all four examples"
    if len(tie.examples) > MOST_NAMED or x.shape[1] > 4:
        return f"{len(tie.examples)} examples"
    return _and([f"({', '.join(f'{value:g}' for value in x[example])})" for example in tie.examples])


def _state(tie: Tie) -> str:
    """The mean target, as a fraction of the number of examples."""
    parts = [str(Fraction(value).limit_denominator(len(tie.examples))) for value in tie.state]
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def _unit(case: Case, unit: Unit) -> str:
    """h2, in deeper nets h1,2 (layer, unit), and the output."""
    layer, place = unit
    if layer == case.layers - 1:
        return "the output" if case.run.network.outputs == 1 else f"output {place + 1}"
    return f"h{place + 1}" if case.layers == 2 else f"h{layer + 1},{place + 1}"


def _are(things: Sequence[object]) -> str:
    return "is" if len(things) == 1 else "are"


def _listed(names: list[str], what: str) -> str:
    return _and(names) if len(names) <= MOST_NAMED else f"{len(names)} {what}"


def _and(parts: list[str]) -> str:
    """a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
