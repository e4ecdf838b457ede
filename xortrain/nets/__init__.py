"""The mathematics of small networks, with NumPy alone.

Reading order: `network` (layers, forward and backward pass), then the tables whose rows are the options:
`activations` (computed by `functions`), `losses` (and `Criterion`, a loss on an output activation), `optimizers` (and
schedules), `initializers`, `datasets`.  A row holds everything specific to its option: how it is computed, how it is
written (a `formula`), its settings (`setting`) and its line of help.

The last axis of every array may be runs: the same code computes one network or a million.
"""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt
else:  # the tables need NumPy only when they compute: --help reads them without it
    npt = SimpleNamespace(NDArray={Any: Any})

Array = npt.NDArray[Any]
"""An array of float32 or float64, runs on its last axis if there are any."""

Numbers = dict[str, Array]
"""Settings of an activation, a loss, …: name to (runs,), in the dtype of the run."""
