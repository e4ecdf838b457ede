"""data=sklearn has the numbers and the names of scikit-learn's own data sets."""

import numpy as np
import pytest

import xortrain
from xortrain.nets.datasets import SKLEARN_SETS

pytestmark = pytest.mark.interop
datasets = pytest.importorskip("sklearn.datasets")


@pytest.mark.parametrize("name", SKLEARN_SETS)
def test_a_data_set_is_that_of_scikit_learn(name: str) -> None:
    found = getattr(datasets, f"load_{name}")()
    run = xortrain.train("data=sklearn", f"data.set={name}", "epochs=1", "architecture.hidden=[2]")
    np.testing.assert_allclose(run.x, found.data)
    assert [*run.setup.columns.inputs] == [str(column) for column in found.feature_names]
    if name in ("iris", "wine", "digits", "breast_cancer"):
        assert [*run.setup.columns.classes] == [str(label) for label in found.target_names]
    else:
        np.testing.assert_allclose(run.t, np.reshape(found.target, (len(found.data), -1)))
