"""`xortrain explain` and `xortrain check`: one training step with every number, and its gradient against differences.

The network comes from overrides, as for a run, or from a record.
"""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict

from xortrain.commands.arguments import answer, command_parser, whole_number
from xortrain.errors import FailedError, UserError
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup

AFTER = 100  # epochs of training after which a gradient is checked again
WHAT = "overrides as for a run (experiment=notebook_001), or a recorded run (latest, latest#17, a folder)"


def explain_step(arguments: Sequence[str]) -> str:
    """xortrain explain [override … | RECORD[#RUN]] [--epoch N] …: one training step as a worked example."""
    from xortrain.explain.explanation import explain
    from xortrain.explain.step import step_at

    p = command_parser("explain", has_json=False, root_must_exist=False)
    p.add_argument("what", nargs="*", help=WHAT)
    p.add_argument("--epoch", type=whole_number, default=0, help="the step after this epoch (default: %(default)s)")
    p.add_argument("--example", type=whole_number, help="write out only this example, counted from 0")
    p.add_argument("--only", help="forward, backward or update")
    p.add_argument("--format", default="text", help="text, markdown or latex (default: %(default)s)")
    p.add_argument("--precision", type=whole_number, default=4, help="digits after the point (default: %(default)s)")
    asked = p.parse_intermixed_args(arguments)
    step = step_at(_setup(asked).task(), asked.epoch, prefix="--")
    return explain(step, asked.format, asked.precision, asked.example, asked.only, prefix="--")


def check_gradient(arguments: Sequence[str]) -> str:
    """xortrain check [override … | RECORD[#RUN]] [--epoch N]: the gradient against central differences."""
    from xortrain.explain.gradients import check_network
    from xortrain.explain.step import step_at

    p = command_parser("check", root_must_exist=False)
    p.add_argument("what", nargs="*", help=WHAT)
    p.add_argument("--epoch", type=whole_number, help=f"the epoch to check after (default: 0 and {AFTER})")
    asked = p.parse_intermixed_args(arguments)
    task = _setup(asked).task()
    epochs = [asked.epoch] if asked.epoch is not None else sorted({0, min(AFTER, task.epochs)})
    checks, notes = [check_network(step_at(task, epochs[0], prefix="--"))], dict[int, str]()
    try:
        checks += [check_network(step_at(task, epoch)) for epoch in epochs[1:]]
    except UserError as error:  # diverged
        notes = {epochs[1]: f"not checked: {error}"}
    rows = [{"epoch": at, **asdict(row)} for at, check in zip(epochs, checks, strict=False) for row in check.rows]
    rows += [{"epoch": at, "verdict": note} for at, note in notes.items()]
    text = answer(asked, rows, ["\n\n".join([*map(str, checks), *notes.values()])])
    if not all(check.passed for check in checks):
        is_wrong = any(check.count("wrong") for check in checks)
        raise FailedError("the gradient is not the derivative of the loss" if is_wrong else "not all is judged", text)
    return text


def _setup(asked: Namespace) -> Setup:
    """The setup that overrides describe, or that of a recorded run."""
    from xortrain.config.compose import compose
    from xortrain.config.overrides import refuse_blanks
    from xortrain.trained.sweep_data import open_run

    words = asked.what
    refuse_blanks(words)
    if not words or "=" in words[0].partition("/")[0]:
        return Setup.of(Population(compose(words)))
    found = open_run(words[0], asked.root)
    if len(words) > 1:
        raise UserError(f"{' '.join(words)}: must be overrides, or one record")
    return found.setup.part(slice(found.place, found.place + 1))
