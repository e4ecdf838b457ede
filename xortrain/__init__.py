"""Train small neural networks by the thousand, record every number of their training, and watch them learn.

`train` trains one network and writes nothing, `sweep` trains many into a record, `load` opens a record, and `runs`
finds runs: one network is a `Run`, many are a `Sweep`.  `trainer` makes a function that trains one network per call,
and `check_gradients` checks a gradient of your own.  `Activation`, `Loss` and the other rows are for a Python file with
options of your own, which ``use`` names.
"""

TYPE_CHECKING = False  # typing's, without its import, which is a tenth of the time that xortrain ls takes
if TYPE_CHECKING:
    from typing import Any

    from xortrain.api import (
        Activation,
        Dataset,
        Initializer,
        Joint,
        Loss,
        Optimizer,
        Points,
        Schedule,
        SuccessRule,
        check_gradients,
        choice,
        flag,
        load,
        number,
        runs,
        sweep,
        train,
        trainer,
        whole,
    )  # fmt: skip

__version__ = "0.2.0"
__all__ = [
    "Activation", "Dataset", "Initializer", "Joint", "Loss", "Optimizer", "Points", "Schedule", "SuccessRule",
    "check_gradients", "choice", "flag", "load", "number", "runs", "sweep", "train", "trainer", "whole",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})


def __getattr__(name: str) -> "Any":
    """Import the API on first use: it needs NumPy and Hydra, which `xortrain ls` does without."""
    if name not in __all__:
        raise AttributeError(f"module 'xortrain' has no attribute {name!r}")
    from xortrain import api

    return getattr(api, name)
