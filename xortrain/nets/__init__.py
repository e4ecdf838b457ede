"""The mathematics of small networks, with NumPy alone.

Read `network` first, then the tables: `activations` (with `functions`), `losses` and `criterion`, `optimizers`,
`schedules`, `initializers`, `datasets`.  Each row of a table says all that is particular to its option: how it is
computed, how it is written (`formula`), its settings (`setting`) and its line of help.

Every array may carry runs on its last axis, so that one network and a million go through the same lines.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
"""An array of float32 or float64, runs on its last axis if there are any."""

Numbers = dict[str, np.ndarray[Any, np.dtype[Any]]]
"""Settings of an activation, a loss, …: name to (runs,), in the dtype of the run."""
