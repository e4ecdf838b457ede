"""One-line user errors: the place, the value given, the known values, and the nearest of them.

The command line prints them and exits with 2; in Python they are exceptions.
"""

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin


class UserError(ValueError):
    """A mistake of the user; the text is one line for a terminal."""


class NeededFileError(UserError):
    """A record has options of a file of the user's own that is not in use."""


class Remark(UserWarning):
    """One line that a user should read beside an answer; the command line prints it, in Python it is a warning."""


class FailedError(Exception):
    """A command that failed in part: one line, and in ``shown`` the results that it does have; exit code 1."""

    def __init__(self, line: str, shown: str = "") -> None:
        super().__init__(line)
        self.shown = shown


OF_PATHS = (
    errno.ENAMETOOLONG, errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ELOOP,
    errno.EEXIST, errno.ENOTEMPTY, errno.EILSEQ,
)  # fmt: skip
"""System errors that are about a path that the user gave."""

LONGEST = 300  # characters of an error line
LONGEST_VALUE = 60  # characters of a value in it
LONGEST_REASON = 120  # characters of an error of Python in it
SYNONYMS: dict[str, tuple[str, ...]] = {
    "lr": ("learning_rate", "rate", "step_size", "eta"),
    "epochs": ("epoch", "n_epochs", "num_epochs", "iterations", "n_iter", "max_iter"),
    "seed": ("random_state", "random_seed"),
    "batch_size": ("batch", "minibatch"),
    "data": ("dataset",),
    "data.path": ("csv", "file", "input"),
    "architecture.hidden": ("units", "neurons", "layers", "hidden_units", "hidden_layers", "hidden_size"),
    "activation": ("activation_function", "act", "nonlinearity"),
    "output": ("output_activation", "output_function"),
    "loss": ("loss_function", "criterion", "objective", "cost"),
    "init": ("initializer", "initialization", "weight_init"),
    "optimizer": ("optim", "optimiser", "opt", "solver"),
    "optimizer.weight_decay": ("l2", "decay"),
    "schedule": ("scheduler", "lr_schedule"),
    "stop": ("early_stopping", "patience"),
    "root": ("output_dir", "out_dir", "folder", "directory"),
    "ls": ("list",),
    "rm": ("remove", "delete"),
    "render": ("plot", "draw", "animate"),
    "sql": ("query",),
    "identity": ("linear", "none"),
    "sigmoid": ("logistic", "expit"),
    "silu": ("swish",),
    "step": ("heaviside", "threshold", "sign", "steplr", "step_decay"),
    "bce": ("binary_crossentropy", "binary_cross_entropy", "bce_loss", "bce_with_logits", "log_loss", "deviance"),
    "cross_entropy": ("categorical_crossentropy", "softmax_cross_entropy", "ce", "nll", "nll_loss"),
    "mse": ("mean_squared_error", "mse_loss", "squared_error", "squared_loss", "l2"),
    "mae": ("mean_absolute_error", "absolute_error", "l1", "l1_loss"),
    "he_normal": ("kaiming_normal", "he", "kaiming"),
    "he_uniform": ("kaiming_uniform",),
    "xavier_normal": ("glorot_normal",),
    "xavier_uniform": ("glorot_uniform",),
    "sgd": ("gd", "bgd", "gradient_descent", "vanilla"),
    "cosine": ("cosine_annealing", "cosine_decay"),
    "exponential": ("exponential_decay",),
    "circle": ("circles", "make_circles", "rings"),
    "moons": ("two_moons", "make_moons"),
    "gauss": ("blobs", "make_blobs", "gaussians"),
}
"""Settings, options and commands, and what else people call them."""


def unknown(where: str, name: object, known: Iterable[str], what: str = "choice") -> UserError:
    """The error for a value that is not among the known ones; it suggests the nearest."""
    return _none_such(f"{where}={cut(str(name))}", name, known, what)


def unknown_key(
    key: str, value: object, known: Iterable[str], what: str = "setting", deeper: Iterable[str] = ()
) -> UserError:
    """The error for an unknown key; the nearest that it suggests may also be one of ``deeper``."""
    return _none_such(key if value is None else f"{key}={cut(str(value))}", key, known, what, deeper)


def _none_such(where: str, name: object, known: Iterable[str], what: str, deeper: Iterable[str] = ()) -> UserError:
    """The error; it lists as many of the known names as fit into its line."""
    names = sorted(known)
    near = nearest(name, [*deeper, *names])
    line = f"{where}: no such {what}.{f' Did you mean {near[0]!r}?' if near else ''} "
    listed, room = ", ".join(names), LONGEST - len("xortrain: error: Known: , …") - len(line)
    if len(listed) > room > 0:
        listed = f"{listed[:room].rpartition(', ')[0]}, …"
    return UserError(f"{line}Known: {listed}" if names else f"{line}There are none")


def nearest(name: object, known: Iterable[str], most: int = 1) -> list[str]:
    """The known names most like a name, which may be their last part after a dot, or another word for them."""
    from difflib import get_close_matches

    names = list(known)
    called = {other: key for key in names for other in (*SYNONYMS.get(key, ()), key.rpartition(".")[2])}
    called |= {key.lower(): key for key in names} | {key: key for key in names}
    return list(dict.fromkeys(called[word] for word in get_close_matches(str(name).lower(), called, most, cutoff=0.6)))


def cut(text: str, most: int = LONGEST_VALUE) -> str:
    """A text with its middle left out if it is longer than ``most``."""
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[: most - 1 - half]}…{text[len(text) - half :]}"


def shorten_apart(names: Sequence[str], shorten: Callable[[str], str]) -> list[str]:
    """The names shortened; those that then look the same are without the words with which all of them begin."""
    found, alike = {name: shorten(name) for name in names}, dict[str, list[str]]()
    for name, short in found.items():
        alike.setdefault(short, []).append(name)
    for same in (same for same in alike.values() if len(same) > 1):
        shared = [*(len(set(letters)) == 1 for letters in zip(*same, strict=False)), False].index(False)
        start = 1 + max(same[0].rfind(mark, 0, shared) for mark in " -_.:/=")
        found |= {name: shorten("…" + name[start:]) for name in same if start}
    return [found[name] for name in names]


def width_of(text: str) -> int:
    """The columns of a terminal that a text takes: two for each letter of East Asia, none for an accent by itself."""
    if text.isascii():  # as nearly all
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def padded(text: str, columns: int, right: bool = False) -> str:
    """A text filled with blanks to a number of columns: after it, or before it with ``right``."""
    blanks = " " * (columns - width_of(text))
    return blanks + text if right else text + blanks


def counted(number: int, thing: str) -> str:
    """1 epoch, 2 epochs."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def needed(module: str, extra: str, what: str) -> Any:
    """A module of another library, which ``what`` needs; raises UserError with its extra if it is not there."""
    try:
        return import_module(module)
    except ImportError:
        raise UserError(f"{what}: needs {module.partition('.')[0]}; pip install 'xortrain[{extra}]'") from None


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its type if it has none."""
    return (str(error).splitlines() or [""])[0] or type(error).__name__


def error_words(error: BaseException) -> str:
    """An error as in "NameError: name 'b' is not defined"."""
    kind, text = type(error).__name__, first_line(error)
    return kind if text == kind else f"{kind}: {text}"


def printable(text: object) -> str:
    """Make a text safe for a terminal: tabs and line breaks become spaces, other control characters are removed."""
    text = text if isinstance(text, str) else str(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " for c in text if c.isprintable() or c.isspace())


def file_error(path: object, what: object) -> UserError:
    """The error for a problem with a file."""
    return UserError(f"{printable(path)}: {printable(what)}")


class Reading:
    """Any error in this context is a UserError for a path: what others wrote may raise nearly anything."""

    def __init__(self, path: object) -> None:
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UserError) and not str(error).isprintable():
            raise UserError(printable(error)) from None
        if isinstance(error, Exception) and not isinstance(error, UserError):
            reason = cut(" ".join(str(getattr(error, "strerror", None) or error).split()), LONGEST_REASON)
            raise file_error(self.path, f"not readable ({type(error).__name__}{reason and ': '}{reason})") from None


@contextmanager
def writing(path: object) -> Iterator[None]:
    """An error of the system about this path is a UserError; others, as of a full disk, are not of the user."""
    try:
        yield
    except OSError as error:
        if error.errno not in OF_PATHS:
            raise
        raise file_error(path, error.strerror) from None


AnyCallable = TypeVar("AnyCallable", bound=Callable[..., Any])


def checks_arguments(public: AnyCallable) -> AnyCallable:
    """A public function, or a class with all its public methods, that refuses arguments of other types.

    The annotations say which types these are; NumPy's numbers, and whole numbers as floats, are converted.
    """
    import inspect  # which --version does without

    if isinstance(public, type):
        for name, method in inspect.getmembers(public, inspect.isfunction):
            if not name.startswith("_"):
                setattr(public, name, checks_arguments(method))
        return public
    parameters = inspect.signature(public).parameters.values()
    places = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    names = [*places, *(one.name for one in parameters if one.kind == one.KEYWORD_ONLY)]
    kinds = {one.name: found for one in parameters if one.name in names and (found := _kinds(one.annotation))}

    def fitting(name: str, value: Any) -> Any:
        own = kinds.get(name, {})
        return value if not own or type(value) in own else _argument(name, value, own)

    @wraps(public)
    def call(*given: Any, **named: Any) -> Any:
        first = map(fitting, places, given)
        return public(*first, *given[len(places) :], **{name: fitting(name, value) for name, value in named.items()})

    return call  # type: ignore[return-value]


def _kinds(annotation: Any) -> dict[Any, Any]:
    """The types of an annotation, each with its words and what `isinstance` asks; none if one of them is not known."""
    from pathlib import Path

    types: dict[Any, Any] = {
        int: ("a whole number", int),
        float: ("a number", int | float),
        bool: ("True or False", bool),
        str: ("a text", str),
        Path: ("a path", Path),
        NoneType: ("None", NoneType),
        Sequence: ("a list", list | tuple | str),
        Mapping: ("a mapping", Mapping),
        Callable: ("a function", Callable),
    }
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    found = {kind: types.get(get_origin(kind) or kind) for kind in kinds}
    return {kind: row for kind, row in found.items() if row} if all(found.values()) else {}


def _argument(name: str, value: Any, kinds: Mapping[Any, Any]) -> Any:
    """The value as one of some types; raises UserError if it is of none."""
    plain, words = value.tolist() if hasattr(value, "tolist") else value, []
    for kind, (word, types) in kinds.items():
        own: Any = int(plain) if kind is int and isinstance(plain, float) and plain.is_integer() else plain
        are_texts = get_args(kind) == (str,)
        own = value if kind in (Sequence, Sequence[Any]) else own
        is_kind = isinstance(own, types) and (kind is bool or not isinstance(own, bool))
        if is_kind and (not are_texts or all(isinstance(one, str) for one in own)):
            return own
        words.append(f"{word} of texts" if are_texts else word)
    raise UserError(f"{name}={cut(printable(repr(value)))}: must be {' or '.join(words)}")
