"""Everything that is not a command: overrides for one run, -m for a sweep, and Hydra's flags (--cfg, --info, …).

One run and a sweep are composed once, without Hydra's main, which composes twice and searches for plug-ins.  It gets
only other sweepers and launchers, and the flags that show something.
"""

import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

from xortrain.errors import FailedError, UserError
from xortrain.runner.interrupts import interrupts_first

if TYPE_CHECKING:
    from xortrain.config.check import Config
    from xortrain.runner.plan import Plan

Say = Callable[[str], object]
SWEEP = ("-m", "--multirun")
FLAGS = ("overrides", "multirun", "run", "cfg", "resolve", "package", "info", "hydra_help", "help", "config_dir")
"""The flags of Hydra in use; the others run what a file names, or hide conf/."""


@dataclass(frozen=True)
class Asked:
    """A command line: overrides, and whether they are for a sweep; ``shows`` are flags that show something instead."""

    overrides: list[str]
    is_sweep: bool
    config_dir: str | None = None
    shows: tuple[str, ...] = ()

    @classmethod
    def of(cls, words: Sequence[str]) -> "Asked":
        others = [word for word in words if word not in SWEEP]
        is_sweep = len(others) < len(words)
        if not any(word.startswith("-") for word in others):
            return cls(others, is_sweep)
        from xortrain.config.private import parsed_flags

        parsed = vars(parsed_flags(words))
        for name, value in parsed.items():
            if value and name not in FLAGS:
                own = ", ".join(f"--{known.replace('_', '-')}" for known in FLAGS[1:])
                raise UserError(f"--{name.replace('_', '-')}={value}: is not supported. Known: {own}")
        modes = [name for name in ("run", "multirun", "info", "cfg", "hydra_help") if parsed[name]]
        if len(modes) > 1:
            raise UserError(f"--{modes[0]} and --{modes[1]} exclude each other; see --help")
        for name in ("resolve", "package"):
            if parsed[name] and not parsed["cfg"]:
                raise UserError(f"--{name} requires --cfg; see --help")
        values = {name: parsed[name] for name in ("cfg", "package", "info")}
        shows = [f"--{name}={value}" for name, value in values.items() if value]
        shows += [f"--{name.replace('_', '-')}" for name in ("resolve", "hydra_help") if parsed[name]]
        return cls(parsed["overrides"], is_sweep, parsed["config_dir"], tuple(shows))


def run_overrides(words: Sequence[str], say: Say, note: Say) -> None:
    """Run what the overrides ask for; ``say`` prints results, ``note`` prints remarks to standard error."""
    asked = Asked.of(words)
    if asked.shows:
        say(_shown(asked))
    elif asked.is_sweep:
        with interrupts_first(), _strictly():
            from xortrain.hydra_sweeps.jobs import plan_overrides

            plan = plan_overrides(asked.overrides, asked.config_dir)
        if plan:
            run_plan(plan, say)
        else:
            _run_plugins(asked, say, note)
    else:
        with interrupts_first(), _strictly():
            from xortrain.config.compose import composed

            found, remark = composed(asked.overrides, asked.config_dir)
        run_one(found, say, note, remark)


@contextmanager
def _strictly() -> Iterator[None]:
    """Warnings about overrides are errors in this context; those of plug-ins stay warnings."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=UserWarning, module=r"(hydra[.]_internal|omegaconf)\b")
        yield


def run_one(found: "Config", say: Say, note: Say, remark: str | None = None) -> float:
    """Train one run from its composed configuration; returns its objective, for a searching sweeper.

    ``remark`` is what is said about a run that is not a job of a sweep, empty if nothing is.
    """
    from xortrain.config.check import check
    from xortrain.config.weight_files import errors_name_file
    from xortrain.runner.train import record_run
    from xortrain.views.summary import advice_ending, run_ending

    config = check(found)
    if remark:
        note(remark)
    if config["dry_run"]:
        from xortrain.runner.plan import estimate_run

        say(estimate_run(config))
        return 0.0
    with errors_name_file(found["init"]["weights"]) if config["init"]["name"] == "explicit" else nullcontext():
        run = record_run(config, say=say)
    for text in chain(run_ending(run), () if remark is None else advice_ending(run)):
        say(text)
    if config["page"]:
        from xortrain.page.recorded import record_page

        for line in record_page(run.folder):
            say(line)
    return run.objective


def run_plan(plan: "Plan", say: Say, failures: list[Exception] | None = None) -> Path | None:
    """Train all jobs of a plan; returns their folder, or None after a dry run.

    Failed jobs raise FailedError, or are added to ``failures``.
    """
    if plan.is_dry:
        from xortrain.runner.plan import estimate

        say(estimate(plan))
        return None
    from xortrain.page.recorded import record_page
    from xortrain.runner.sweep import run_sweep
    from xortrain.views.summary import sweep_ending

    for line in plan.understood:
        say(line)
    folder = run_sweep(plan, show=True)
    try:
        for text in sweep_ending(folder, more=record_page(folder)):
            say(text)
    except FailedError as error:
        if failures is None:
            raise
        failures.append(error)
    return folder


def _shown(asked: Asked) -> str:
    """What Hydra's main shows about a configuration, which is checked first."""
    from xortrain.config.check import check
    from xortrain.config.compose import composed

    with _strictly():
        check(composed(asked.overrides, asked.config_dir)[0])
    text = io.StringIO()
    with redirect_stdout(text), suppress(SystemExit):
        _hydra_main(asked, lambda _: None)
    return text.getvalue().rstrip("\n")


def _run_plugins(asked: Asked, say: Say, note: Say) -> None:
    """Run a sweep by another sweeper or launcher, through Hydra's main."""
    task = _Task(say, note)
    _hydra_main(asked, task)
    if task.failures:
        raise task.failures[0]
    if task.folder and (study := _study(task.folder)):
        say(study)


def _hydra_main(asked: Asked, function: Callable[[Any], object]) -> None:
    """Run Hydra's main with a task function, if its configuration runs nothing but installed plug-ins."""
    import hydra
    from hydra.types import RunMode

    from xortrain.config.compose import user_errors
    from xortrain.config.guard import refuse_foreign_code
    from xortrain.config.hydra_state import hydra_apart, hydra_started, own_folder
    from xortrain.config.overrides import prepare
    from xortrain.config.private import help_unchecked
    from xortrain.config.settings import conf_folder
    from xortrain.hydra_sweeps.axes import with_held_keys
    from xortrain.hydra_sweeps.plugins import register

    overrides = [] if "--hydra-help" in asked.shows else asked.overrides  # which it would not understand
    prepared = prepare(overrides, many=asked.is_sweep)
    prepared = with_held_keys(prepared) if asked.is_sweep else prepared
    mode = RunMode.MULTIRUN if asked.is_sweep else RunMode.RUN
    register()
    with user_errors(prepared):
        with hydra_started() as loader, _strictly():
            found = loader.load_configuration("config", [*prepared, *own_folder(asked.config_dir)], mode)
            refuse_foreign_code(found, loader, mode)
        words = [*asked.shows, *(["--multirun"] if asked.is_sweep else []), *own_folder(asked.config_dir), *prepared]
        with hydra_apart(), help_unchecked(), _as_command_line(words):
            hydra.main(str(conf_folder()), "config", version_base="1.3")(function)()


class _Task:
    """The task function of Hydra: called for one job, or through `sweep` for all jobs of a sweep together."""

    def __init__(self, say: Say, note: Say) -> None:
        self.say, self.note = say, note
        self.failures: list[Exception] = []
        self.folder: Path | None = None  # where Hydra's sweeper writes

    def __call__(self, composed: Any) -> float | None:
        from hydra.core.hydra_config import HydraConfig

        from xortrain.config.compose import plain, with_experiment

        hydra = HydraConfig.get()
        self.folder = Path(hydra.sweep.dir)
        try:
            return run_one(plain(with_experiment(composed, hydra)), self.say, self.note)
        except Exception as error:  # Hydra would print its own message for an error that escapes here
            self.failures.append(error)
            return None

    def sweep(self, plan: "Plan", folder: Path) -> Path | None:
        """Train all jobs of a plan; ``folder`` is where another sweeper writes its own results."""
        self.folder = folder
        return run_plan(plan, self.say, self.failures)


def _study(folder: Path) -> str:
    """The result of a searching sweeper, as text; empty for other sweepers."""
    found = folder / "optimization_results.yaml"
    if not found.is_file():
        return ""
    return f"\nstudy   {found}\n{indent(found.read_text(encoding='utf-8'), ' ' * 8)}".rstrip("\n")


@contextmanager
def _as_command_line(words: list[str]) -> Iterator[None]:
    """Set sys.argv for Hydra in this context, and make Hydra raise its errors instead of printing them."""
    argv, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = [argv[0], *words], "1"
    try:
        yield
    finally:
        sys.argv = argv
        if full is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full
