"""The command line: a first word that is a command, and anything else is Hydra's.

Only `main` prints.  A user's mistake is one line and exit code 2, a failed run 1, Ctrl-C 130, SIGTERM 143.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any, NoReturn

from xortrain.errors import FailedError, UserError, unknown_word
from xortrain.experiment.interrupts import Terminated, heeded, terminable
from xortrain.tracker import COMMANDS as TRACKER

if TYPE_CHECKING:
    from xortrain.experiment.engines import Engine
    from xortrain.experiment.plan import Plan

COMMANDS: dict[str, tuple[str, str]] = {
    **TRACKER,
    "resume": ("xortrain.experiment.resume:resume", "train what a stopped sweep still lacks, and nothing else"),
    "rerun": ("xortrain.experiment.again:rerun", "train a run again; --check compares every number with what was kept"),
    "show": ("xortrain.experiment.showing:show", TRACKER["show"][1]),
    "render": ("xortrain.experiment.render:render", "make any picture again from an old record"),
    "explain": ("xortrain.experiment.explaining:explain", "one training step with every number beside its formula"),
    "check": ("xortrain.experiment.explaining:check", "a gradient against central differences"),
}
"""Command to where its function lies, "module:function", and a line of what it does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with terminable():
            return _run(words)
    except UserError as error:
        return _fail(f"error: {error}", 2)
    except FailedError as error:
        if error.shown:
            print(error.shown)
        return _fail(f"failed: {error}", 1)
    except KeyboardInterrupt as error:
        return _fail("; ".join(["interrupted", *map(str, error.args)]), 143 if isinstance(error, Terminated) else 130)
    except BrokenPipeError:  # as in xortrain ls | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.strerror is None:
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"error: {where}{error.strerror}", 1)


def _fail(line: str, code: int) -> int:
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    print(f"xortrain: {shown}", file=sys.stderr)
    return code


def _run(words: list[str]) -> int:
    if words and words[0] in COMMANDS:
        module, _, function = COMMANDS[words[0]][0].partition(":")
        print(getattr(import_module(module), function)(words[1:]), flush=True)  # here, where a closed pipe is met
        return 0
    if (words and words[0] == "help") or {"-h", "--help"} & set(words):
        from xortrain.config.help import help_text

        print(help_text({name: line for name, (_, line) in COMMANDS.items()}))
        return 0
    if words and words[0] == "--version":
        from xortrain import __version__

        print(f"xortrain {__version__}")
        return 0
    if words and words[0].isidentifier():
        raise unknown_word(words[0], COMMANDS, "command")
    return _hydra(words)


def _hydra(words: list[str]) -> int:
    """Everything that is not a command: overrides, -m, --cfg job, --info, …

    One run, and a sweep by our sweeper, are composed once; Hydra's main composes twice, and scans for plugins.
    """
    overrides = [word for word in words if word not in ("-m", "--multirun")]
    if not any(word.startswith("-") for word in overrides):
        if len(overrides) < len(words):
            with heeded():
                from xortrain.sweeps.python import planned

                ours = planned(overrides)
            if ours:
                print(_told(_trained(*ours)))
                return 0
        elif not any("hydra" in word for word in words):
            with heeded():
                from xortrain.config.check import check
                from xortrain.config.compose import composed, plain

                found = composed(words)
                config = check(plain(found))
            _note(found.hydra)
            print(_train(config)[0])
            return 0
    return _hydra_main(words)


def _note(hydra: Any) -> None:
    """Say on standard error that a sweep is left out."""
    from xortrain.config.compose import left_out

    if line := left_out(hydra):
        _fail(line, 0)


def _hydra_main(words: list[str]) -> int:
    import hydra

    from xortrain.config.compose import told
    from xortrain.config.defaults import conf_folder
    from xortrain.config.overrides import prepare
    from xortrain.sweeps import register
    from xortrain.sweeps.axes import held_back

    flags, overrides = _parted(words)
    is_sweep = bool({"-m", "--multirun"} & set(flags))
    prepared = prepare(overrides, many=is_sweep)
    prepared = held_back(prepared) if is_sweep else prepared
    register()
    jobs = _Jobs()
    with _as_shell([*flags, *prepared]):
        try:
            hydra.main(str(conf_folder()), "config", version_base="1.3")(jobs)()
        except Exception as error:
            jobs.failures.append(told(error, prepared))
    if jobs.failures:
        raise jobs.failures[0]
    if jobs.folder:
        print(end=_study(jobs.folder))
    return 0


def _study(folder: Path) -> str:
    """What a sweeper that searches has found; others leave nothing of the kind."""
    found = folder / "optimization_results.yaml"
    if not found.is_file():
        return ""
    return f"\nstudy   {found}\n{indent(found.read_text(encoding='utf-8'), ' ' * 8)}"


class _Jobs:
    """What Hydra calls: for one job, or for all jobs of a sweep together."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.folder: Path | None = None  # of Hydra's sweeper

    def __call__(self, composed: Any) -> float | None:
        from hydra.core.hydra_config import HydraConfig
        from hydra.types import RunMode

        from xortrain.config.check import check
        from xortrain.config.compose import plain

        if HydraConfig.get().mode is RunMode.RUN:
            _note(HydraConfig.get())
        self.folder = Path(HydraConfig.get().sweep.dir)
        try:
            text, found = _train(check(plain(composed)))
        except Exception as error:  # Hydra would print a line of its own for an error that leaves the job
            self.failures.append(error)
            return None
        print(text)
        return found

    def sweep(self, plan: "Plan", engine: "Engine", beside: Path) -> Path | None:
        """Train all jobs of a plan; where they lie is returned.  Another sweeper has a folder of its own beside."""
        self.folder = beside
        folder = _trained(plan, engine)
        try:
            print(_told(folder))
        except FailedError as error:
            self.failures.append(error)
        return folder if isinstance(folder, Path) else None


def _trained(plan: "Plan", engine: "Engine") -> Path | str:
    """Train all jobs of a plan into a folder; of a dry run, what it would cost."""
    if plan.is_dry:
        from xortrain.experiment.estimate import estimate

        return estimate(plan, engine)
    from xortrain.experiment.sweep import run_sweep

    return run_sweep(plan, engine, show=True)


def _told(found: Path | str) -> str:
    """What became of a sweep, with its films."""
    if isinstance(found, str):
        return found
    from xortrain.experiment.ending import told
    from xortrain.experiment.train import told_where

    with told_where(found):
        return told(found)


def _parted(words: list[str]) -> tuple[list[str], list[str]]:
    """Hydra's flags, with their values, and the overrides: they may be mixed."""
    from hydra._internal.utils import get_args_parser

    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")

    parser.error = refuse  # type: ignore[method-assign]
    parsed = parser.parse_intermixed_args(words)
    modes = [flag for flag in ("run", "multirun", "info", "cfg", "shell_completion") if getattr(parsed, flag)]
    if len(modes) > 1:
        refuse(f"--{modes[0]} and --{modes[1]} do not go together")
    if parsed.resolve and not parsed.cfg:
        refuse("--resolve goes with --cfg")
    overrides = list(parsed.overrides)
    waiting = overrides.copy()
    flags = [word for word in words if not (waiting and word == waiting[0] and waiting.pop(0))]
    return flags, overrides


@contextmanager
def _as_shell(words: list[str]) -> Iterator[None]:
    """sys.argv as Hydra reads it, and Hydra raising its errors instead of printing them."""
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


def _train(config: dict[str, Any]) -> tuple[str, float | None]:
    """One run, from its checked configuration to what is said at its end, and its objective."""
    from xortrain.experiment.objective import objective
    from xortrain.experiment.single import recorded
    from xortrain.experiment.titles import typed

    if config["dry_run"]:
        from xortrain.experiment.estimate import estimate_one

        return estimate_one(config), None
    run, film = recorded(config, progress=True)
    places = [f"record  {typed(run.folder)}", *([f"film    {typed(film)}"] if film else [])]
    text = "\n".join([run.summary(), "", *places])
    return text, objective(run.row["final_loss"], run.outcome)
