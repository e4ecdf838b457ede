"""``xortrain rerun``, ``resume`` and ``continue``: train runs again, train what a sweep lacks, continue training.

`rerun` uses the settings and data of the record; it writes a new record, or compares every number.
"""

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from xortrain.commands.arguments import Parser, answer, answers, command_parser, positive_int, whole_number
from xortrain.commands.show import show
from xortrain.errors import UserError, counted
from xortrain.page.recorded import record_page
from xortrain.records.naming import named
from xortrain.runner.continuation import continue_run, continue_sweep
from xortrain.runner.engines import ENGINES, Engine
from xortrain.runner.sweep import resume_sweep
from xortrain.runner.train import train_again
from xortrain.runner.verify import verify
from xortrain.trained.sweep_data import SweepData, open_record, open_run
from xortrain.views.summary import advice_ending, run_ending, sweep_ending


def rerun(arguments: list[str]) -> Iterator[str]:
    """xortrain rerun RUN [--check]: its summary and advice; with --check raise FailedError if a number differs."""
    p = command_parser("rerun")
    p.add_argument("run", metavar="RUN", help="a run; with --check also a whole sweep")
    p.add_argument("--check", action="store_true", help="write nothing; compare every recorded number bit for bit")
    a = p.parse_args(arguments)
    if a.check:
        report = verify(open_record(a.run, a.root, whole=True).populations())
        return iter([answer(a, [{"run": a.run, "said": report}], [report])])
    again = train_again(open_run(a.run, a.root), a.root)
    texts = chain(run_ending(again, with_film=False), advice_ending(again))
    return answers(a, texts, _shown(a, again.folder))


def resume(arguments: list[str]) -> Iterator[str]:
    """xortrain resume SWEEP: train, and print what a run or a sweep prints at its end."""
    p = command_parser("resume")
    p.add_argument("sweep", metavar="SWEEP", help="a sweep, or a single run that was stopped")
    add_engine(p)
    a = p.parse_args(arguments)
    found = named(a.sweep, a.root)
    if found.number is not None:
        raise UserError(f"{a.sweep}: one run; resume takes the whole sweep, {found.entry.id}")
    trained, folder = resume_sweep(found.entry, engine_of(a)), found.entry.folder
    others = ", the others stay as they were" if trained < found.entry.runs else ""
    first = f"{counted(trained, 'run')} trained{others}" if trained else "Nothing is missing."
    ending = sweep_ending(folder, is_new=trained > 0, more=record_page(folder) if trained else ())
    advice = advice_ending(SweepData[Any].open(folder)[0]) if trained and not found.entry.is_sweep else ()
    item = {"id": found.entry.id, "trained": trained}
    return answers(a, chain([f"{first}\n"], ending, advice), item)


def continue_training(arguments: list[str]) -> Iterator[str]:
    """xortrain continue RECORD[#RUN] epochs=+500 [override …] [--epoch N]: train on, and print what training prints."""
    p = command_parser("continue")
    p.add_argument("record", metavar="RECORD", help="a run, a sweep, or one run of a sweep: SWEEP#17")
    p.add_argument("override", nargs="*", default=(), help="epochs=+500 for 500 more, lr=0.1, optimizer=adam, …")
    p.add_argument("--epoch", type=whole_number, help="the recorded epoch from which to go on (default: the last one)")
    add_engine(p)
    a = p.parse_intermixed_args(arguments)
    found = open_record(a.record, a.root, whole=True)
    if isinstance(found, SweepData):
        folder, remarks = continue_sweep(named(a.record, a.root).entry, a.override, a.epoch, engine_of(a), a.root, True)
        ending: Iterable[str] = sweep_ending(folder, more=record_page(folder))
    else:
        run, remarks = continue_run(found, a.override, a.epoch, a.root, show=True)
        folder, ending = run.folder or Path(), chain(run_ending(run), advice_ending(run), record_page(run.folder))
    return answers(a, chain([*remarks, ""], ending), _shown(a, folder))


def _shown(a: Namespace, folder: Path | None) -> Callable[[], str]:
    """What `show --json` prints of a record."""
    return lambda: show([str(folder), "--root", str(a.root), "--json"])


def add_engine(p: Parser) -> None:
    """The options that say where runs are trained."""
    p.add_argument("--engine", choices=ENGINES, default="inline", help="as hydra.launcher.engine")
    p.add_argument("--workers", type=positive_int, help="as hydra.launcher.workers")
    p.add_argument("--address", help="as hydra.launcher.address")


def engine_of(a: Namespace) -> Engine:
    """Where these options say that runs are trained."""
    return Engine(a.engine, a.workers, a.address)
