"""Command lines of the tracker: what all commands have in common, and a mistake in one line."""

import argparse
from pathlib import Path
from typing import NoReturn

from xortrain.errors import UserError
from xortrain.tracker import COMMANDS

ROOT = "outputs"


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are told like all others."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see {self.prog} --help")


def parser(command: str, *, notes: str = "") -> Parser:
    """The parser of a command, with --root and --json."""
    says = COMMANDS[command][1]
    made = Parser(f"xortrain {command}", description=says[0].upper() + says[1:] + ".", epilog=notes, allow_abbrev=False)
    made.add_argument("--root", type=folder, default=Path(ROOT), help="folder of the records (now %(default)s)")
    made.add_argument("--json", action="store_true", help="the answer as one JSON array")
    return made


def folder(text: str) -> Path:
    """A folder that is there; only the default may not be there yet."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text}: {'is no folder' if Path(text).exists() else 'no such folder'}")
    return Path(text)


NAMES = (
    "A run is named by its path, by SWEEP#17, by the beginning of its id (the date and time in xortrain ls), or latest."
)


def names(text: str) -> list[str]:
    """lr,seed as a list."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError("must be names with commas between them")
    return found


def names_or_none(text: str) -> list[str]:
    """lr,seed as a list, which may be empty."""
    return names(text) if text else []


def count(text: str) -> int:
    """A number of lines."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: must be a whole number, at least 1")
    return int(text)
