"""A user's mistake, told in one line: where, what came, what is known, and the nearest name.

The command line prints it and exits with 2; a Python user gets it as an exception.
"""

from collections.abc import Iterable


class UserError(ValueError):
    """Something the user asked for cannot be done; the text is one line for the reader of a terminal."""


def unknown(where: str, name: object, known: Iterable[str], what: str = "choice") -> UserError:
    """The error for a name that is not in a list, with the nearest name that is."""
    from difflib import get_close_matches

    names = sorted(known)
    near = get_close_matches(str(name).lower(), names, n=1, cutoff=0.5)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return UserError(f"{where}={name}: no such {what}.{meant} Known: {', '.join(names)}")
