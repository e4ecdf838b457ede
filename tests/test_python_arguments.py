"""Arguments of the Python functions: NumPy's numbers are numbers, and what does not fit is one line with its name."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xortrain
from xortrain.errors import UserError

PUBLIC = [
    *(getattr(xortrain, name) for name in ("train", "trainer", "sweep", "load", "runs", "check_gradients")),
    *(getattr(xortrain.api.Run, name) for name in ("at", "predict", "gradients", "explain", "more", "fork")),
    *(getattr(kind, name) for kind in (xortrain.api.Run, xortrain.api.Sweep) for name in ("film", "page")),
    xortrain.api.Run.torch, xortrain.api.Sweep.column, xortrain.api.Sweep.group,
]  # fmt: skip
GROUP: Any = xortrain.api.Sweep.group
KINDS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
FITTING = {"params": [1.0], "grads": [1.0], "loss_fn": sum, "epochs": 1, "path": "x.html", "name": "lr"}
UNCHECKED = (
    "self",
    "x",
    "data",
    "weights",
    "overrides",
    "settings",
)  # arrays, with errors of their own, and *texts
ARGUMENTS = [
    (function, name)
    for function in PUBLIC
    for name in inspect.signature(function).parameters
    if name not in UNCHECKED
]  # fmt: skip


@pytest.mark.parametrize("value", [object(), b"3", 3 + 0j], ids=["object", "bytes", "complex"])
@pytest.mark.parametrize(("function", "name"), ARGUMENTS, ids=lambda value: getattr(value, "__qualname__", value))
def test_every_argument_of_another_type_is_refused_in_one_line_before_anything_is_done(
    function: Callable[..., Any], name: str, value: Any
) -> None:
    parameters = inspect.signature(function).parameters.values()
    needed = {one.name: FITTING.get(one.name) for one in parameters if one.default is one.empty and one.kind in KINDS}
    with pytest.raises(UserError, match=rf"^{name}=.*: must be .*$"):
        function(**{**needed, name: value})


@pytest.mark.parametrize("epoch", [3, np.int64(3), 3.0, np.float32(3), np.array(3)], ids=repr)
def test_numbers_of_numpy_and_whole_floats_are_epochs(epoch: Any) -> None:
    run = xortrain.train("epochs=5")
    precision: Any = np.int64(5)
    expected = run.parameters[list(run.epochs).index(3)]
    np.testing.assert_array_equal(run.network.join(run.at(epoch)), expected)
    np.testing.assert_array_equal(run.predict([[0, 1]], epoch=epoch), run.predict([[0, 1]], epoch=3))
    assert str(run.explain(epoch, precision=precision)) == str(run.explain(3, precision=5))


@pytest.mark.parametrize("epoch", ["3", 3.2, True, [3], np.array([3]), float("nan")], ids=repr)
def test_other_values_are_no_epochs(epoch: Any) -> None:
    run = xortrain.train("epochs=5")
    for method in (run.at, run.explain, run.gradients, run.more):
        with pytest.raises(UserError, match=r"^epochs?=.*: must be a whole number$"):
            method(epoch)


def test_an_argument_far_out_of_range_names_the_nearest_epoch() -> None:
    with pytest.raises(UserError, match=r"nearest recorded epoch is 5$"):
        xortrain.train("epochs=5").at(10**30)


@pytest.mark.parametrize(("name", "value"), [("only", "fwd"), ("format", "md"), ("precision", 0), ("example", 4)])
def test_explain_refuses_a_value_when_it_is_called_not_when_it_is_printed(name: str, value: Any) -> None:
    with pytest.raises(UserError, match=f"^{name}={value}: "):
        xortrain.train("epochs=5").explain(**{name: value})


def test_an_unknown_argument_is_pythons_own_error() -> None:
    with pytest.raises(TypeError, match=r"explain\(\) got an unexpected keyword argument 'digits'"):
        xortrain.train("epochs=5").explain(digits=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("override", [3, {"lr": 1}, "lr=1 epochs=3"], ids=repr)
def test_fork_takes_texts_one_override_in_each(override: Any) -> None:
    with pytest.raises(UserError, match=r"^fork: takes overrides as texts"):
        xortrain.train("epochs=5").fork(override)


def test_a_list_of_names_has_texts_only() -> None:
    with pytest.raises(UserError, match=r"^by=\['lr', 3\]: must be a text or a list of texts or None$"):
        GROUP(object(), by=["lr", 3])


@pytest.mark.parametrize("settings", [{"size": 3}, {"size": "3"}, {"layout": [3]}, {"layout": 3}], ids=repr)
def test_a_film_setting_of_another_type_is_refused_in_one_line(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^(film.size|layout)=.*: must be "):
        xortrain.train("epochs=5").film(tmp_path / "film.png", still=True, **settings)
    assert not any(tmp_path.iterdir())


def test_a_film_may_have_a_size_of_numpy(tmp_path: Path) -> None:
    path = xortrain.train("epochs=5").film(tmp_path / "film.svg", still=True, size=np.array([640, 480]))
    assert 'width="640pt"' in path.read_text()


@pytest.mark.parametrize("returned", [None, "x", {}], ids=repr)
def test_a_loss_that_returns_no_number_is_refused(returned: object) -> None:
    with pytest.raises(UserError, match=f"^loss_fn: must return one number, not {returned!r}$"):
        xortrain.check_gradients([np.ones(2)], lambda params: returned, [np.ones(2)])


def test_a_film_has_a_layout_that_draws(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^film=none: no such choice"):
        xortrain.train("epochs=5").film(tmp_path / "film.png", still=True, layout="none")


def test_a_name_too_long_for_a_file_is_one_line(tmp_path: Path) -> None:
    name, run = "x" * 400, xortrain.train("epochs=3")
    calls: list[Callable[[], Any]] = [
        lambda: xortrain.load(name), lambda: xortrain.load("latest", root=name),
        lambda: run.film(tmp_path / f"{name}.png", still=True), lambda: run.film(tmp_path / f"{name}.gif"),
        lambda: run.page(tmp_path / f"{name}.html"),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(UserError, match=r"^.+: .+$"):
            call()


def test_numbers_beyond_those_of_floats_are_no_numbers() -> None:
    x: list[list[int]] = [[10**400, 0], [0, 1]]
    run = xortrain.train("epochs=3")
    calls: list[Callable[[], Any]] = [
        lambda: run.predict(x), lambda: xortrain.train(data=(x, [0, 1])), lambda: xortrain.train(weights={"W1": x}),
        lambda: xortrain.check_gradients({"a": x}, lambda p: 0.0, {"a": x}),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(UserError, match=r": must be .*of numbers"):
            call()


@pytest.mark.parametrize("params", [{}, [], {"a": ["x"]}, {"a": {"b": 1.0}}, np.ones(2)], ids=repr)
def test_parameters_to_check_are_arrays_by_name_or_in_a_list(params: Any) -> None:
    with pytest.raises(UserError, match=r"^params.*: must "):
        xortrain.check_gradients(params, lambda p: 0.0, params)
