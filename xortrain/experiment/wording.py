"""Units, examples and ties as one would say them; the order and the sense of the sentences are `verdict`'s.

Units are h1, h2, in deeper nets h1,2 (layer, unit), as in the films.
"""

from fractions import Fraction
from typing import TYPE_CHECKING

from xortrain.training.findings import Findings, Tie, Unit, dead_since

if TYPE_CHECKING:
    from xortrain.experiment.trained import Run

MOST_NAMED = 6  # units or examples by name; of more, how many there are


def dead_units(run: "Run", units: list[Unit]) -> str:
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


def tied(run: "Run", found: Findings) -> str:
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


def _examples(run: "Run", tie: Tie) -> str:
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


def unit_name(run: "Run", unit: Unit) -> str:
    """h2, in deeper nets h1,2 (layer, unit), and the output."""
    layer, place = unit
    if layer == len(run.network.layers) - 1:
        return "the output" if run.network.outputs == 1 else f"output {place + 1}"
    return f"h{place + 1}" if len(run.network.layers) == 2 else f"h{layer + 1},{place + 1}"


def unit_names(run: "Run", units: list[Unit]) -> str:
    """h1, h2 and the output; of many how many there are."""
    return conjoined([unit_name(run, unit) for unit in units]) if len(units) <= MOST_NAMED else f"{len(units)} units"


def conjoined(parts: list[str]) -> str:
    """As in "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
