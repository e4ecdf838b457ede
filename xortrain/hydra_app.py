"""Everything that is not a command: overrides for one run, -m for a sweep, and Hydra's own flags (--cfg, --info, …).

Overrides alone are composed once.  Hydra's main, which composes twice and searches for plugins, gets only flags and
other sweepers.  Both ways train a single run through `run_one`.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

from xortrain.errors import FailedError, UserError
from xortrain.runner.interrupts import interrupts_first

if TYPE_CHECKING:
    from xortrain.runner.plan import Plan

Say = Callable[[str], object]


def run_overrides(words: Sequence[str], say: Say, note: Say) -> None:
    """Run what the overrides ask for; ``say`` prints results, ``note`` prints remarks to standard error."""
    overrides = [word for word in words if word not in ("-m", "--multirun")]
    is_sweep, has_flags = len(overrides) < len(words), any(word.startswith("-") for word in overrides)
    if is_sweep and not has_flags:
        with interrupts_first():
            from xortrain.hydra_sweeps.jobs import plan_overrides

            plan = plan_overrides(overrides)
        if plan:
            run_plan(plan, say)
            return
    elif not has_flags and not any("hydra" in word for word in words):
        with interrupts_first():
            from xortrain.config.compose import composed

            found = composed(words)
        run_one(found, found.hydra, say, note)
        return
    _run_hydra(words, say, note)


def run_one(composed: Any, hydra: Any, say: Say, note: Say) -> float | None:
    """Train one run from its composed configuration; inside a sweep, return its objective for a searching sweeper.

    ``hydra`` is Hydra's part of the configuration of a single run, None inside a sweep.
    """
    from xortrain.config.check import check
    from xortrain.config.compose import ignored_sweep, plain
    from xortrain.runner.train import record_run
    from xortrain.views.summary import advice_ending, run_ending

    config = check(plain(composed))
    if hydra is not None and (line := ignored_sweep(hydra)):
        note(line)
    if config["dry_run"]:
        from xortrain.runner.plan import estimate_run

        say(estimate_run(config))
        return None
    run = record_run(config, show=True, say=say)
    say(run_ending(run))
    if hydra is None:
        return run.objective
    for text in advice_ending(run):
        say(text)
    return None


def run_plan(plan: "Plan", say: Say, failures: list[Exception] | None = None) -> Path | None:
    """Train all jobs of a plan; returns their folder, or None after a dry run.

    Failed jobs raise FailedError, or are added to ``failures``.
    """
    if plan.is_dry:
        from xortrain.runner.plan import estimate

        say(estimate(plan))
        return None
    from xortrain.runner.sweep import run_sweep
    from xortrain.views.summary import sweep_ending

    for line in plan.understood:
        say(line)
    folder = run_sweep(plan, show=True)
    try:
        say(sweep_ending(folder))
    except FailedError as error:
        if failures is None:
            raise
        failures.append(error)
    return folder


def _run_hydra(words: Sequence[str], say: Say, note: Say) -> None:
    """Run Hydra's main on flags and overrides."""
    import hydra

    from xortrain.config.compose import extend_hydra, user_error
    from xortrain.config.overrides import prepare
    from xortrain.config.settings import conf_folder
    from xortrain.hydra_sweeps.axes import with_held_keys
    from xortrain.hydra_sweeps.plugins import register
    from xortrain.hydra_sweeps.private import config_flags, split_flags

    flags, overrides = split_flags(words)
    is_sweep = bool({"-m", "--multirun"} & set(flags))
    prepared = prepare(overrides, many=is_sweep)
    prepared = with_held_keys(prepared) if is_sweep else prepared
    register()
    extend_hydra()
    task = _Task(say, note)
    calls: list[tuple[list[str], Callable[[Any], object]]] = [(flags, task)]
    if (own := config_flags(flags)) is not None:
        calls.insert(0, (own, task.check))
    for words, function in calls:
        with _as_command_line([*words, *prepared]):
            try:
                hydra.main(str(conf_folder()), "config", version_base="1.3")(function)()
            except Exception as error:
                task.failures.append(user_error(error, prepared))
        if task.failures:
            raise task.failures[0]
    if task.folder and (study := _study(task.folder)):
        say(study)


class _Task:
    """The task function of Hydra: called for one job, or through `sweep` for all jobs of a sweep together."""

    def __init__(self, say: Say, note: Say) -> None:
        self.say, self.note = say, note
        self.failures: list[Exception] = []
        self.folder: Path | None = None  # where Hydra's sweeper writes

    def __call__(self, composed: Any) -> float | None:
        from hydra.core.hydra_config import HydraConfig
        from hydra.types import RunMode

        from xortrain.config.compose import with_experiment

        hydra = HydraConfig.get()
        self.folder = Path(hydra.sweep.dir)
        try:
            return run_one(
                with_experiment(composed, hydra), hydra if hydra.mode is RunMode.RUN else None, self.say, self.note
            )
        except Exception as error:  # Hydra would print its own message for an error that escapes here
            self.failures.append(error)
            return None

    def check(self, composed: Any) -> None:
        """Check the configuration and run nothing, since Hydra shows wrong ones too."""
        from xortrain.config.check import check
        from xortrain.config.compose import plain

        try:
            check(plain(composed))
        except UserError as error:
            self.failures.append(error)

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
