"""One-line user errors: the place, the value given, the known values, and the nearest of them.

The command line prints them and exits with 2; in Python they are exceptions.
"""

from collections.abc import Iterable


class UserError(ValueError):
    """A mistake of the user; the text is one line for a terminal."""


class FailedError(Exception):
    """A command that failed in part: one line, and in ``shown`` the results that it does have; exit code 1."""

    def __init__(self, line: str, shown: str = "") -> None:
        super().__init__(line)
        self.shown = shown


def unknown(where: str, name: object, known: Iterable[str], what: str = "choice") -> UserError:
    """The error for a value that is not among the known ones; it suggests the nearest."""
    return UserError(f"{where}={name}: {_none_such(name, known, what)}")


def unknown_key(
    key: str, value: object, known: Iterable[str], what: str = "setting", deeper: Iterable[str] = ()
) -> UserError:
    """The error for an unknown key; it suggests the nearest, also by the last part of the dotted keys in ``deeper``."""
    return UserError(f"{key}={value}: {_none_such(key, known, what, deeper)}")


def unknown_word(word: str, known: Iterable[str], what: str) -> UserError:
    """The error for a word that is not among the known ones."""
    return UserError(f"{word}: {_none_such(word, known, what)}")


def _none_such(name: object, known: Iterable[str], what: str, deeper: Iterable[str] = ()) -> str:
    from difflib import get_close_matches

    names = sorted(known)
    named = {key.rpartition(".")[2]: key for key in deeper} | {key: key for key in names}
    near = get_close_matches(str(name).lower(), named, n=1, cutoff=0.5)
    meant = f" Did you mean {named[near[0]]!r}?" if near else ""
    return f"no such {what}.{meant} Known: {', '.join(names) or 'none'}"


def printable(text: object) -> str:
    """Make a text safe for a terminal: tabs and line breaks become spaces, other control characters are removed."""
    text = text if isinstance(text, str) else str(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " for c in text if c.isprintable() or c.isspace())


def file_error(path: object, what: object) -> UserError:
    """The error for a problem with a file."""
    return UserError(f"{printable(path)}: {printable(what)}")
