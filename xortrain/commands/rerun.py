"""``xortrain rerun``: train a run again from the settings and data of its record, into a new record or to compare."""

from xortrain.commands.arguments import answer, command_parser
from xortrain.commands.show import show
from xortrain.errors import UserError
from xortrain.records.naming import named
from xortrain.runner.train import train_again
from xortrain.runner.verify import verify
from xortrain.trained.sweep_data import SweepData, open_record
from xortrain.views.summary import run_ending


def rerun(arguments: list[str]) -> str:
    """xortrain rerun RUN [--check]: print its summary; with --check raise FailedError if a number differs."""
    p = command_parser("rerun")
    p.add_argument("run", metavar="RUN", help="a run; with --check also a whole sweep")
    p.add_argument("--check", action="store_true", help="write nothing; compare every recorded number bit for bit")
    a = p.parse_args(arguments)
    found = open_record(a.run, a.root)
    if a.check:
        problems = named(a.run, a.root).entry.problems
        if problems and isinstance(found, SweepData):
            raise UserError(problems[0])
        report = verify(found.populations())
        return answer(a, [{"run": a.run, "said": report}], [report])
    if isinstance(found, SweepData):
        raise UserError(f"{a.run}: a sweep of {len(found)} runs; name one of them, as in {a.run}#0")
    again = train_again(found, a.root, show=True)
    return show([str(again.folder), "--root", str(a.root), "--json"]) if a.json else run_ending(again, with_film=False)
