"""Everything that is not a command: overrides for one run, -m for a sweep, and Hydra's own flags (--cfg, --info, …).

One run, and a sweep by our sweeper, are composed once; Hydra's main, which composes twice and scans for plugins, gets
what has flags or names another sweeper.  Every single run goes through `run_one`.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

from xortrain.errors import FailedError
from xortrain.runner.interrupts import interrupts_first

if TYPE_CHECKING:
    from xortrain.runner.engines import Engine
    from xortrain.runner.plan import Plan

Say = Callable[[str], object]


def run_overrides(words: Sequence[str], say: Say, note: Say) -> None:
    """Run what the overrides ask for: ``say`` prints results, ``note`` a remark on standard error."""
    overrides = [word for word in words if word not in ("-m", "--multirun")]
    is_sweep, has_flags = len(overrides) < len(words), any(word.startswith("-") for word in overrides)
    if is_sweep and not has_flags:
        with interrupts_first():
            from xortrain.hydra_sweeps.planning import planned

            ours = planned(overrides)
        if ours:
            say(_sweep_text(train_sweep(*ours)))
            return
    elif not has_flags and not any("hydra" in word for word in words):
        with interrupts_first():
            from xortrain.config.compose import composed

            found = composed(words)
        say(run_one(found, found.hydra, note)[0])
        return
    _hydra_main(words, say, note)


def run_one(composed: Any, hydra: Any, note: Say) -> tuple[str, float | None]:
    """One run from its composed configuration: the text of its end, and its objective for a search.

    ``hydra`` is Hydra's part of the configuration of a single run, None inside a sweep.
    """
    from xortrain.config.check import check
    from xortrain.config.compose import ignored_sweep, plain
    from xortrain.runner.single import recorded
    from xortrain.training.outcome import objective
    from xortrain.views.summary import ending

    config = check(plain(composed))
    if hydra is not None and (line := ignored_sweep(hydra)):
        note(line)
    if config["dry_run"]:
        from xortrain.runner.plan import estimate_one

        return estimate_one(config), None
    trained = recorded(config, progress=True)
    film = None
    if config["film"]["name"] != "none":
        from xortrain.views.run_film import record_film

        film = record_film(trained, progress=True)
    row = trained.rows[0]
    return ending(trained, film), objective(row["final_loss"].item(), trained.outcomes[0])


def train_sweep(plan: "Plan", engine: "Engine") -> Path | str:
    """Train all jobs of a plan into a folder; for a dry run, the estimate of its cost."""
    if plan.is_dry:
        from xortrain.runner.plan import estimate

        return estimate(plan, engine)
    from xortrain.runner.sweep import run_sweep

    return run_sweep(plan, engine, show=True)


def _sweep_text(found: Path | str) -> str:
    """The results of a sweep and its films, which are made here; an estimate as it is."""
    if isinstance(found, str):
        return found
    from xortrain.runner.train import with_folder
    from xortrain.views.sweep_summary import sweep_ending

    with with_folder(found):
        return sweep_ending(found)


def _hydra_main(words: Sequence[str], say: Say, note: Say) -> None:
    import hydra

    from xortrain.config.compose import prepare, store_outputs, user_error
    from xortrain.config.settings import conf_folder
    from xortrain.hydra_sweeps.axes import with_held_keys
    from xortrain.hydra_sweeps.plugins import register
    from xortrain.hydra_sweeps.private import split_flags

    flags, overrides = split_flags(words)
    is_sweep = bool({"-m", "--multirun"} & set(flags))
    prepared = prepare(overrides, many=is_sweep)
    prepared = with_held_keys(prepared) if is_sweep else prepared
    register()
    store_outputs()
    jobs = _Jobs(say, note)
    with _as_command_line([*flags, *prepared]):
        try:
            hydra.main(str(conf_folder()), "config", version_base="1.3")(jobs)()
        except Exception as error:
            jobs.failures.append(user_error(error, prepared))
    if jobs.failures:
        raise jobs.failures[0]
    if jobs.folder and (study := _study(jobs.folder)):
        say(study)


def _study(folder: Path) -> str:
    """What a searching sweeper has found; empty for other sweepers."""
    found = folder / "optimization_results.yaml"
    if not found.is_file():
        return ""
    return f"\nstudy   {found}\n{indent(found.read_text(encoding='utf-8'), ' ' * 8)}".rstrip("\n")


class _Jobs:
    """The task function of Hydra: called for one job, or through `sweep` for all jobs of a sweep together."""

    def __init__(self, say: Say, note: Say) -> None:
        self.say, self.note = say, note
        self.failures: list[Exception] = []
        self.folder: Path | None = None  # of Hydra's sweeper

    def __call__(self, composed: Any) -> float | None:
        from hydra.core.hydra_config import HydraConfig
        from hydra.types import RunMode

        hydra = HydraConfig.get()
        self.folder = Path(hydra.sweep.dir)
        try:
            text, found = run_one(composed, hydra if hydra.mode is RunMode.RUN else None, self.note)
        except Exception as error:  # Hydra would print its own line for an error that leaves the job
            self.failures.append(error)
            return None
        self.say(text)
        return found

    def sweep(self, plan: "Plan", engine: "Engine", beside: Path) -> Path | None:
        """Train all jobs of a plan; returns their folder.  Another sweeper has its own folder ``beside``."""
        self.folder = beside
        folder = train_sweep(plan, engine)
        try:
            self.say(_sweep_text(folder))
        except FailedError as error:
            self.failures.append(error)
        return folder if isinstance(folder, Path) else None


@contextmanager
def _as_command_line(words: list[str]) -> Iterator[None]:
    """sys.argv as Hydra reads it; Hydra raises its errors instead of printing them."""
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
