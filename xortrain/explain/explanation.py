"""An explanation of a step: the parts that are asked for, cut to a readable length, in one of three formats."""

import numpy as np

from xortrain.errors import UserError, counted, unknown
from xortrain.explain.backward import backward
from xortrain.explain.document import FIRST_CELLS, LAST_CELLS, MOST_CELLS, Equation, Section, Writer
from xortrain.explain.forward import Shown, forward
from xortrain.explain.latex import LatexWriter, MarkdownWriter
from xortrain.explain.step import Step
from xortrain.explain.text import TextWriter
from xortrain.explain.update import update

FORMATS: dict[str, type[Writer]] = {"text": TextWriter, "markdown": MarkdownWriter, "latex": LatexWriter}
SECTIONS = {"forward": forward, "backward": backward, "update": update}
LAYERS = 6  # how many are written out of a deeper network, half of them from each end
ROWS = 48  # how many are written out of all arrays of all examples
MOST_EXAMPLES = 4
MOST_DIGITS = 17


@np.errstate(all="ignore")
def explain(
    step: Step, format: str = "text", precision: int = 4, example: int | None = None, only: str | None = None,
    prefix: str = "",
) -> str:  # fmt: skip
    """One step of training as a worked example, in text, markdown or latex.

    ``precision`` is the number of digits after the point, ``example`` (from 0) the one example to write out, ``only``
    one of forward, backward and update. Raises UserError for an invalid argument, with ``prefix`` before its name.
    """
    refuse_options(step, format, precision, example, only, prefix)
    return FORMATS[format](precision).write(explanation(step, example, only))


def refuse_options(
    step: Step, format: str, precision: int, example: int | None, only: str | None, prefix: str = ""
) -> None:
    """Raise UserError for an argument of `explain` that is invalid."""
    if format not in FORMATS:
        raise unknown(f"{prefix}format", format, FORMATS)
    if only is not None and only not in SECTIONS:
        raise unknown(f"{prefix}only", only, SECTIONS, "part")
    if not 1 <= precision <= MOST_DIGITS:
        raise UserError(f"{prefix}precision={precision}: must be from 1 to {MOST_DIGITS} digits")
    if example is not None and not 0 <= example < len(step.x):
        raise UserError(f"{prefix}example={example}: this batch has examples 0 to {len(step.x) - 1}")


def explanation(step: Step, example: int | None = None, only: str | None = None) -> Section:
    """The content of an explanation."""
    shown = _shown(step, example)
    sections = [section(step, shown) for name, section in SECTIONS.items() if only in (None, name)]
    sentences = (_settings(step), _scaled(step), _warning(step), _letters(step), _left_out(step, shown, only))
    theta = step.network.split(step.before.theta)
    parameters = [Equation(name, value) for name, value in theta.items() if int(name[1:]) - 1 in shown.layers]
    return Section(f"One step of training: {step.network}", [*filter(None, sentences), *parameters, *sections])


def _shown(step: Step, example: int | None) -> Shown:
    """Which layers and examples are written out."""
    layers = list(range(len(step.network.layers)))
    layers = layers if len(layers) <= LAYERS else [*layers[: LAYERS // 2], *layers[-LAYERS // 2 :]]
    if example is not None:
        return Shown([example], layers)
    rows = sum(min(step.network.layers[k].units, MOST_CELLS) + 2 for k in layers)
    return Shown(list(range(min(len(step.x), MOST_EXAMPLES, max(1, ROWS // rows)))), layers)


def _settings(step: Step) -> str:
    criterion, n = step.task.criterion, len(step.x)
    batch = f"{'all ' * (n > 1) if step.updates == 1 else 'the first batch, of '}{counted(n, 'example')}"
    by_output = criterion.reduction == "mean" and criterion.row.per == "element" and step.network.outputs > 1
    return (
        f"Epoch {step.epoch}, {batch}. Output: {criterion.output}. Loss: {criterion.loss}, {criterion.reduction} over "
        f"the examples{' and outputs' * by_output}. Optimizer: {step.task.optimizer.name}."
    )


def _scaled(step: Step) -> str:
    """A sentence if the data are scaled."""
    if step.task.scaling.inputs.fitted is None:
        return ""
    if step.task.scaling.targets.fitted is None:
        return "The inputs are scaled, as `data.scale` says: `x` is what the network receives."
    return "The data are scaled, as `data.scale` says: `x` and `t` are what the network and the loss receive."


def _warning(step: Step) -> str:
    """A sentence if numbers overflow."""
    if step.is_finite:
        return ""
    if step.lost_at is None:
        return "The run diverges here: not every number of this step is finite."
    return (
        f"The run has diverged: from epoch {step.lost_at} on not every parameter is finite; the step from epoch "
        f"{step.lost_at - 1} is the last that starts with finite parameters."
    )


def _letters(step: Step) -> str:
    text = (
        "`z1` is the pre-activation of layer 1, `a1` its activation, `y` the output, `t` the target, `ℓ` the loss of "
        "one example, `L` that of all; `δ1` is `dℓ/dz1`, and `J1` is `da1/dz1`. `·` and `/` are element-wise, `⊗` is "
        "the Kronecker product, `ᵀ` turns a row into a column. `≈` marks central differences."
    )
    if step.network.skip:
        k = len(step.network.layers)
        text += f" `W{k}a` are the columns of `W{k}` for `a{k - 1}`, `W{k}x` those for `x`, "
        text += f"which layer {k} also receives."
    return text


def _left_out(step: Step, shown: Shown, only: str | None) -> str:
    """What is not shown."""
    depth, n = len(step.network.layers), len(step.x)
    parts = []
    if len(shown.layers) < depth:
        parts.append(f"Layers {LAYERS // 2 + 1} to {depth - LAYERS // 2} of {depth} are not written out.")
    if len(shown.examples) < n and only != "update":  # which is of all examples
        which = ", ".join(str(example) for example in shown.examples)
        parts.append(f"Of {n} examples only {which} {'is' if len(shown.examples) == 1 else 'are'} written out.")
    if max(max(shape) for shape in (*step.network.shapes.values(), step.x.shape, step.t.shape)) > MOST_CELLS:
        parts.append(
            f"Of arrays with more than {MOST_CELLS} rows or columns, the first {FIRST_CELLS} and the last {LAST_CELLS} "
            "are shown, with … between them."
        )
    return " ".join(parts)
