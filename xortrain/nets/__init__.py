"""The mathematics of small networks, with NumPy alone.

Reading order: `network` (layers, forward and backward pass), then the tables whose rows are the options:
`activations` (computed by `functions`), `losses` (and `Criterion`, a loss on an output activation), `optimizers` (and
schedules), `initializers`, `datasets`.  A row has all that is particular to its option: how it is computed, how it is
written (a `formula`), its settings (`setting`) and its line of help.

In every array the last axis may count runs: one network and a million go through the same lines.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
"""An array of float32 or float64, runs on its last axis if there are any."""

Numbers = dict[str, np.ndarray[Any, np.dtype[Any]]]
"""Settings of an activation, a loss, …: name to (runs,), in the dtype of the run."""
