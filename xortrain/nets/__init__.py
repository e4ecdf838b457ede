"""The mathematics of small networks, with NumPy alone.

Every array may carry runs on its last axis, so that one network and a million go through the same lines.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
"""An array of float32 or float64, runs on its last axis where there are any."""

Numbers = dict[str, np.ndarray[Any, np.dtype[Any]]]
"""Settings of an activation, a loss, …: name to (runs,), in the dtype of the run."""
