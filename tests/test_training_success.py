"""Each success rule calls right what its definition says, and nothing else."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortrain.config.settings import GROUPS
from xortrain.training.success import SUCCESS_RULES, Success

numbers = st.floats(-3, 3)
CODINGS = [(0.0, 1.0), (-1.0, 1.0), (0.1, 0.9), (1.0, 0.0)]


def rule(name: str, low: float, high: float, **settings: float) -> Success:
    return Success(name, np.array([low]), np.array([high]), {key: np.array([value]) for key, value in settings.items()})


def right(one: Success, y: Any, t: Any) -> list[bool]:
    """For y and t (examples, outputs) of a single run."""
    found: list[bool] = one.right(np.array(y)[..., None], np.array(t)[..., None])[:, 0].tolist()
    return found


@pytest.mark.parametrize("coding", CODINGS)
@given(y=numbers, is_high=st.booleans())
def test_midpoint_is_the_side_of_the_middle(coding: tuple[float, float], y: float, is_high: bool) -> None:
    t, other = coding[is_high], coding[not is_high]
    if abs(y - sum(coding) / 2) > 1e-12:
        assert right(rule("midpoint", *coding), [[y]], [[t]]) == [abs(y - t) < abs(y - other)]


@pytest.mark.parametrize("coding", CODINGS)
@given(y=numbers, is_high=st.booleans(), within=st.floats(0.01, 1))
def test_tolerance_is_nearness(coding: tuple[float, float], y: float, is_high: bool, within: float) -> None:
    t = coding[is_high]
    assert right(rule("tolerance", *coding, within=within), [[y]], [[t]]) == [t - within < y < t + within]


@pytest.mark.parametrize("coding", CODINGS)
@given(share=st.floats(-1, 2), is_high=st.booleans())
def test_fahlman_reads_the_outer_40_percent(coding: tuple[float, float], share: float, is_high: bool) -> None:
    """0 to 1: below 0.4 is low, above 0.6 high, between them neither; other codings by their share of the way."""
    low, high = coding
    if min(abs(share - 0.4), abs(share - 0.6)) > 1e-9:
        y = low + share * (high - low)
        assert right(rule("fahlman", *coding), [[y]], [[coding[is_high]]]) == [share > 0.6 if is_high else share < 0.4]


@pytest.mark.parametrize("name", SUCCESS_RULES)
@given(t=st.lists(st.sampled_from([0.0, 1.0]), min_size=3, max_size=3), y=st.lists(numbers, min_size=3, max_size=3))
def test_an_example_is_right_when_all_its_outputs_are(name: str, t: list[float], y: list[float]) -> None:
    one = rule(name, 0, 1, **({"within": 0.2} if name == "tolerance" else {}))
    each = [right(one, [[output]], [[target]])[0] for output, target in zip(y, t, strict=True)]
    assert right(one, [y], [t]) == [all(each)]


@pytest.mark.parametrize("name", SUCCESS_RULES)
def test_what_is_not_a_number_is_not_right(name: str) -> None:
    one = rule(name, 0, 1, **({"within": 10.0} if name == "tolerance" else {}))
    assert right(one, [[np.nan], [np.nan]], [[0.0], [1.0]]) == [False, False]


@pytest.mark.parametrize("name", SUCCESS_RULES)
def test_the_borderline_is_not_right(name: str) -> None:
    one = rule(name, 0, 1, **({"within": 0.25} if name == "tolerance" else {}))
    border = {"midpoint": (0.5, 0.5), "tolerance": (0.25, 0.75), "fahlman": (0.4, 0.6)}[name]
    assert right(one, [[border[0]], [border[1]]], [[0.0], [1.0]]) == [False, False]


def test_the_choices_are_the_table() -> None:
    assert GROUPS["success"].keys() == SUCCESS_RULES.keys()
