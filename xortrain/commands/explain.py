"""`xortrain explain` and `xortrain check`: one step of a net with every number, and its gradient against differences.

The net is the one of a configuration, or that of a record.
"""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from xortrain.commands.arguments import NAMES, ROOT, Parser
from xortrain.errors import FailedError, UserError
from xortrain.records.tables import as_json
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.task import Task

AFTER = 100  # epochs of training after which a gradient is checked too
WHAT = "overrides as for a run (experiment=notebook_001), or a run that was kept (latest, latest#17, a folder)"


def explain_step(arguments: Sequence[str]) -> str:
    """xortrain explain [override … | RECORD[#RUN]] [--epoch N] …: one training step as a worked example."""
    from xortrain.explain.page import explain
    from xortrain.explain.step import step_at

    parser = _parser("explain", "One training step with every number beside its formula.")
    parser.add_argument("--epoch", type=int, default=0, help="the step after so many epochs (now %(default)s)")
    parser.add_argument("--example", type=int, help="write out this example alone, counted from 0")
    parser.add_argument("--only", help="forward, backward or update")
    parser.add_argument("--format", default="text", help="text, markdown or latex (now %(default)s)")
    parser.add_argument("--precision", type=int, default=4, help="digits after the point (now %(default)s)")
    asked = parser.parse_intermixed_args(arguments)
    step = step_at(_task(asked), asked.epoch)
    return explain(step, asked.format, asked.precision, asked.example, asked.only)


def check_gradient(arguments: Sequence[str]) -> str:
    """xortrain check [override … | RECORD[#RUN]] [--epoch N]: the gradient against central differences."""
    from xortrain.explain.gradients import check_network

    parser = _parser("check", "The gradient of every parameter against central differences.")
    parser.add_argument("--json", action="store_true", help="every number as one JSON array")
    parser.add_argument("--epoch", type=int, help=f"after so many epochs (now at the start and after {AFTER})")
    asked = parser.parse_intermixed_args(arguments)
    task = _task(asked)
    epochs = [asked.epoch] if asked.epoch is not None else sorted({0, min(AFTER, task.epochs)})
    checks, notes = [check_network(task, epochs[0])], dict[int, str]()
    try:
        checks += [check_network(task, epoch) for epoch in epochs[1:]]
    except UserError as error:  # it has diverged by then
        notes = {epochs[1]: f"not checked: {error}"}
    rows = [{"epoch": at, **asdict(row)} for at, check in zip(epochs, checks, strict=False) for row in check.rows]
    rows += [{"epoch": at, "verdict": note} for at, note in notes.items()]
    text = as_json(rows) if asked.json else "\n\n".join([*map(str, checks), *notes.values()])
    if not all(check.passed for check in checks):
        raise FailedError("the gradient is not the derivative of the loss", text)
    return text


def _parser(command: str, says: str) -> Parser:
    parser = Parser(f"xortrain {command}", description=says, epilog=NAMES)
    parser.add_argument("what", nargs="*", help=WHAT)
    parser.add_argument("--root", type=Path, default=Path(ROOT), help="folder of the records (now %(default)s)")
    return parser


def _task(asked: Namespace) -> Task:
    """What is trained by these overrides, or was in this record."""
    from xortrain.config.compose import compose
    from xortrain.runs.sweep_data import open_record
    from xortrain.runs.trained import RunData

    words = asked.what
    if not words or "=" in words[0].partition("/")[0]:
        return Setup.of(Population(compose(words))).task()
    found = open_record(words[0], asked.root)
    if len(words) > 1 or not isinstance(found, RunData):
        raise UserError(
            f"{' '.join(words)}: must be one run, as in {words[0]}#0"
            if len(words) == 1
            else f"{' '.join(words)}: must be overrides, or one record"
        )
    return found.task
