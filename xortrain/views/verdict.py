"""Why a run ended as it did, in one or two sentences with a hint: what the diagnosis has found, in words.

The hints name overrides that one can type; docs/diagnosis.md has an example of each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.losses import LOSSES
from xortrain.runs.trained import RunData
from xortrain.training.diagnosis import Findings, Tie, Unit, best_linear_loss, dead_since, findings
from xortrain.training.outcome import others
from xortrain.views import seed_rates

JUMPS = 1.5  # times the lowest loss
EXPLODED = 1e6  # times the loss at the start


@dataclass(frozen=True)
class Case:
    """A run that is over, and what has been found of it."""

    run: RunData

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
        return "" if self.run.setup.population.arrays else seed_rates.sentence(self.run.config)


def verdict(run: RunData) -> str:
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
    if LOSSES[loss].targets == "unit" and not ACTIVATIONS[output].gives_probabilities:
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
    return [
        f"{dead_units(case.run, case.found.dead)}.",
        tie_sentence(case.run, case.found),
        rest,
        f"{hint}.",
        case.odds(),
    ]


def _saturated(case: Case) -> list[str]:
    units = case.found.saturated
    are, own = ("is", "its") if len(units) == 1 else ("are", "their")
    return [
        f"{unit_names(case.run, units)} {are} saturated: on every example {own} slope is below 1 % of the steepest, so"
        " hardly any gradient gets through.",
        tie_sentence(case.run, case.found),
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
            tie_sentence(case.run, case.found),
            thresholds or "Another seed, another learning rate or more units may help.",
        ]
    return [tie_sentence(case.run, case.found), _out_of_a_tie(case), thresholds, case.odds()]


def _out_of_a_tie(case: Case) -> str:
    """What has come of such ties in our census (docs/diagnosis.md)."""
    together, examples = len(case.found.tied[0].examples), len(case.run.x)
    smooth = all(ACTIVATIONS[layer.activation].is_sigmoidal for layer in case.run.network.layers[:-1])
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


MOST_NAMED = 6  # units or examples by name; of more, how many there are


def dead_units(run: RunData, units: list[Unit]) -> str:
    """As in "h2 is dead since epoch 12: it is off on every example and its gradient is exactly 0"."""
    if len(units) > MOST_NAMED:
        return f"{len(units)} units are dead: off on every example, so that their gradient is exactly 0"
    parts = []
    for unit in units:
        epoch, exact = dead_since(run.task, unit, run.epochs, run.parameters)
        since = "from the start" if epoch == 0 else f"since epoch {epoch:,}" + ("" if exact else " at the latest")
        parts.append(f"{unit_name(run, unit)} is dead {since}")
    it = "it is off on every example and its" if len(units) == 1 else "they are off on every example and their"
    return f"{conjoined(parts)}: {it} gradient is exactly 0"


def tie_sentence(run: RunData, found: Findings) -> str:
    """As in "One corner is cut off: (0, 1), (1, 0) and (1, 1) are tied at 2/3."."""
    ties, at_state = found.tied, found.in_state
    if not ties:
        return ""
    parts = [
        f"{_examples(run, tie)} {f'are tied at {_state(tie)}' if at_state else 'get the same output'}" for tie in ties
    ]
    told, names = conjoined(parts), {4: "The net knows nothing", 3: "One corner is cut off", 2: "Half solved"}
    small = at_state and len(run.x) == 4 and len(ties) == 1
    return f"{names[len(ties[0].examples)]}: {told}." if small else f"{told[0].upper()}{told[1:]}."


def _examples(run: RunData, tie: Tie) -> str:
    x = run.x
    if len(tie.examples) == len(x):
        return f"all {len(x)} examples" if len(x) != 4 else "all four examples"
    if len(tie.examples) > MOST_NAMED or x.shape[1] > 4:
        return f"{len(tie.examples)} examples"
    return conjoined([f"({', '.join(f'{value:g}' for value in x[example])})" for example in tie.examples])


def _state(tie: Tie) -> str:
    """The mean target, as a fraction of the number of examples."""
    parts = [str(Fraction(value).limit_denominator(len(tie.examples))) for value in tie.state]
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def unit_name(run: RunData, unit: Unit) -> str:
    """h2, in deeper nets h1,2 (layer, unit), and the output."""
    layer, place = unit
    if layer == len(run.network.layers) - 1:
        return "the output" if run.network.outputs == 1 else f"output {place + 1}"
    return f"h{place + 1}" if len(run.network.layers) == 2 else f"h{layer + 1},{place + 1}"


def unit_names(run: RunData, units: list[Unit]) -> str:
    """h1, h2 and the output; of many how many there are."""
    return conjoined([unit_name(run, unit) for unit in units]) if len(units) <= MOST_NAMED else f"{len(units)} units"


def conjoined(parts: list[str]) -> str:
    """As in "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
