"""An explanation put together: what is said of a step, cut to what is asked for and to a readable length."""

import numpy as np

from xortrain.errors import UserError, unknown
from xortrain.explain import markup, text
from xortrain.explain.backward import backward
from xortrain.explain.document import FIRST_CELLS, LAST_CELLS, MOST_CELLS, Block, Equation, Section, Sentences
from xortrain.explain.forward import Shown, forward
from xortrain.explain.proof import Proof
from xortrain.explain.step import Step
from xortrain.explain.update import update

FORMATS = {"text": text.write, "markdown": markup.write_markdown, "latex": markup.write_latex}
PARTS = ("forward", "backward", "update")
LAYERS = 6  # that are written out of a deeper network: half of them from each end
ROWS = 48  # of the arrays of all examples that are written out
MOST_EXAMPLES = 4
MOST_DIGITS = 17


@np.errstate(all="ignore")
def explain(
    step: Step, format: str = "text", precision: int = 4, example: int | None = None, only: str | None = None
) -> str:
    """One step of training as a worked example.

    ``precision`` digits stand after the point; ``example`` (from 0) is the one example to write out, ``only`` one
    of forward, backward and update.
    """
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    if only is not None and only not in PARTS:
        raise unknown("only", only, PARTS, "part")
    if not 1 <= precision <= MOST_DIGITS:
        raise UserError(f"precision={precision}: must be from 1 to {MOST_DIGITS} digits")
    if example is not None and not 0 <= example < len(step.x):
        raise UserError(f"example={example}: this batch has examples 0 to {len(step.x) - 1}")
    return FORMATS[format](page(step, example, only), precision)


def page(step: Step, example: int | None = None, only: str | None = None) -> Section:
    """The explanation before it is laid out."""
    shown = _shown(step, example)
    parts: list[Block] = []
    if only in (None, "forward"):
        parts.append(forward(step, shown))
    if only in (None, "backward"):
        parts.append(backward(step, shown, Proof(step)))
    if only in (None, "update"):
        parts.append(update(step, shown))
    return Section(f"One step of training: {step.network}", [*_opening(step, shown), *parts])


def _shown(step: Step, example: int | None) -> Shown:
    """Which layers and examples are written out."""
    depth = len(step.network.layers)
    layers = list(range(depth))
    if depth > LAYERS:
        layers = [*layers[: LAYERS // 2], *layers[-LAYERS // 2 :]]
    if example is not None:
        return Shown([example], layers)
    rows = sum(min(step.network.layers[k].units, MOST_CELLS) + 2 for k in layers)
    return Shown(list(range(min(len(step.x), MOST_EXAMPLES, max(1, ROWS // rows)))), layers)


def _opening(step: Step, shown: Shown) -> list[Block]:
    theta = step.network.split(step.before.theta)
    parameters = [Equation(name, value) for name, value in theta.items() if int(name[1:]) - 1 in shown.layers]
    return [Sentences(_what(step)), *_warning(step), Sentences(_letters(step)), *_left_out(step, shown), *parameters]


def _warning(step: Step) -> list[Block]:
    """A word where numbers overflow."""
    if step.is_finite:
        return []
    if step.lost_at is None:
        return [Sentences("The run diverges here: not every number of this step is finite.")]
    last = f"the step from epoch {step.lost_at - 1} is the last with numbers"
    return [Sentences(f"The run has diverged: since epoch {step.lost_at} not every parameter is finite; {last}.")]


def _what(step: Step) -> str:
    criterion, n = step.criterion, len(step.x)
    batch = f"all {n} examples" if step.updates == 1 else f"the first batch, of {n} examples"
    reduction = "mean" if criterion.reduction == "mean" else "sum"
    return (
        f"Epoch {step.epoch}, {batch}. Output: {criterion.output}. Loss: {criterion.loss}, {reduction} over the "
        f"examples. Optimizer: {step.task.optimizer.name}."
    )


def _letters(step: Step) -> str:
    text = (
        "`z1` is what layer 1 receives, `a1` what it passes on, `y` the output, `t` the target, `ℓ` the loss of one "
        "example, `L` that of all; `δ1` is `dℓ/dz1`, and `J1` is `da1/dz1`. `·` and `/` go element by element, `⊗` is "
        "the Kronecker product, `ᵀ` turns a row into a column. `≈` marks central differences."
    )
    if step.network.skip:
        k = len(step.network.layers)
        text += f" `W{k}a` are the columns of `W{k}` for `a{k - 1}`, `W{k}x` those for `x`, which layer {k} sees too."
    return text


def _left_out(step: Step, shown: Shown) -> list[Block]:
    """What is not shown."""
    depth, n = len(step.network.layers), len(step.x)
    parts = []
    if len(shown.layers) < depth:
        parts.append(f"Layers {LAYERS // 2 + 1} to {depth - LAYERS // 2} of {depth} are not written out.")
    if len(shown.examples) < n:
        which = ", ".join(str(example) for example in shown.examples)
        parts.append(f"Of {n} examples only {which} {'is' if len(shown.examples) == 1 else 'are'} written out.")
    if max(max(shape) for shape in (*step.network.shapes.values(), step.x.shape, step.t.shape)) > MOST_CELLS:
        parts.append(
            f"Of arrays with more than {MOST_CELLS} rows or columns the first {FIRST_CELLS} and the last {LAST_CELLS} are shown, with … "
            "for those between."
        )
    return [Sentences(" ".join(parts))] if parts else []
