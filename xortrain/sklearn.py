"""Networks as estimators of scikit-learn, for its pipelines, searches and plots: `NetClassifier`, `NetRegressor`.

They train as `xortrain.train` does with data=(x, t), and keep the run as ``run_``.  Inputs and targets are taken as
they are, since pipelines have their own StandardScaler; overrides=("data.scale=standard",) scales them in the run.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Self

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import Tags
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    if str(error.name).partition(".")[0] != "sklearn":
        raise
    raise ImportError("xortrain.sklearn: needs scikit-learn 1.6 or newer; pip install 'xortrain[sklearn]'") from None

from xortrain.api import Run
from xortrain.config.check import Config, short
from xortrain.config.overrides import use_files
from xortrain.config.own_rows import FILES
from xortrain.config.variations import Variations
from xortrain.errors import UserError, checks_arguments
from xortrain.nets import Array
from xortrain.nets.losses import LOSSES
from xortrain.records.metadata import flat_settings
from xortrain.runner.continuation import continue_run
from xortrain.runner.train import train_run
from xortrain.setup.own_arrays import array_data, own_names, with_classes, with_numbers
from xortrain.setup.own_data import OwnData

__all__ = ["NetClassifier", "NetRegressor"]

SETTINGS = {
    "hidden": "architecture.hidden",
    **{key: key for key in ("activation", "loss", "optimizer", "lr", "epochs", "batch_size")},
}
"""Parameters of the estimators, and the settings they set; random_state may draw its seed."""
LR = 0.2
"""The learning rate where neither it nor an optimizer is chosen: with the 1.0 of conf/ regressions diverge."""


class _Net(BaseEstimator):  # type: ignore[misc]
    """Parameters, training and predictions of both estimators."""

    run_: Run

    def __init__(
        self, hidden: Any = (8,), activation: Any = None, loss: Any = None, optimizer: Any = None, lr: Any = None,
        epochs: Any = None, batch_size: Any = None, random_state: Any = None, overrides: Any = (),
    ) -> None:  # fmt: skip
        self.hidden = hidden
        self.activation = activation
        self.loss = loss
        self.optimizer = optimizer
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state
        self.overrides = overrides

    @property
    def loss_curve_(self) -> Array:
        """The loss after each epoch of ``run_.loss_epochs``: (recorded,)."""
        return self.run_.losses

    @property
    def n_iter_(self) -> int:
        """The number of epochs trained."""
        return int(self.run_.row["epochs_done"])

    def _settings(self) -> dict[str, Any]:
        """The settings that parameters set, without those that are None or set by overrides."""
        found = {key: getattr(self, name) for name, key in SETTINGS.items() if getattr(self, name) is not None}
        if not {"optimizer", "experiment"} & {*found, *map(_key, self.overrides)}:
            found = {"lr": LR, **found}
        return {key: value for key, value in found.items() if key not in map(_key, self.overrides)}

    def _seed(self) -> dict[str, Any]:
        given = self.random_state
        if isinstance(given, np.random.RandomState):
            given = given.randint(2**32, dtype=np.uint32)
        return {} if given is None or "seed" in map(_key, self.overrides) else {"seed": given}

    def _config(self, **settings: Any) -> Config:
        """The configuration that the parameters have now."""
        if not isinstance(self.overrides, list | tuple) or not all(isinstance(text, str) for text in self.overrides):
            raise UserError(f"overrides={self.overrides!r}: must be texts, as in ('init=he_normal',)")
        use_files(self.overrides)  # which may have changed
        hashes = tuple(file.sha256 for file in FILES.values())
        return _variations(hashes, "data=csv", *self.overrides).of({**self._settings(), **self._seed(), **settings})

    def _train(self, own: OwnData, **settings: Any) -> Self:
        """Train from the start."""
        self.run_ = Run(train_run(config := self._config(**settings), own).trained)
        self._trained_with = _changeable(config)
        return self

    def _train_some(self, own: OwnData, epochs: int) -> Self:
        """Continue from the current parameters and optimizer state, with the settings changed since; or start."""
        if epochs < 1:
            raise UserError(f"epochs={epochs}: must be at least 1")
        if not hasattr(self, "run_"):
            return self._train(own, epochs=epochs)
        now = _changeable(self._config())
        kept = {key for key, value in self._trained_with.items() if now.get(key, ...) == value} - {"lr"}
        changed = [f"{key}={short(value)}" for key, value in now.items() if key not in kept]
        self.run_ = Run(continue_run(self.run_, [*changed, f"epochs=+{epochs}"], own=own)[0].trained)
        self._trained_with = now
        return self

    def _own(self, X: Array, y: Array, outputs: Sequence[str]) -> OwnData:
        """Examples with the names of their columns, if they have some."""
        inputs = [str(name) for name in getattr(self, "feature_names_in_", ())]
        return array_data((X, y), inputs=inputs or None, outputs=outputs or None)

    def _outputs(self, X: Any) -> Array:
        """The outputs of the network: (examples, outputs)."""
        check_is_fitted(self, "run_")
        return self.run_.predict(validate_data(self, X, reset=False))


def _classes(argument: str, given: Any) -> Array:
    """The different classes among labels, in increasing order."""
    if len(classes := np.unique(given)) < 2:
        raise UserError(f"{argument}: has {'one class' if len(classes) else 'no class'}; needs two classes or more")
    return classes


def _changeable(config: Config) -> dict[str, Any]:
    """The settings that may change when training continues, by dotted name; options before their settings."""
    flat = flat_settings({**config, "layer_lr": {}}) | {"layer_lr": config["layer_lr"]}  # replaced as a whole
    return {key: flat[key] for key in sorted(flat, key=lambda key: "." in key) if key not in ("seed", "epochs")}


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+")  # as in ++lr=3


@lru_cache
def _variations(hashes: tuple[str, ...], *overrides: str) -> Variations:
    """Overrides are composed once for all networks trained with them, while files of own rows stay as they are."""
    return Variations(overrides)


def _has_probabilities(net: _Net) -> bool:
    """Whether the outputs are probabilities of classes, as far as that is known before training."""
    if not hasattr(net, "run_"):
        return True
    last, kind = net.run_.network.layers[-1], LOSSES[net.run_.config["loss"]["name"]].targets
    return last.row.gives_probabilities and kind != "signs" and (last.units == 1 or last.row.couples_units)


class NetClassifier(ClassifierMixin, _Net):  # type: ignore[misc]
    """A network that separates classes, by default with bce for two of them and cross_entropy for more.

    ``hidden`` are the widths of the hidden layers, as in (8, 8); ``activation``, ``loss`` and ``optimizer`` are names;
    ``lr`` is the learning rate, ``epochs`` the passes over the data, ``batch_size`` the examples of an update (None:
    all), ``random_state`` the seed.  ``overrides`` set anything else, in the words of the command line, and come last:
    ("init=he_normal", "optimizer.momentum=0.9").

    Parameters that are None have the defaults of ``conf/``, which `xortrain --help` lists.  Two defaults differ: the
    lr=1 that suits XOR makes regressions diverge, and at a lower rate two hidden units are too few for most data.

    After `fit` it has ``run_``, an `xortrain.Run`, and ``classes_``, ``loss_curve_`` and ``n_iter_``.
    """

    classes_: Array

    def fit(self, X: Any, y: Any) -> Self:
        """Train from the start on X (examples, inputs) and labels y (examples,)."""
        names, (X, y) = own_names(y), validate_data(self, X, y)
        check_classification_targets(y)
        classes = _classes("y", y)
        self._train(self._examples(X, y, names, classes))
        self.classes_ = classes
        return self

    @checks_arguments
    def partial_fit(self, X: Any, y: Any, classes: Any = None, epochs: int = 1) -> Self:
        """Continue training from the current state, by default for one epoch over these examples.

        The first call needs all ``classes``; the state of the optimizer is kept from call to call.
        """
        is_first = not hasattr(self, "run_")
        names, (X, y) = own_names(y), validate_data(self, X, y, reset=is_first)
        check_classification_targets(y)
        if is_first and classes is None:
            raise UserError("classes: must be given to the first call of partial_fit")
        known = _classes("classes", classes) if is_first else self.classes_
        if classes is not None and not np.array_equal(np.unique(classes), known):
            raise UserError(f"classes={short(list(classes))}: must be those of the first call")
        self._train_some(self._examples(X, y, names, known), epochs)
        self.classes_ = known
        return self

    def predict(self, X: Any) -> Array:
        """The class of each example: (examples,)."""
        outputs = self._outputs(X)
        return self.classes_[self.run_.class_indices(outputs)]

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class: (examples, classes)."""
        y = self._outputs(X)
        return y if y.shape[1] > 1 else np.concatenate([1 - y, y], axis=1)

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    @np.errstate(divide="ignore")
    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of `predict_proba`."""
        return np.log(self.predict_proba(X))

    def _examples(self, X: Array, y: Array, names: Sequence[str], classes: Array) -> OwnData:
        places = np.searchsorted(classes, y).clip(max=len(classes) - 1)
        if (new := classes[places] != y).any():
            raise UserError(f"y: has the class {y[new][0]}, which is not one of classes")
        return with_classes(self._own(X, places, names), classes.tolist())


class NetRegressor(RegressorMixin, _Net):  # type: ignore[misc]
    """A network that predicts numbers, by default with mse; parameters are those of `NetClassifier`."""

    def fit(self, X: Any, y: Any) -> Self:
        """Train from the start on X (examples, inputs) and numbers y (examples,) or (examples, outputs)."""
        return self._train(self._examples(X, y))

    @checks_arguments
    def partial_fit(self, X: Any, y: Any, epochs: int = 1) -> Self:
        """Continue training from the current state, by default for one epoch over these examples.

        The state of the optimizer is kept from call to call.
        """
        return self._train_some(self._examples(X, y, reset=not hasattr(self, "run_")), epochs)

    def predict(self, X: Any) -> Array:
        """The outputs for each example: (examples,), or (examples, outputs) if there are several."""
        y = self._outputs(X)
        return y if y.shape[1] > 1 else y[:, 0]

    def _examples(self, X: Any, y: Any, reset: bool = True) -> OwnData:
        names, (X, y) = own_names(y), validate_data(self, X, y, multi_output=True, y_numeric=True, reset=reset)
        numbers = y.astype(np.float64)  # scikit-learn lets texts pass, which would be classes
        return with_numbers(self._own(X, numbers, names))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
