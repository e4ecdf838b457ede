"""What a Python user calls: the same overrides as on the command line, and objects instead of folders.

Mistakes are raised as `xortrain.errors.UserError`, with the line that the command line would print.
"""

from pathlib import Path
from typing import Any

from xortrain.errors import UserError
from xortrain.experiment.runs import ROOT, Sweep, open_record, runs
from xortrain.experiment.single import in_memory
from xortrain.experiment.trained import Run

__all__ = ["load", "runs", "train"]


def train(*overrides: str, data: tuple[Any, Any] | None = None) -> Run:
    """Train one network and write nothing.

    ``overrides`` are as on the command line, "lr=1"; ``data`` are your own x (examples, inputs) and
    t (examples,) or (examples, outputs).
    """
    from xortrain.config.compose import compose

    config = compose(overrides)
    refuse_estimate(config["dry_run"])
    if data is not None and (not isinstance(data, tuple | list) or len(data) != 2):
        raise UserError("data: must be two arrays, data=(x, t)")
    return in_memory(config, data)


def refuse_estimate(is_dry: bool) -> None:
    """Raise UserError for a dry run, whose answer is a text."""
    if is_dry:
        raise UserError("dry_run=true: Python trains what it is told to; the estimate is a text, for the command line")


def load(name: str | Path, root: str | Path = ROOT) -> Run | Sweep:
    """A run by its path, by the beginning of its id under a root, or "latest"; a sweep likewise, or one run "…#17"."""
    return open_record(str(name), Path(root))
