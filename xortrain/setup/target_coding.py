"""The loss that fits targets, for loss=auto, and a user's targets coded as a loss requires them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from xortrain.config.settings import defaults_of
from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.nets.losses import LOSSES
from xortrain.setup.column_names import MOST_KINDS, shown
from xortrain.setup.own_data import OwnData, Target
from xortrain.setup.population import Population


class CodedTargets(NamedTuple):
    """Targets (examples, outputs), and the names of the outputs and of the classes, if there are any."""

    t: Array
    outputs: tuple[str, ...]
    classes: tuple[str, ...] = ()


def fitting_loss(targets: Sequence[Target]) -> str:
    """The loss for a user's targets: for two classes bce, for more cross_entropy, for numbers mse."""
    if len(targets) == 1:
        target = targets[0]
        return "mse" if not target.has_classes else "bce" if len(target.distinct) == 2 else "cross_entropy"
    if all(target.has_classes and len(target.distinct) == 2 for target in targets):
        return fitting_loss_of(np.stack([target.values == target.distinct[1] for target in targets], axis=1))
    return "mse"


def fitting_loss_of(t: Array) -> str:
    """The loss for targets (examples, outputs, …) that are numbers already."""
    if len(np.unique(t)) != 2:
        return "mse"
    return "cross_entropy" if t.shape[1] > 1 and bool(((t == t.max()).sum(axis=1) == 1).all()) else "bce"


def with_chosen_loss(population: Population, fitting: Callable[[], str]) -> Population:
    """The population with names in place of loss=auto, the ``fitting`` one, and output=auto; others are unchanged."""
    config = dict(population.config)
    if config["loss"]["name"] == "auto":
        loss = fitting()
        config["loss"] = {"name": loss, **defaults_of("loss", loss), "reduction": config["loss"]["reduction"]}
    if config["output"]["name"] == "auto":
        output = LOSSES[config["loss"]["name"]].output
        config["output"] = {"name": output, **defaults_of("output", output)}
    return replace(population, config=config)


def coded_targets(own: OwnData, loss: str) -> CodedTargets:
    """All targets as this loss requires them; those that no code fits stay as they are, and are refused later."""
    for target in own.targets:
        if target.is_text and len(own.targets) > 1 and len(target.distinct) > 2:
            raise UserError(
                f"{own.where}: the target {target.name} has {len(target.distinct)} classes, and is one of "
                f"{len(own.targets)} targets; choose one of them by data.targets="
            )
    if len(own.targets) == 1:
        return _of_one(own, own.targets[0], loss)
    t = np.stack([_of_several(own, target, loss) for target in own.targets], axis=1)
    named = [f"{one.name}={one.names[1]}" if one.is_text else one.name for one in own.targets]  # 1 is the second class
    names = shown(named) if own.targets[0].is_named or any(one.is_text for one in own.targets) else ()
    return CodedTargets(t, names, names if LOSSES[loss].targets == "classes" else ())


def _of_one(own: OwnData, target: Target, loss: str) -> CodedTargets:
    kind, name, count = LOSSES[loss].targets, target.name if target.is_named else "y", len(target.distinct)
    names = shown([target.name]) if target.is_named else ()
    if kind == "classes" or (kind == "any" and target.is_text and count > 2):
        _refuse_as_classes(own, target, loss)
        one_hot = np.eye(count)[np.searchsorted(target.distinct, target.values)]
        classes = shown(target.names)
        return CodedTargets(one_hot, shown(f"{name}={kind}" for kind in classes) if classes else (), classes)
    if target.is_text and count > 2:
        raise UserError(f"loss={loss}: the target {target.name} has {count} classes; add loss=cross_entropy")
    if not target.is_text and (kind == "any" or count != 2 or not target.has_classes):
        return CodedTargets(target.values[:, None], names)
    return CodedTargets(_of_several(own, target, loss)[:, None], names, shown(target.names))


def _of_several(own: OwnData, target: Target, loss: str) -> Array:
    """A target with an output of its own."""
    kind = LOSSES[loss].targets
    are_numbers = kind == "any" or not all(one.has_classes and len(one.distinct) == 2 for one in own.targets)
    if are_numbers and not target.is_text:
        return target.values
    _refuse_new_class(own, target)
    return np.where(target.values == target.distinct[1], 1.0, -1.0 if kind == "signs" else 0.0)


def _refuse_as_classes(own: OwnData, target: Target, loss: str) -> None:
    """Refuse numbers that are no classes, too many classes or one, and a class of held-out examples alone."""
    if not target.has_classes and (target.distinct != np.floor(target.distinct)).any():
        value = target.distinct[target.distinct != np.floor(target.distinct)][0]
        raise UserError(f"loss={loss}: requires classes, and {target.name or 'the target'} has {value:g}; add loss=mse")
    if not 2 <= len(target.distinct) <= MOST_KINDS:
        raise UserError(f"loss={loss}: requires from 2 to {MOST_KINDS} classes, but these are {len(target.distinct)}")
    _refuse_new_class(own, target)


def _refuse_new_class(own: OwnData, target: Target) -> None:
    new = np.setdiff1d(target.values, target.distinct)
    if len(new):
        raise UserError(f"{own.where}: held-out examples have the class {new[0]:g}, which no training example has")
