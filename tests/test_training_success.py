"""Each success rule accepts exactly the outputs in its definition."""

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
    """Return for each example of a single run whether it is right; y and t are (examples, outputs)."""
    found: list[bool] = one.right(np.array(y)[..., None], np.array(t)[..., None])[:, 0].tolist()
    return found


@pytest.mark.parametrize("coding", CODINGS)
@given(y=numbers, is_high=st.booleans())
def test_midpoint_requires_the_nearer_target(coding: tuple[float, float], y: float, is_high: bool) -> None:
    t, other = coding[is_high], coding[not is_high]
    if abs(y - sum(coding) / 2) > 1e-12:
        assert right(rule("midpoint", *coding), [[y]], [[t]]) == [abs(y - t) < abs(y - other)]


@pytest.mark.parametrize("coding", CODINGS)
@given(y=numbers, is_high=st.booleans(), within=st.floats(0.01, 1))
def test_tolerance_requires_a_distance_below_within(
    coding: tuple[float, float], y: float, is_high: bool, within: float
) -> None:
    t = coding[is_high]
    assert right(rule("tolerance", *coding, within=within), [[y]], [[t]]) == [t - within < y < t + within]


@pytest.mark.parametrize("coding", CODINGS)
@given(share=st.floats(-1, 2), is_high=st.booleans())
def test_fahlman_requires_the_outer_40_percent(coding: tuple[float, float], share: float, is_high: bool) -> None:
    """With targets 0 and 1, outputs below 0.4 are low and above 0.6 high; other targets scale these limits."""
    low, high = coding
    if min(abs(share - 0.4), abs(share - 0.6)) > 1e-9:
        y = low + share * (high - low)
        assert right(rule("fahlman", *coding), [[y]], [[coding[is_high]]]) == [share > 0.6 if is_high else share < 0.4]


@pytest.mark.parametrize("name", SUCCESS_RULES)
@given(t=st.lists(st.sampled_from([0.0, 1.0]), min_size=3, max_size=3), y=st.lists(numbers, min_size=3, max_size=3))
def test_an_example_is_right_if_all_its_outputs_are(name: str, t: list[float], y: list[float]) -> None:
    one = rule(name, 0, 1, **({"within": 0.2} if name == "tolerance" else {}))
    each = [right(one, [[output]], [[target]])[0] for output, target in zip(y, t, strict=True)]
    assert right(one, [y], [t]) == [all(each)]


@pytest.mark.parametrize("name", SUCCESS_RULES)
def test_nan_is_never_right(name: str) -> None:
    one = rule(name, 0, 1, **({"within": 10.0} if name == "tolerance" else {}))
    assert right(one, [[np.nan], [np.nan]], [[0.0], [1.0]]) == [False, False]


@pytest.mark.parametrize("name", SUCCESS_RULES)
def test_outputs_on_the_boundary_are_not_right(name: str) -> None:
    one = rule(name, 0, 1, **({"within": 0.25} if name == "tolerance" else {}))
    boundary = {"midpoint": (0.5, 0.5), "tolerance": (0.25, 0.75), "fahlman": (0.4, 0.6)}[name]
    assert right(one, [[boundary[0]], [boundary[1]]], [[0.0], [1.0]]) == [False, False]


def test_every_rule_is_an_option() -> None:
    assert GROUPS["success"].keys() == SUCCESS_RULES.keys()
