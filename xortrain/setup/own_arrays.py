"""A Python user's own arrays as `OwnData`: numbers as inputs, numbers or labels as targets, and their names."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from xortrain.errors import UserError, counted, cut, printable
from xortrain.nets import Array
from xortrain.setup.column_names import MOST_KINDS, Columns, Source, shown, understood
from xortrain.setup.own_data import OwnData, Target, target_of, target_parts, with_held_out

PARTS = ("(x, t)", "(x_test, t_test)")
OF_TABLES: dict[str, Any] = {
    "path": None, "test_path": None, "inputs": [], "targets": [], "categorical": [], "header": "auto",
    "missing": "error",
}  # fmt: skip
"""The settings of data=csv that concern a file, with the values that they have for arrays."""
Names = Sequence[str] | None


def array_data(data: object, inputs: Names = None, outputs: Names = None, classes: Names = None) -> OwnData:
    """Own data from (x, t), or (x, t, x_test, t_test) with held-out examples; UserError for what they cannot be.

    Names that are not given are those of the arrays, if they have ``columns`` or a ``name``, as pandas' have.
    """
    if not isinstance(data, tuple | list) or len(data) not in (2, 4):
        raise UserError("data: must be two arrays or four, data=(x, t) or data=(x, t, x_test, t_test)")
    names = [own_names(part) for part in data[:2]]
    given = [in_order(part, names[k % 2], f"data={PARTS[k // 2]}: {'xt'[k % 2]}") for k, part in enumerate(data)]
    parts = [_checked(given[k], given[k + 1], PARTS[k // 2]) for k in range(0, len(data), 2)]
    sizes = [f"{x.shape[1]} and {len(t)}" for x, t in parts]
    if sizes[-1] != sizes[0]:
        raise UserError(f"data={PARTS[1]}: must have as many columns as {PARTS[0]}, {sizes[0]}, not {sizes[1]}")
    x, held = np.concatenate([x for x, _ in parts]), len(parts[1][0]) if len(parts) > 1 else 0
    input_names = _names("inputs", inputs, names[0], x.shape[1])
    of_targets = classes if outputs is None and classes is not None and len(parts[0][1]) > 1 else outputs
    target_names = _names("outputs", of_targets, names[1], len(parts[0][1]))
    where, targets = f"data={PARTS[0]}", []
    for k, same in enumerate(zip(*(t for _, t in parts), strict=True)):
        name = target_names[k] if target_names else f"y{k + 1}" if len(parts[0][1]) > 1 else "y"
        targets.append(replace(target_of(where, name, with_held_out(same), held), is_named=bool(target_names)))
    if len(targets) == 1:
        targets = [_with_classes(targets[0], classes, np.asarray(data[1]).dtype == bool)]
    sources = tuple(Source(name, k) for k, name in enumerate(input_names or [f"x{k + 1}" for k in range(x.shape[1])]))
    of_inputs = f"{counted(x.shape[1], 'input')}{': ' * bool(input_names)}"
    lines = [(counted(len(x) - held, "example"), [], ""), (of_inputs, list(input_names), "")]
    line = understood("data", [*lines, *target_parts(targets), *([(f"{held:,} held out", [], "")] if held else [])])
    is_small = len(sources) <= MOST_KINDS
    columns = Columns(input_names, (), (), sources if is_small else (), len(sources) if is_small else 0, line)
    return OwnData(x, tuple(targets), columns, where, held)


def with_classes(own: OwnData, names: Sequence[object]) -> OwnData:
    """The same examples, whose one target has indices of these classes, some of which may have no example."""
    called, indices = tuple(printable(name) for name in names), np.arange(len(names), dtype=np.float64)
    target = replace(own.targets[0], distinct=indices, names=called, is_text=True, has_classes=True)
    return replace(own, targets=(target,))


def with_numbers(own: OwnData) -> OwnData:
    """The same examples, whose targets are numbers, however few distinct ones there are."""
    return replace(own, targets=tuple(replace(target, has_classes=False) for target in own.targets))


def refuse_other_data(data: Mapping[str, Any]) -> None:
    """Refuse settings of data that own arrays make useless."""
    for key, usual in {"name": "csv", **OF_TABLES}.items():
        if data[key] != usual:
            setting = "data" if key == "name" else f"data.{key}"
            raise UserError(f"{setting}={data[key]}: your own arrays, data=(x, t), take its place; leave it out")


def _checked(x: Any, t: Any, name: str) -> tuple[Array, list[list[str] | Array]]:
    """x (examples, inputs), and the columns of t (examples,) or (examples, outputs)."""
    if np.ma.is_masked(x) or np.ma.is_masked(t):
        raise UserError(f"data={name}: must have no missing values")
    try:
        given = [as_array(part) for part in (x, t)]
        x, t = np.array(given[0], np.float64), np.array(t, object) if given[1].dtype.kind in "US" else given[1].copy()
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"data={name}: must be two arrays of numbers") from None
    t = t[:, None] if t.ndim == 1 else t
    if x.ndim != 2 or t.ndim != 2 or len(x) != len(t) or not x.size or not t.size:
        shapes = "x (examples, inputs) and t (examples,) or (examples, outputs)"
        raise UserError(f"data={name}: must be {shapes}, not {x.shape} and {t.shape}")
    if t.dtype == object and any(map(_is_missing, t.ravel().tolist())):
        raise UserError(f"data={name}: must have no missing values")
    columns = [_column(column) for column in t.T]
    if not (np.isfinite(x).all() and all(isinstance(c, list) or np.isfinite(c).all() for c in columns)):
        raise UserError(f"data={name}: must be finite")
    return x, columns


def as_array(given: Any) -> Array:
    """What a user gives as an array; TypeError for masked values, complex numbers and times, which are no numbers."""
    array = np.asarray(given)
    if np.ma.is_masked(given) or array.dtype.kind in "cmM":
        raise TypeError
    return array


def in_order(frame: Any, known: Sequence[str], where: str) -> Any:
    """The columns of a frame, or values of one row of it, in the order of the ``known`` names; an array as it is."""
    labels = getattr(frame, "columns", getattr(frame, "index", ()) if len(known) > 1 else ())
    names = shown(labels) if isinstance(labels, Iterable) else ()
    if names == tuple(known) or len(set(known)) < max(1, len(known)) or names == shown(map(str, range(len(names)))):
        return frame
    wrong = (known, names, "has no column {}; needs {}"), (names, known, "has a column {}, which is none of {}")
    for one, others, what in wrong:
        if lacking := [name for name in one if name not in others]:
            raise UserError(f"{where}: {what.format(repr(lacking[0]), cut(', '.join(known), 80))}")
    return np.asarray(frame)[..., [names.index(name) for name in known]]


def _is_missing(value: object) -> bool:
    return value is None or (not isinstance(value, str) and str(value) in ("nan", "<NA>", "NaT"))


def _column(values: Array) -> list[str] | Array:
    """A column of t as numbers, or as texts if it has labels."""
    has_texts = values.dtype.kind in "OSUT" and any(isinstance(value, str | bytes) for value in values.tolist())
    with suppress(TypeError, ValueError, OverflowError):
        if not has_texts:
            return values.astype(np.float64)
    return [printable(value.decode() if isinstance(value, bytes) else value) for value in values.tolist()]


def own_names(array: object) -> tuple[str, ...]:
    """The names that an array brings along."""
    name = getattr(array, "name", None)
    names = getattr(array, "columns", [name] if isinstance(name, str) else ())
    return shown(names) if isinstance(names, Iterable) else ()


def _names(setting: str, given: Names, own: tuple[str, ...], count: int) -> tuple[str, ...]:
    if given is None:
        return own if len(own) == count else ()
    are_texts = not isinstance(given, str) and all(isinstance(name, str) for name in given)
    if not are_texts or len(given) != count or len(set(given)) < count:
        raise UserError(f"{setting}={given!r}: must be {counted(count, 'name')}, a different one for each")
    return shown(given)


def _with_classes(target: Target, given: Names, is_bool: bool) -> Target:
    if given is None:
        names = tuple(str(bool(value)) for value in target.distinct) if is_bool else target.names
        return replace(target, names=names)
    names = _names("classes", given, (), len(target.distinct))
    if target.is_text and names != target.names and set(names) & set(target.names):
        raise UserError(f"classes={given!r}: must be in the order of the labels, {list(target.names)}; or leave it out")
    return replace(target, names=names, has_classes=True)
