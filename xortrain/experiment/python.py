"""What a Python user calls: the same overrides as on the command line, and objects instead of folders.

Mistakes are raised as `xortrain.errors.UserError`, with the line that the command line would print.
"""

from pathlib import Path
from typing import Any

from xortrain.errors import UserError
from xortrain.experiment.single import in_memory
from xortrain.experiment.trained import Run, Trained, open_record


def train(*overrides: str, data: tuple[Any, Any] | None = None) -> Run:
    """Train one network and write nothing.

    ``overrides`` are as on the command line, "lr=1"; ``data`` are your own x (examples, inputs) and
    t (examples,) or (examples, outputs).
    """
    from xortrain.config.compose import compose

    if data is not None and (not isinstance(data, tuple | list) or len(data) != 2):
        raise UserError("data: must be two arrays, data=(x, t)")
    return in_memory(compose(overrides), data)


def load(path: str | Path) -> Run | Trained:
    """The run of a record; of a sweep all of its runs, or one by "…#17"."""
    return open_record(str(path))
