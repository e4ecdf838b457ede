"""Train small networks by the thousand, keep every number of their training, and watch them learn.

`train` trains one network and writes nothing, `load` opens a record; both give a `Run`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xortrain.experiment.python import load, train

__version__ = "0.1.0"
__all__ = ["load", "train"]


def __getattr__(name: str) -> Any:
    """`train` and the others come with NumPy and Hydra, which `xortrain ls` need not wait for."""
    if name not in __all__:
        raise AttributeError(f"module 'xortrain' has no attribute {name!r}")
    from xortrain.experiment import python

    return getattr(python, name)
