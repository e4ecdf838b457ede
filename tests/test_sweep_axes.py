"""linspace and geomspace in a sweep: NumPy's values, wherever a range may stand, and only while xortrain composes."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hydra.core.override_parser import overrides_parser
from hypothesis import given, settings
from hypothesis import strategies as st

import xortrain
from xortrain.cli import main
from xortrain.config.spaces import FUNCTIONS
from xortrain.errors import UserError
from xortrain.hydra_sweeps.jobs import composing, plan_overrides, read_grid

pytestmark = pytest.mark.usefixtures("quick_composition")
ENDS = st.floats(1e-300, 1e300) | st.integers(1, 10**6)
SPACES: dict[str, Callable[..., np.ndarray]] = {"linspace": np.linspace, "geomspace": np.geomspace}


@settings(max_examples=50)
@given(st.sampled_from(sorted(SPACES)), ENDS, ENDS, st.integers(1, 300), st.sampled_from([1, -1]))
def test_the_values_are_numpys_and_end_exactly_on_the_last(
    name: str, start: float, stop: float, count: int, sign: int
) -> None:
    found = FUNCTIONS[name](sign * start, sign * stop, count).list
    assert found == SPACES[name](float(sign * start), float(sign * stop), count).tolist()
    assert found[0] == sign * start
    assert count == 1 or found[-1] == sign * stop


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("linspace(0,10,11)", int),
        ("linspace(0.0,10.0,11)", float),
        ("linspace(0,1,11)", float),
        ("linspace(5,5,1)", int),
    ],
)
def test_whole_values_between_whole_ends_are_whole_numbers(text: str, kind: type) -> None:
    name, _, rest = text.partition("(")
    values = FUNCTIONS[name](*(float(end) if "." in end else int(end) for end in rest[:-1].split(","))).list
    assert set(map(type, values)) == {kind}


WAYS: dict[str, Sequence[str]] = {
    "an override": ["lr=geomspace(0.5,4,4)"],
    "the sweep of an experiment": ["hydra.sweeper.params={lr:'geomspace(0.5,4,4)'}"],
    "names as in NumPy": ["lr=geomspace(start=0.5,stop=4,num=4)"],
    "blanks": ["lr=geomspace( 0.5, 4 , 4)"],
    "sorted": ["lr=sort(geomspace(4,0.5,4))"],
}


@pytest.mark.parametrize("way", WAYS)
def test_they_stand_wherever_a_range_does(way: str) -> None:
    plan = plan_overrides(WAYS[way])
    assert plan
    assert len(plan.setups) == 1
    assert plan.setups[0].population.values("lr").tolist() == np.geomspace(0.5, 4, 4).tolist()


def test_a_whole_setting_takes_whole_values_of_either_kind(tmp_path: Path) -> None:
    for text in ("linspace(3,9,3)", "linspace(3.0,9.0,3)"):
        sweep = xortrain.sweep(f"seed={text}", "epochs=linspace(1,2,2)", "film=none", f"root={tmp_path}")
        assert sweep.column("seed").tolist() == [3, 3, 6, 6, 9, 9]
        assert [run.config["epochs"] for run in sweep] == [1, 2] * 3


@pytest.mark.parametrize("values", ["0.5,1.5", "1,1e400", "1,true", "1,nan", "-1,1", "1,0"])
def test_values_of_an_axis_are_checked_as_one_by_one(values: str) -> None:
    """Where all are finite numbers, only the smallest and the largest are checked."""
    errors = []
    for override in (f"lr={values}", f"lr=choice({values})"):
        try:
            plan_overrides([override])
            errors.append("")
        except UserError as error:
            errors.append(str(error).replace(" (lr=True)", ""))
    one_by_one = ""
    for number, value in enumerate(values.split(",")):
        try:
            xortrain.train(f"lr={value}", "epochs=0")
        except UserError as error:
            one_by_one = one_by_one or f"job {number}: {error}"
    assert errors == [one_by_one] * 2


def test_a_million_jobs_of_two_axes_are_read_without_a_million_texts() -> None:
    with composing(["lr=geomspace(0.05,50,1024)", "init.scale=linspace(0.05,20,1024)"]) as composer:
        grid = read_grid(composer)
        assert len(grid) == 1 << 20
        assert grid.texts(len(grid) - 1) == ["lr=50.0", "init.scale=20.0"]


def test_hydra_has_its_own_functions_before_and_after() -> None:
    before = overrides_parser.create_functions
    with pytest.raises(UserError):
        plan_overrides(["lr=linspace(1,2)"])
    assert plan_overrides(["lr=linspace(1,2,2)"])
    assert overrides_parser.create_functions is before
    assert not FUNCTIONS.keys() & before().functions.keys()


def test_the_table_at_the_end_of_a_sweep_has_a_hundred_groups_at_most(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-m", "lr=linspace(1,2,103)", "epochs=1", "film=none", f"root={tmp_path}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[101] == "and 3 more groups"
    assert len(lines) == 104
