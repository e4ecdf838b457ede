"""Own weights for each run of a sweep: one population, in which every run is what it is alone."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xortrain
from xortrain.api import Sweep
from xortrain.errors import UserError
from xortrain.setup.population import MOST_WEIGHTS

pytestmark = pytest.mark.usefixtures("in_own_folder", "quick_composition")
NUMBERS = st.lists(st.sampled_from([-2, -0.5, 0, 0.25, 1, 3]), min_size=9, max_size=9)


def override(numbers: Sequence[float]) -> str:
    """Nine numbers as init.weights of a 2-2-1 network."""
    a, b, c, d, e, f, g, h, i = numbers
    return json.dumps({"W1": [[a, b], [c, d]], "b1": [e, f], "W2": [[g, h]], "b2": [i]}).replace('"', "")


def trained(*values: str, also: Sequence[str] = ()) -> Sweep:
    return xortrain.sweep("init=explicit", f"init.weights={','.join(values)}", "film=none", "epochs=5", *also)


@settings(max_examples=5)
@given(st.lists(NUMBERS, min_size=2, max_size=4, unique_by=tuple))
def test_runs_with_own_weights_are_one_population_and_each_has_the_bits_it_has_alone(
    all_numbers: list[list[float]],
) -> None:
    sweep = trained(*map(override, all_numbers), also=["lr=0.5,2"])
    assert len(sweep.parts) == 1
    for number, run in enumerate(sweep):
        numbers, lr = all_numbers[number // 2], (0.5, 2)[number % 2]
        assert run.parameters[0].tolist() == numbers
        alone = xortrain.train("init=explicit", f"init.weights={override(numbers)}", "epochs=5", f"lr={lr}")
        np.testing.assert_array_equal(run.parameters, alone.parameters)
        assert run.config["init"] == alone.config["init"]


def test_only_numbers_that_differ_are_columns() -> None:
    sweep = trained(override(range(9)), override([0, 1, 2.5, *range(3, 9)]))
    varies = sweep.parts[0].metadata["varies"]
    assert varies == ["init.weights.W1.1.0"]
    assert sweep.column("init.weights.W1.1.0").tolist() == [2, 2.5]
    assert [run.config["init"]["weights"]["W1"] for run in sweep] == [[[0, 1], [2, 3]], [[0, 1], [2.5, 3]]]
    assert len(xortrain.runs(where='"init.weights.W1.1.0" = 2.5')) >= 1


def test_weights_of_another_form_are_checked_for_their_own_job() -> None:
    with pytest.raises(UserError, match=r"init\.weights\.b2: is missing"):
        trained(override(range(9)), "{W1: [[1, 1], [1, 1]], b1: [0, 0], W2: [[1, 1]]}")
    with pytest.raises(UserError, match=r"init\.weights\.b1: must be finite"):
        trained(override(range(9)), override([*range(4), float("inf"), *range(5, 9)]).replace("Infinity", "inf"))


def test_weights_of_very_large_networks_are_a_population_for_each_run() -> None:
    units = MOST_WEIGHTS // 4 + 1
    values = [
        json.dumps({"W1": [[k, 1]] * units, "b1": [0] * units, "W2": [[1] * units], "b2": [0]}).replace('"', "")
        for k in range(2)
    ]
    sweep = trained(*values, also=[f"architecture.hidden=[{units}]"])
    assert len(sweep.parts) == 2
    assert [run.parameters[0][0] for run in sweep] == [0, 1]


@pytest.mark.parametrize("key", ["W1.2.0", "W1.x", "W1.0", "W9.0.0", "W1.0.0.0", "W1.-1.0"])
def test_a_record_whose_varying_weights_do_not_exist_is_refused(key: str) -> None:
    sweep = trained(override(range(9)), override([5, *range(1, 9)]))
    assert sweep.folder
    path = sweep.folder / "record.json"
    content = path.read_text()
    assert '"init.weights.W1.0.0"' in content
    path.write_text(content.replace('"init.weights.W1.0.0"', f'"init.weights.{key}"'))
    rows = np.load(sweep.folder / "runs.npy")
    names = [name.replace("W1.0.0", key) if name.startswith("init") else name for name in rows.dtype.names]
    rows.dtype.names = names
    np.save(sweep.folder / "runs.npy", rows)
    with pytest.raises(UserError, match=r"record\.json"):
        Sweep.open(sweep.folder)[0]
