"""The data sets built into scikit-learn, with the names of their columns and classes."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from xortrain.errors import needed
from xortrain.setup.own_arrays import array_data
from xortrain.setup.own_data import OwnData


@lru_cache(maxsize=4)
def sklearn_data(name: str) -> OwnData:
    """One of them as own data; raises UserError where scikit-learn is not installed."""
    found = getattr(needed("sklearn.datasets", "sklearn", "data=sklearn"), f"load_{name}")()
    named = [str(label) for label in found.get("target_names", [])]
    has_classes = np.asarray(found.target).dtype.kind in "iu"
    own = array_data(
        (found.data, found.target),
        inputs=list(map(str, found.feature_names)),
        outputs=None if has_classes or not named else named,
        classes=named if has_classes else None,
    )
    line = own.columns.line.replace("data:", f"{name}:", 1)
    return replace(own, where=f"data.set={name}", columns=replace(own.columns, line=line))
