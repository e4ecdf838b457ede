"""Why a run ended as it did, in one or two sentences with a hint: the findings of the diagnosis in words.

The hints name overrides that one can type; docs/diagnosis.md has an example of each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from xortrain.nets.losses import LOSSES
from xortrain.trained.run_data import RunData
from xortrain.training.diagnosis import Findings, Tie, Unit, best_linear_loss, dead_since, findings
from xortrain.views.seed_rates import seeds_sentence

JUMPS = 1.5  # times the lowest loss
EXPLODED = 1e6  # times the initial loss
MOST_NAMED = 6  # units or examples; more are counted


@dataclass(frozen=True)
class Case:
    """A run that is over, and its findings."""

    run: RunData

    @cached_property
    def found(self) -> Findings:
        return findings(self.run.task, self.run.parameters[-1])

    @property
    def layers(self) -> int:
        return len(self.run.network.layers)

    def seeds(self) -> str:
        """How many seeds solve the task, if that was measured."""
        return "" if self.run.setup.population.arrays else seeds_sentence(self.run.config)


def verdict(run: RunData) -> str:
    """The sentences; empty where the outcome says everything."""
    case, sentences = Case(run), SENTENCES.get(run.outcome)
    conflict = "" if run.outcome in ("solved", "pending") else _conflicting_settings(case)
    if conflict:
        return conflict
    exploded = _exploded(case)
    if exploded and run.outcome != "linear":  # which no learning rate would change
        return exploded
    return " ".join(filter(None, [exploded, *(sentences(case) if sentences else [])]))


def _conflicting_settings(case: Case) -> str:
    """Settings that by themselves keep a run from learning."""
    config, output = case.run.config, case.run.network.layers[-1].activation
    loss = config["loss"]["name"]
    if config["epochs"] and set(config["freeze"]) >= set(case.run.network.shapes):
        return "Nothing was trained: freeze names every parameter."
    if loss == "cross_entropy" and output != "softmax":
        return (
            f"loss=cross_entropy depends on the output of the right class only: with output={output} it is lowest where"
            " all outputs are 1. With output=softmax (or auto) the outputs sum to 1; output=sigmoid goes with loss=bce."
        )
    if LOSSES[loss].targets == "unit" and not case.run.network.layers[-1].row.gives_probabilities:
        return (
            f"loss={loss} treats outputs as probabilities; output={output} also gives values below 0 or above 1, which"
            " have no gradient: output=sigmoid (or auto) goes with it."
        )
    return ""


def _exploded(case: Case) -> str:
    """A sentence on a loss that is finite but meaningless."""
    last, first = case.run.row["final_loss"], float(case.run.losses[0])
    if case.run.outcome == "diverged" or not last > EXPLODED * max(first, 1):
        return ""
    return f"The loss exploded, from {first:.4g} to {last:.4g}. {_too_large(case)}"


def _too_large(case: Case) -> str:
    return f"The steps were too large: try a smaller learning rate, such as lr={case.run.config['lr'] / 10:g}."


def _linear(case: Case) -> list[str]:
    run = case.run
    cut = "straight line" if run.network.inputs == 2 else "plane"
    hint = "activation=tanh" if run.config["architecture"]["hidden"] else "architecture.hidden=[2]"
    return [
        f"The network is linear: it can only separate its inputs by one {cut}, for which the lowest loss is"
        f" {best_linear_loss(run.task):.6g}.",
        f"A nonlinear hidden layer helps: {hint}.",
    ]


def _clones(case: Case) -> list[str]:
    parts = [f"{unit_names(case.run, group)} are equal" for group in case.found.equal]
    return [
        f"{conjoined(parts)}: with the same weights in and out they get the same gradient at every step, so they act as"
        " one unit.",
        "A random start makes them differ: init=xavier_uniform.",
    ]


def _dead(case: Case) -> list[str]:
    at_end = any(layer == case.layers - 1 for layer, _ in case.found.dead)
    units = "Another seed, more units or activation=leaky_relu may help"
    hint = "With output=auto the output is never off" if at_end else units
    return [
        f"{dead_units(case.run, case.found.dead)}.",
        tie_sentence(case.run, case.found),
        "The rest is still learning, so more epochs may be enough." if "training" in case.run.reasons else "",
        f"{hint}.",
        case.seeds(),
    ]


def _saturated(case: Case) -> list[str]:
    units = case.found.saturated
    are, own = ("is", "its") if len(units) == 1 else ("are", "their")
    return [
        f"{unit_names(case.run, units)} {are} saturated: on every example {own} slope is below 1 % of the steepest, so"
        " almost no gradient passes.",
        tie_sentence(case.run, case.found),
        _saturation_hint(case),
    ]


def _saturation_hint(case: Case) -> str:
    if any(layer == case.layers - 1 for layer, _ in case.found.saturated):
        return "loss=bce keeps the gradient of a saturated output."
    config, at_start = case.run.config, findings(case.run.task, case.run.parameters[0]).saturated
    if set(at_start) & set(case.found.saturated):
        return (
            f"It was so at the start: smaller weights there help, such as init.scale={config['init']['scale'] / 10:g}."
        )
    return f"It was not so at the start: a smaller learning rate helps, such as lr={config['lr'] / 10:g}."


def _plateau(case: Case) -> list[str]:
    thresholds = "" if case.run.network.bias else "Biases give its units thresholds: architecture.bias=true."
    if not case.found.in_state:
        return [
            "The loss no longer falls: as many epochs again would change it by less than 1 %.",
            tie_sentence(case.run, case.found),
            thresholds or "Another seed, another learning rate or more units may help.",
        ]
    return [tie_sentence(case.run, case.found), _tie_hint(case), thresholds, case.seeds()]


def _tie_hint(case: Case) -> str:
    """What runs in such a tie need, by the census in docs/diagnosis.md."""
    together, examples = len(case.found.tied[0].examples), len(case.run.x)
    smooth = all(layer.row.is_sigmoidal for layer in case.run.network.layers[:-1])
    if smooth and together == examples:
        return "Most networks leave this state in time: more epochs, a larger learning rate or another seed help."
    never = examples == 4 and (together == 2 or not smooth)
    return f"More epochs {'do not' if never else 'seldom'} help; another seed or more units do."


def _training(case: Case) -> list[str]:
    row, config = case.run.row, case.run.config
    if not config["epochs"]:
        return ["Nothing was trained: epochs=0."]
    if row["final_loss"] > JUMPS * row["best_loss"]:
        hint = f"try a smaller learning rate, such as lr={config['lr'] / 4:g}"
        return [f"The loss jumps, and has been as low as {row['best_loss']:.4g}: {hint}."]
    return [f"It was still learning at its last epoch: try more epochs, such as epochs={4 * config['epochs']}."]


SENTENCES: dict[str, Callable[[Case], list[str]]] = {
    "diverged": lambda case: [_too_large(case)],
    "solved": lambda case: (
        [f"{dead_units(case.run, case.found.dead)}; the other units were enough."] if "dead" in case.run.reasons else []
    ),
    "linear": _linear,
    "clones": _clones,
    "dead": _dead,
    "saturated": _saturated,
    "plateau": _plateau,
    "early": lambda case: ["The loss was still falling."] if "training" in case.run.reasons else [],
    "training": _training,
}
"""Outcome to its sentences."""


def dead_units(run: RunData, units: list[Unit]) -> str:
    """As in "h2 is dead from epoch 12 on: it is off on every example and its gradient is exactly 0"."""
    if len(units) > MOST_NAMED:
        return f"{len(units)} units are dead: off on every example, so that their gradient is exactly 0"
    parts = []
    for unit in units:
        epoch, exact = dead_since(run.task, unit, run.epochs, run.parameters)
        since = "from the start" if epoch == 0 else f"from epoch {epoch:,}" + (" on" if exact else " at the latest")
        parts.append(f"{unit_name(run, unit)} is dead {since}")
    it = "it is off on every example and its" if len(units) == 1 else "they are off on every example and their"
    text = f"{conjoined(parts)}: {it} gradient is exactly 0"
    return f"T{text[1:]}" if text.startswith("the ") else text


def tie_sentence(run: RunData, found: Findings) -> str:
    """As in "Only one corner is separated: (0, 1), (1, 0) and (1, 1) are tied at 2/3."."""
    if not (ties := found.tied):
        return ""
    state = "are tied at {}" if found.in_state else "get the same output"
    text = conjoined([f"{_examples(run, tie)} {state.format(_mean_target(tie))}" for tie in ties])
    if found.in_state and len(run.x) == 4 and len(ties) == 1:
        names = {4: "No corner is separated", 3: "Only one corner is separated", 2: "Half solved"}
        return f"{names[len(ties[0].examples)]}: {text}."
    return f"{text[0].upper()}{text[1:]}."


def _examples(run: RunData, tie: Tie) -> str:
    x = run.x
    if len(tie.examples) == len(x):
        return f"all {len(x)} examples" if len(x) != 4 else "all four examples"
    if len(tie.examples) > MOST_NAMED or x.shape[1] > 4:
        return f"{len(tie.examples)} examples"
    return conjoined([f"({', '.join(f'{value:g}' for value in x[example])})" for example in tie.examples])


def _mean_target(tie: Tie) -> str:
    """The mean target of tied examples, as a fraction of their number."""
    parts = [str(Fraction(value).limit_denominator(len(tie.examples))) for value in tie.state]
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def unit_name(run: RunData, unit: Unit) -> str:
    """h2; in deeper networks h1,2 (layer, unit); and the output."""
    layer, place = unit
    if layer == len(run.network.layers) - 1:
        return "the output" if run.network.outputs == 1 else f"output {place + 1}"
    return f"h{place + 1}" if len(run.network.layers) == 2 else f"h{layer + 1},{place + 1}"


def unit_names(run: RunData, units: list[Unit]) -> str:
    """As in "h1, h2 and the output"; many units are counted."""
    return conjoined([unit_name(run, unit) for unit in units]) if len(units) <= MOST_NAMED else f"{len(units)} units"


def conjoined(parts: list[str]) -> str:
    """As in "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
