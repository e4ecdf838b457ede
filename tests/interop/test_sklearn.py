"""The estimators keep scikit-learn's contract, and are runs of xortrain: the same losses, predictions and state."""

import subprocess
import sys
from typing import Any

import matplotlib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import xortrain
from xortrain.errors import UserError
from xortrain.nets.losses import LOSSES
from xortrain.nets.optimizers import OPTIMIZERS
from xortrain.sklearn import NetClassifier, NetRegressor

pytestmark = pytest.mark.interop
matplotlib.use("Agg")
X, Y = make_moons(60, noise=0.2, random_state=0)
SKIPPED = {"check_array_api_input", "check_classifier_data_not_an_array", "check_regressor_data_not_an_array"}
"""Checks that need SCIPY_ARRAY_API to be set, or pandas."""
MORE_X, MORE_Y = make_moons(40, noise=0.2, random_state=1)


@pytest.mark.parametrize(
    "estimator",
    [
        NetClassifier(),
        NetRegressor(),
        NetRegressor(hidden=(4, 4), overrides=("init=he_normal", "optimizer.momentum=0.9")),
        NetClassifier(hidden=(), overrides=("data.scale=standard", "data.test=0.2", "dtype=float32")),
    ],
    ids=lambda net: type(net).__name__,
)
def test_scikit_learn_finds_no_failure(estimator: Any) -> None:
    found = check_estimator(estimator, on_skip=None)
    assert len(found) > 50
    assert {check["check_name"] for check in found if check["status"] != "passed"} <= SKIPPED


def test_a_search_in_a_pipeline_finds_the_better_network() -> None:
    x, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), NetClassifier(epochs=60, random_state=1))
    grid = {"netclassifier__hidden": [(), (8,)], "netclassifier__lr": [1e-4, np.float64(0.5)]}
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(x, y)
    assert search.best_params_["netclassifier__lr"] == 0.5
    assert search.best_score_ > 0.9


def test_a_classifier_draws_its_decision_boundary() -> None:
    net = NetClassifier(epochs=20).fit(X, Y)
    for method in ("predict_proba", "predict", "auto"):
        drawn = DecisionBoundaryDisplay.from_estimator(net, X, response_method=method, grid_resolution=20)
        assert drawn.response.shape == (20, 20)
        assert np.isfinite(drawn.response).all()


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_partial_fit_goes_on_to_the_bit(optimizer: str, batch_size: int | None) -> None:
    """2n epochs are n and n more, and n and n times one more, with the state of any optimizer."""
    if batch_size and OPTIMIZERS[optimizer].is_full_batch:
        return
    settings: dict[str, Any] = {"optimizer": optimizer, "batch_size": batch_size, "lr": 0.05}
    for make, t in ((NetClassifier, Y), (NetRegressor, X[:, 0] * X[:, 1])):
        at_once = make(epochs=8, **settings).fit(X, t)
        others = [
            make(epochs=4, **settings).fit(X, t).partial_fit(X, t, epochs=4),
            make(epochs=5, **settings).fit(X, t),
        ]
        for _ in range(3):
            others[1].partial_fit(X, t)
        for net in others:
            assert net.n_iter_ == at_once.n_iter_ == 8
            assert net.run_.parameters.tobytes() == at_once.run_.parameters.tobytes()
            assert net.loss_curve_.tobytes() == at_once.loss_curve_.tobytes()


def test_partial_fit_on_other_examples_starts_from_the_present_network() -> None:
    first = NetClassifier(optimizer="adam").partial_fit(X, Y, classes=[0, 1], epochs=5)
    net = clone(first).partial_fit(X, Y, classes=[0, 1], epochs=5).partial_fit(MORE_X, MORE_Y, epochs=5)
    assert net.run_.parameters[:6].tobytes() == first.run_.parameters.tobytes()
    assert net.n_iter_ == 10
    trainer = xortrain.trainer("optimizer=adam", "lr=0.2", "init=explicit", data=(MORE_X, MORE_Y))
    again = trainer({"architecture.hidden": [8], "init.weights": first.run_.at(5)})
    assert net.loss_curve_[5] == pytest.approx(again.losses[0], rel=1e-12)  # judged on the new examples
    assert not np.allclose(net.run_.at(6)["W1"], again.at(1)["W1"])  # which does not have adam's state


def test_a_part_may_lack_classes() -> None:
    for loss in ("bce", "mse", "hinge"):
        net = NetClassifier(loss=loss).partial_fit(X[Y == 1], Y[Y == 1], classes=[0, 1])
        for _ in range(8):
            net.partial_fit(X[Y == 0], Y[Y == 0]).partial_fit(X[Y == 1], Y[Y == 1]).partial_fit(X, Y, epochs=20)
        assert net.score(X, Y) > 0.8, loss
    names = np.array(["one", "three", "two"])
    x, y = load_iris(return_X_y=True)
    several = NetClassifier(batch_size=10).partial_fit(x[:50], names[y[:50]], classes=names)
    assert set(several.predict(x)) == {"one"}
    assert several.run_.classes == ("one", "three", "two")
    with pytest.raises(UserError, match="has the class four"):
        several.partial_fit(x[:1], ["four"])
    with pytest.raises(UserError, match="must be those of the first call"):
        several.partial_fit(x[:1], ["one"], classes=["one", "two"])
    with pytest.raises(UserError, match="must be given to the first call"):
        NetClassifier().partial_fit(X, Y)


def test_what_is_set_between_two_parts_counts() -> None:
    net = NetClassifier().fit(X, Y)
    net.set_params(lr=0.01, optimizer="adam").partial_fit(X, Y)
    assert (net.run_.config["lr"], net.run_.config["optimizer"]["name"]) == (0.01, "adam")
    for _ in range(2):
        with pytest.raises(UserError, match="keeps its architecture"):
            net.set_params(hidden=(3,)).partial_fit(X, Y)


def test_an_estimator_is_its_run() -> None:
    names = np.array(["no", "yes"])[Y]
    net = NetClassifier(hidden=(4,), activation="tanh", random_state=3).fit(X, names)
    same = xortrain.train(
        "architecture.hidden=[4]", "activation=tanh", "seed=3", "lr=0.2", data=(X, Y), classes=["no", "yes"]
    )
    assert net.run_.parameters.tobytes() == same.parameters.tobytes()
    assert net.loss_curve_ is not None
    np.testing.assert_array_equal(net.loss_curve_, net.run_.losses)
    y = net.run_.predict(X)
    np.testing.assert_array_equal(net.predict_proba(X), np.concatenate([1 - y, y], axis=1))
    np.testing.assert_array_equal(net.predict(X), np.array(["no", "yes"])[net.run_.class_indices(y)])
    np.testing.assert_array_equal(net.classes_, net.run_.classes)
    t = np.stack([X[:, 0] * X[:, 1], X[:, 0]], axis=1)
    regressor = NetRegressor().fit(X, t)
    np.testing.assert_array_equal(regressor.predict(X), regressor.run_.predict(X))


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_separates_two_classes(loss: str) -> None:
    settings: dict[str, Any] = {"loss": loss, "lr": 0.1, "optimizer": "rprop"}
    net = NetClassifier(**settings).fit(X, Y)
    assert net.score(X, Y) > 0.8
    gives = LOSSES[loss].output in ("sigmoid", "softmax")
    assert hasattr(net, "predict_proba") == gives
    if gives:
        np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1)
        np.testing.assert_array_equal(net.classes_[net.predict_proba(X).argmax(axis=1)], net.predict(X))


def test_few_distinct_numbers_stay_numbers() -> None:
    """A regression has the units of its targets, also where these look like classes."""
    t = np.where(Y == 1, 7.0, 3.0)
    assert NetRegressor(lr=0.05).fit(X, t).score(X, t) > 0.3
    both = np.stack([t, 10 - t], axis=1)
    assert NetRegressor(lr=0.05).fit(X, both).run_.config["loss"]["name"] == "mse"
    np.testing.assert_array_equal(NetRegressor(lr=0.05).fit(X, both).run_.t, both)
    with pytest.raises(UserError, match="loss=bce: requires targets from 0 to 1"):
        NetRegressor(loss="bce").fit(X, t)


@pytest.mark.parametrize("kind", ["U", "S", "O"])
def test_a_regressor_refuses_texts_that_are_no_numbers(kind: str) -> None:
    """They would be classes, and the regressor a classifier."""
    names = np.array(["no", "yes"])[Y].astype(kind)
    for train in (NetRegressor().fit, NetRegressor().partial_fit):
        with pytest.raises(ValueError, match="could not convert string to float"):
            train(X, names)
    numbers = NetRegressor(epochs=2).fit(X, Y.astype(float).astype("U"))
    np.testing.assert_array_equal(numbers.predict(X), NetRegressor(epochs=2).fit(X, Y).predict(X))


def test_a_random_state_is_a_seed_or_draws_one() -> None:
    runs = [NetClassifier(epochs=1, random_state=state).fit(X, Y).run_ for state in (5, np.random.RandomState(5))]
    assert runs[0].config["seed"] == 5
    assert runs[1].config["seed"] == np.random.RandomState(5).randint(2**32, dtype=np.uint32)


def test_wrong_settings_are_named() -> None:
    for settings, words in (
        ({"lr": -1}, "lr=-1: must be a number greater than 0"),
        ({"optimizer": "adm"}, "optimizer=adm: no such choice. Did you mean 'adam'"),
        ({"overrides": ("lrr=1",)}, "lrr=1: no such setting. Did you mean 'lr'"),
        ({"overrides": "lr=1"}, "overrides='lr=1': must be texts"),
    ):
        with pytest.raises(UserError, match=words.replace("(", r"\(")):
            NetClassifier(**settings).fit(X, Y)


def test_names_of_columns_reach_the_run() -> None:
    pandas = pytest.importorskip("pandas")
    net = NetClassifier(epochs=1).fit(pandas.DataFrame(X, columns=["width", "height"]), Y)
    assert net.run_.setup.columns.inputs == ("width", "height")


def test_without_scikit_learn_one_line_says_what_to_install() -> None:
    code = "import sys; sys.modules['sklearn'] = None\nimport xortrain.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    line = done.stderr.strip().splitlines()[-1]
    assert line == "ImportError: xortrain.sklearn: needs scikit-learn 1.6 or newer; pip install 'xortrain[sklearn]'"


@pytest.mark.parametrize("plus", ["", "++"])
def test_overrides_come_last_however_they_are_written(plus: str) -> None:
    x, y = make_moons(20, random_state=0)
    overrides = tuple(plus + text for text in ("lr=3", "seed=5", "epochs=7", "architecture.hidden=[3]"))
    config = NetClassifier(lr=0.5, random_state=4, epochs=6, overrides=overrides).fit(x, y).run_.config
    assert (config["lr"], config["seed"], config["epochs"]) == (3, 5, 7)
    assert config["architecture"]["hidden"] == [3]


@pytest.mark.parametrize(
    "changed",
    [
        {"batch_size": 5},
        {"lr": 3.0},
        {"optimizer": "adam"},
        {"overrides": ("optimizer.momentum=0.5",)},
        {"overrides": ("layer_lr.W1=0.1",)},
        {"overrides": ("layer_lr={W1: 0.1, b2: 3}", "freeze=[b1]")},
    ],
    ids=str,
)
def test_a_parameter_put_back_between_calls_is_as_if_it_had_its_default_there(changed: dict[str, Any]) -> None:
    net = NetClassifier().set_params(**changed).partial_fit(X, Y, classes=[0, 1])
    net.set_params(**{name: NetClassifier().get_params()[name] for name in changed}).partial_fit(X, Y)
    usual = NetClassifier().partial_fit(X, Y, classes=[0, 1]).run_.config
    assert {**net.run_.config, "epochs": 1} == {**usual, "epochs": 1}


def test_an_optimizer_chosen_between_calls_keeps_the_learning_rate_that_was_given() -> None:
    net = NetClassifier(lr=0.05).partial_fit(X, Y, classes=[0, 1]).set_params(optimizer="adam").partial_fit(X, Y)
    assert (net.run_.config["optimizer"]["name"], net.run_.config["lr"]) == ("adam", 0.05)


@pytest.mark.parametrize("epochs", [-1, 0, 2.5, "3", None], ids=repr)
@pytest.mark.parametrize("estimator", [NetClassifier, NetRegressor])
def test_partial_fit_trains_a_whole_number_of_epochs(estimator: Any, epochs: Any) -> None:
    net, classes = estimator(), {"classes": [0, 1]} if estimator is NetClassifier else {}
    for _ in ("first", "later"):
        with pytest.raises(UserError, match=f"^epochs={epochs!r}: must be (at least 1|a whole number)$"):
            net.partial_fit(X, Y, **classes, epochs=epochs)
        net.partial_fit(X, Y, **classes)


def test_a_fit_that_fails_leaves_an_estimator_as_it_was() -> None:
    new = NetClassifier(lr=-1)
    for method in (new.fit, lambda x, y: new.partial_fit(x, y, classes=[0, 1])):
        with pytest.raises(UserError, match=r"^lr=-1: "):
            method(X, Y)
        assert not hasattr(new, "classes_")
        with pytest.raises(NotFittedError):
            new.predict(X)
    fitted = NetClassifier(epochs=3).fit(X, Y)
    before = fitted.predict(X)
    with pytest.raises(UserError, match=r"^lr=-1: "):
        fitted.set_params(lr=-1).fit(X, np.array(["no", "yes"])[Y])
    np.testing.assert_array_equal(fitted.predict(X), before)


def test_log_probabilities_are_logarithms_and_exist_where_probabilities_do() -> None:
    net = NetClassifier(epochs=20).fit(X, Y)
    np.testing.assert_allclose(np.exp(net.predict_log_proba(X)), net.predict_proba(X), rtol=1e-12)
    assert not hasattr(NetClassifier(loss="hinge", epochs=2).fit(X, Y), "predict_log_proba")


def test_targets_keep_the_names_of_their_columns() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"price": Y, "area": 1 - Y})
    assert NetRegressor(epochs=2).fit(X, table).run_.output_names == ("price", "area")
    assert NetRegressor(epochs=2).fit(X, table["area"]).run_.output_names == ("area",)
    assert NetClassifier(epochs=2).fit(X, table["price"]).run_.output_names == ("price",)


@pytest.mark.parametrize("classes", [[], [0]], ids=repr)
def test_classes_are_two_or_more(classes: list[Any]) -> None:
    with pytest.raises(UserError, match=r"^classes: "):
        NetClassifier().partial_fit(X, Y, classes=classes)
