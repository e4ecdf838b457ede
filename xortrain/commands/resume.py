"""``xortrain resume``: train the missing blocks of a sweep that was stopped, killed or failed, and nothing else."""

from xortrain.commands.arguments import answer, command_parser, positive_int
from xortrain.errors import UserError
from xortrain.records.naming import named
from xortrain.runner.engines import ENGINES, Engine
from xortrain.runner.sweep import resume_sweep
from xortrain.views.summary import counted, sweep_ending


def resume(arguments: list[str]) -> str:
    """xortrain resume SWEEP: train, and print what a sweep prints at its end."""
    p = command_parser("resume")
    p.add_argument("sweep", metavar="SWEEP", help="a sweep, or a single run that was stopped")
    p.add_argument("--engine", choices=ENGINES, default="inline", help="as hydra.launcher.engine")
    p.add_argument("--workers", type=positive_int, help="as hydra.launcher.workers")
    p.add_argument("--address", help="as hydra.launcher.address")
    a = p.parse_args(arguments)
    found = named(a.sweep, a.root)
    if found.number is not None:
        raise UserError(f"{a.sweep}: one run; resume takes the whole sweep, {a.sweep.rpartition('#')[0]}")
    trained = resume_sweep(found.entry, Engine(a.engine, a.workers, a.address), show=True)
    others = ", the others stay as they were" if trained < found.entry.runs else ""
    first = f"{counted(trained, 'run')} trained{others}" if trained else "Nothing is missing."
    lines = [] if a.json else [first, "", sweep_ending(found.entry.folder, is_new=trained > 0)]
    return answer(a, [{"id": found.entry.id, "trained": trained}], lines)
