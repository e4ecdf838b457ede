"""A user's mistake, told in one line: where, what came, what is known, and the nearest name.

The command line prints it and exits with 2; a Python user gets it as an exception.
"""

from collections.abc import Iterable


class UserError(ValueError):
    """Something the user asked for cannot be done; the text is one line for the reader of a terminal."""


class FailedError(Exception):
    """What was asked for ran, and something in it failed: one line, and what there is to show; exit code 1."""

    def __init__(self, line: str, shown: str = "") -> None:
        super().__init__(line)
        self.shown = shown


def unknown(where: str, name: object, known: Iterable[str], what: str = "choice") -> UserError:
    """The error for a value that is not in a list, with the nearest that is."""
    return UserError(f"{where}={name}: {_none_such(name, known, what)}")


def unknown_key(
    key: str, value: object, known: Iterable[str], what: str = "setting", deeper: Iterable[str] = ()
) -> UserError:
    """The error for a key that is not in a list, with the nearest; of ``deeper``, dotted keys, by its last part."""
    return UserError(f"{key}={value}: {_none_such(key, known, what, deeper)}")


def unknown_word(word: str, known: Iterable[str], what: str) -> UserError:
    """The error for a word by itself."""
    return UserError(f"{word}: {_none_such(word, known, what)}")


def _none_such(name: object, known: Iterable[str], what: str, deeper: Iterable[str] = ()) -> str:
    from difflib import get_close_matches

    names = sorted(known)
    spoken = {key.rpartition(".")[2]: key for key in deeper} | {key: key for key in names}
    near = get_close_matches(str(name).lower(), spoken, n=1, cutoff=0.5)
    meant = f" Did you mean {spoken[near[0]]!r}?" if near else ""
    return f"no such {what}.{meant} Known: {', '.join(names) or 'none'}"
