"""Train small networks by the thousand, keep every number of their training, and watch them learn.

`train` trains one network and writes nothing, `sweep` trains many into a record, `load` opens what was kept, and
`runs` finds it: one network is a `Run`, many are a `Sweep`.  `check_gradients` is for a gradient of your own.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xortrain.experiment.python import load, runs, train
    from xortrain.explain import check_gradients
    from xortrain.sweeps.python import sweep

__version__ = "0.1.0"
__all__ = ["check_gradients", "load", "runs", "sweep", "train"]
_HOMES = {"sweep": "sweeps.python", "check_gradients": "explain"}


def __getattr__(name: str) -> Any:
    """`train` and the others come with NumPy and Hydra, which `xortrain ls` need not wait for."""
    if name not in __all__:
        raise AttributeError(f"module 'xortrain' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"xortrain.{_HOMES.get(name, 'experiment.python')}"), name)
