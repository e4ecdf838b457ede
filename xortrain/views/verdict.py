"""Why a run ended as it did: the findings of the diagnosis in a few sentences.

They state what was measured; what might help is tried by `advice`.  docs/diagnosis.md has an example of each.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from xortrain.errors import counted
from xortrain.trained.run_data import RunData
from xortrain.training import diagnosis
from xortrain.training.diagnosis import MOST_NAMED, Findings, Tie, Unit, dead_since
from xortrain.training.linear import linear_fit
from xortrain.training.motion import SHARE, swing
from xortrain.training.outcome import LEARNT, STILL, keeps_falling
from xortrain.training.reference import is_flat

FEW = 10  # a tie of less than a tenth of the examples may be by chance, and is not named
FIRST = "at the start "
FAR_MOVED = 0.1  # relative change of the parameters from which the steps are not called small
HIGH = 0.5  # relative distance from the lowest loss, from which a run is not called learning
TAIL = 20  # recorded losses at the end, in which swings are described


@dataclass(frozen=True)
class Case:
    """A run that is over, and its findings."""

    run: RunData

    @cached_property
    def found(self) -> Findings:
        return diagnosis.findings(self.run.task, self.run.parameters[-1])

    @property
    def losses(self) -> np.ndarray:
        """The recorded losses of the epochs that it trained."""
        return self.run.losses[np.isfinite(self.run.losses)]


def verdict(run: RunData) -> str:
    """The sentences; first what no network with these settings can do; empty where the outcome says everything."""
    if run.outcome == "pending":
        return ""
    case = Case(run)
    limits = [] if run.outcome in ("solved", "learnt") else impossible(case)
    found = [*limits, *SENTENCES[run.outcome](case), *(REASONS[word](case) for word in REASONS if word in run.reasons)]
    return " ".join(capitalized(sentence) for sentence in found if sentence)


def capitalized(sentence: str) -> str:
    """With a capital, unless it begins with a unit such as h1, or a setting such as loss=mse."""
    return sentence if re.match(r"h\d|[\w.]+=", sentence) else f"{sentence[0].upper()}{sentence[1:]}"


def impossible(case: Case) -> list[str]:
    """Sentences on settings and data that by themselves keep a run from learning."""
    run, config, last = case.run, case.run.config, case.run.network.layers[-1]
    loss, output, t = config["loss"]["name"], last.activation, case.run.task.data.t
    found = []
    if run.row["epochs_done"] and set(config["freeze"]) >= set(run.network.shapes):
        found.append("Nothing was trained: freeze names every parameter.")
    if len(t) > 1 and (t == t[:1]).all():
        found.append("All examples have the same target.")
    most, places = diagnosis.contradictions(run.task)
    if places:
        at, of = _points(run, places) or counted(len(places), "point"), f"{most:,} of {len(t):,} examples"
        found.append(f"No network can get more than {of} right: at {at} there are different targets.")
    if reach := diagnosis.out_of_reach(run.task):
        ends = f"{'at most' if reach[0] > reach[1] else 'at least'} {reach[1]:g}"
        found.append(f"No net with output={output} can reach the target {reach[0]:g}: its outputs are {ends}.")
    if loss == "cross_entropy" and output != "softmax":
        what = f"with output={output} it is lowest where all outputs are 1"
        found.append(f"loss=cross_entropy depends only on the output of the right class: {what}.")
    elif run.task.criterion.row.targets == "unit" and not last.row.gives_probabilities:
        what = f"output={output} also gives values below 0 or above 1, which have no gradient"
        found.append(f"loss={loss} treats outputs as probabilities; {what}.")
    x = run.task.data.x  # as the network has them
    if places := diagnosis.unscaled_inputs(x[..., 0] if x.ndim == 3 else x):
        found.append(_scale_sentence(run, places))
    if run.row["epochs_done"] == 0 and run.outcome != "diverged":
        found.append(f"Nothing was trained: {'its stop rule held at the start' if config['epochs'] else 'epochs=0'}.")
    return found


def _scale_sentence(run: RunData, places: list[int]) -> str:
    """As in "The inputs are of very different scale: proline reaches 1,300, hue 1.7."."""
    names = run.setup.columns.inputs or [f"x{k + 1}" for k in range(run.network.inputs)]
    size = np.abs(run.x).max(axis=0)
    least, most = int(np.where(np.ptp(run.x, axis=0) > 0, size, np.inf).argmin()), int(size.argmax())
    others = f", {names[least]} {size[least]:,.4g}" if size[least] * diagnosis.LARGE < size[most] else ""
    how = "of very different scale" if others else "large"
    return f"The inputs are {how}: {names[most]} reaches {size[most]:,.6g}{others}."


def _rise(case: Case) -> list[str]:
    if len(case.losses) < 2 or case.losses[-1] <= case.losses[0]:
        return []
    return [f"Its loss had risen from {case.losses[0]:.4g} to {case.losses[-1]:.4g}."]


def _linear(case: Case) -> list[str]:
    run, success = case.run, case.run.task.success
    cut = {1: "at one point", 2: "by one straight line"}.get(run.network.inputs, "by one plane")
    does = "each output depends on one weighted sum of its inputs"
    if success.are_classes(run.task.data.t)[0]:
        does = f"it can only separate {'its inputs' if run.network.outputs == 1 else 'two classes'} {cut}"
    criterion = run.task.criterion  # of another form the loss may have several minima
    found = "" if criterion.joint or criterion.output == "identity" else " found"
    lowest = min(float(linear_fit(run.task)[0][0]), *case.losses.tolist())
    return [f"The network is linear: {does}, for which the lowest loss{found} is {lowest:.6g}."]


def _clones(case: Case) -> list[str]:
    units = conjoined([f"{unit_names(case.run, group)} are equal" for group in case.found.equal])
    why = "with the same weights in and out they get the same gradient at every step, so they act as one unit."
    return [f"{units}: {why}"]


def _dead(case: Case) -> list[str]:
    moving = _moving(case, "The other units are still learning.") if "training" in case.run.reasons else ""
    return [f"{dead_units(case.run, case.found.dead)}.", tie_sentence(case.run, case.found), moving]


def _saturated(case: Case) -> list[str]:
    units = case.found.saturated
    are, own = ("is", "its") if len(units) == 1 else ("are", "their")
    then = set(diagnosis.findings(case.run.task, case.run.parameters[0]).saturated) & set(units)
    was = "It was" if len(units) == 1 else "Some of them were" if 0 < len(then) < len(units) else "They were"
    why = f"on every example {own} slope is below 1 % of the steepest, so almost no gradient passes."
    when = f"{was} {'' if then else 'not '}so at the start."
    return [f"{unit_names(case.run, units)} {are} saturated: {why} {when}", tie_sentence(case.run, case.found)]


def _plateau(case: Case) -> list[str]:
    said = tie_sentence(case.run, case.found), _ahead(case), _no_better(case)
    return [] if "slow" in case.run.reasons else [*said]


def _ahead(case: Case) -> str:
    return f"Going by its last epochs, {case.run.row['epochs_done']:,} more would not solve it."


def _no_better(case: Case) -> str:
    row = case.run.row  # where outputs are tied, or the data are known, this is said in another way
    is_said = any(tie.holds for tie in case.found.tied) or np.isfinite(row["allowed_accuracy"])
    worse = row["final_loss"] >= LEARNT * row["constant_loss"]
    if worse and is_flat(case.run.task):
        of = f"from {case.run.t.min():g} to {case.run.t.max():g} has the loss {row['constant_loss']:.6g}"
        return f"Every constant answer {of}, so this loss moves equal outputs in no direction."
    return f"A constant answer has the loss {row['constant_loss']:.6g}." if worse and not is_said else ""


def _moving(case: Case, learning: str = "It was still learning at its last epoch.") -> str:
    """What a run that moves was doing, from its recorded losses; empty where its reasons say so."""
    row, losses = case.run.row, np.append(case.losses, case.run.row["final_loss"])
    if not row["epochs_done"] or {"slow", "oscillating"} & set(case.run.reasons):
        return ""
    before, after = np.array_split(losses[-max(3, len(losses) // SHARE) :], 2)
    above = row["final_loss"] > (1 + (STILL if after.mean() > before.mean() else HIGH)) * row["best_loss"]
    return f"Its loss has been as low as {row['best_loss']:.4g}." if above else learning


def _enough(case: Case) -> list[str]:
    last, dead = len(case.run.network.layers) - 1, case.found.dead if "dead" in case.run.reasons else []
    more = "" if last in dict(dead) else "; the other units were enough"
    return [f"{dead_units(case.run, dead)}{more}."] if dead else []


SENTENCES: dict[str, Callable[[Case], list[str]]] = {
    "diverged": _rise,
    "solved": _enough,
    "learnt": _enough,
    "linear": _linear,
    "clones": _clones,
    "dead": _dead,
    "saturated": _saturated,
    "plateau": _plateau,
    "exploded": lambda case: [f"{dead_units(case.run, case.found.dead)}."] if "dead" in case.run.reasons else [],
    "early": lambda case: [_moving(case) if "training" in case.run.reasons else _ahead(case)],
    "training": lambda case: [said, _no_better(case)] if (said := _moving(case)) else [],
}
"""Outcome to its sentences."""


def _vanishing(case: Case) -> str:
    run = case.run
    at = {when: diagnosis.gradient_ratio(run.task, run.parameters[k][:, None])[0] for k, when in ((-1, ""), (0, FIRST))}
    ratio, when = min((ratio, when) for when, ratio in at.items() if ratio > 0)
    return f"The gradient vanishes on its way back: {when}in the first layer it is {ratio:.1g} times that in the last."


def _slow(case: Case) -> str:
    row, losses = case.run.row, case.losses
    fall, above = losses[0] - row["final_loss"], row["final_loss"] - row["constant_loss"]
    unit = np.abs(case.run.parameters).max() or 1.0  # squares of the parameters may overflow
    start, end = case.run.parameters[0] / unit, case.run.parameters[-1] / unit
    size, way = np.linalg.norm(start), np.linalg.norm(end - start)
    moved = f"changed by {float(f'{100 * way / size:.2g}'):,g} %" if size else f"have come {way * unit:.2g} away from 0"
    what = "The steps are small" if way < FAR_MOVED * size or not size else "The loss falls slowly"
    text = f"{what}: in {row['epochs_done']:,} epochs the parameters {moved}."
    if not (above > 0 and fall > 0 and keeps_falling(losses, case.run.loss_epochs[: len(losses)])):
        return text
    needed = round_count(row["epochs_done"] * above / fall)
    return f"{text} At this speed a loss as low as that of a constant answer would take {needed} more epochs."


def _oscillating(case: Case) -> str:
    tail = case.losses[1:][-TAIL:]  # short runs do not show it, nor do losses recorded every other epoch
    if not swing(tail[:, None])[0]:
        return "Trained further, its loss swings from epoch to epoch."
    return f"The loss swings from epoch to epoch, at the end between {tail.min():.4g} and {tail.max():.4g}."


def _overfitting(case: Case) -> str:
    held, row = case.run.test_losses, case.run.row
    assert held is not None
    best = int(np.nanargmin(held))
    low = f"lowest at epoch {case.run.loss_epochs[best]:,}, {held[best]:.4g}, and is now {row['test_loss']:.4g}"
    fall = f"{case.run.losses[best]:.4g} to {row['final_loss']:.4g}"
    return f"It overfits: the held-out loss was {low}; the training loss fell from {fall}."


def _units(case: Case, name: str) -> str:
    """A sentence on units that are equal or dead, where the outcome is another one that does not say so."""
    return SENTENCES[name](case)[0] if case.run.outcome in ("early", "plateau", "saturated", "training") else ""


REASONS: dict[str, Callable[[Case], str]] = {
    "clones": lambda case: _units(case, "clones"),
    "dead": lambda case: _units(case, "dead"),
    "vanishing": _vanishing,
    "slow": _slow,
    "oscillating": _oscillating,
    "overfitting": _overfitting,
}
"""Reason to its sentence, after those of the outcome."""


def round_count(number: float) -> str:
    """As in "about 3 million"."""
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if number >= size:
            return f"about {number / size:,.3g} {word}"
    return f"about {float(f'{number:.2g}'):,.0f}"


def dead_units(run: RunData, units: list[Unit]) -> str:
    """As in "h2 is dead from epoch 12 on: it is off on every example and its gradient is exactly 0"."""
    if len(units) > MOST_NAMED:
        since = run.epochs[np.sort(diagnosis.dead_frames(run.task, units, run.parameters))[(len(units) - 1) // 2]]
        when = "from the start" if since == 0 else f"by epoch {since:,}"
        where = f"{off(run, units)} on every example, so that their gradient is exactly 0"
        return f"{len(units)} units are dead, half of them {when}: {where}"
    found = sorted(dead_since(run.task, units, run.epochs, run.parameters).items(), key=lambda item: item[1])
    parts = [f"{unit_names(run, those)} {are_dead(those, *since)}" for since, those in found]
    it, its = ("it is", "its") if len(units) == 1 else ("they are", "their")
    return f"{conjoined(parts)}: {it} {off(run, units)} on every example and {its} gradient is exactly 0"


def are_dead(units: list[Unit], epoch: int, is_exact: bool) -> str:
    """As in "is dead from epoch 12 on"."""
    when = f"epoch {epoch:,} {'on' if is_exact else 'at the latest'}" if epoch else "the start"
    return f"{'is' if len(units) == 1 else 'are'} dead from {when}"


def off(run: RunData, units: list[Unit]) -> str:
    """Where dead units are on every example; some rectifiers have an upper limit too, beyond which they are flat."""
    return "off or at the limit" if any(run.network.layers[k].row.range[1] < np.inf for k, _ in units) else "off"


def tie_sentence(run: RunData, found: Findings) -> str:
    """As in "Only one corner is separated: (0, 1), (1, 0) and (1, 1) are tied at 2/3."."""
    if not (ties := [tie for tie in found.tied if FEW * len(tie.examples) >= len(run.x)]):
        return ""
    states = [f"are tied at {_mean_target(tie)}" if tie.holds else "get the same output" for tie in ties]
    text = conjoined([f"{_examples(run, tie)} {state}" for tie, state in zip(ties, states, strict=True)])
    is_square = run.x.shape == np.unique(run.x, axis=0).shape == (4, 2) and all(len(set(xs)) == 2 for xs in run.x.T)
    others = np.delete(run.right, ties[0].examples)
    if is_square and len(ties) == 1 and ties[0].holds and others.all():
        names = {4: "No corner is separated", 3: "Only one corner is separated", 2: "Half solved"}
        return f"{names[len(ties[0].examples)]}: {text}."
    return capitalized(f"{text}.")


def _examples(run: RunData, tie: Tie) -> str:
    if (count := len(tie.examples)) == len(run.x):
        return {2: "both", 4: "all four"}.get(count, f"all {count}") + " examples"
    return _points(run, tie.examples) or f"{count} examples"


def _points(run: RunData, examples: Sequence[int]) -> str:
    """As in "(0, 1) and (1, 0)"; empty for many, or in many dimensions."""
    if run.network.inputs > 4 or len(points := dict.fromkeys(map(tuple, run.x[list(examples)].tolist()))) > MOST_NAMED:
        return ""
    return conjoined([f"({', '.join(f'{value:g}' for value in point)})" for point in points])


def _mean_target(tie: Tie) -> str:
    """The mean target of tied examples, as a fraction of their number if it is one."""
    shares = [(value, Fraction(value).limit_denominator(len(tie.examples))) for value in tie.state]
    parts = [str(share) if np.isclose(value, float(share), 1e-6, 1e-9) else f"{value:.4g}" for value, share in shares]
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
