"""Command lines of the tracker: what all commands have in common, and a mistake in one line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from xortrain.commands import COMMANDS
from xortrain.errors import UserError
from xortrain.records.files import plain
from xortrain.records.index import Entry, RecordInfo, listing
from xortrain.records.naming import named

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


@dataclass(frozen=True)
class Selection:
    """Some runs of one record, by their places in it, rising."""

    entry: Entry
    part: RecordInfo
    places: Sequence[int]


def selection(names: Sequence[str], where: str | None, root: Path) -> list[Selection]:
    """The runs that are meant, record by record; at least one."""
    found = named_runs(names, root) if names else all_runs(listing(root).entries)
    if where is not None:
        from xortrain.records.query import select

        keep = {(part.folder, place) for _, part, place in select(entries_of(found), where, "--where")}
        found = [Selection(s.entry, s.part, [k for k in s.places if (s.part.folder, k) in keep]) for s in found]
    found = [some for some in found if some.places]
    if not found:
        raise UserError("no runs are chosen" if where is None else f"--where={plain(where)}: holds for no run")
    return found


def all_runs(entries: Sequence[Entry]) -> list[Selection]:
    """Every run of these."""
    return [Selection(entry, part, range(len(part.rows))) for entry in entries for part in entry.parts]


def entries_of(found: Sequence[Selection]) -> list[Entry]:
    """Each record that some of them are of, once."""
    return list({some.entry.folder: some.entry for some in found}.values())


def named_runs(names: Sequence[str], root: Path) -> list[Selection]:
    """The runs of some names: each run once, however often it is named."""
    whole: dict[Path, Selection] = {}
    single: dict[Path, tuple[Entry, RecordInfo, set[int]]] = {}
    for name in names:
        found = named(name, root)
        if found.number is None:
            whole |= {some.part.folder.resolve(): some for some in all_runs([found.entry])}
        else:
            part, place = found.run()
            single.setdefault(part.folder.resolve(), (found.entry, part, set()))[2].add(place)
    parts = {key: Selection(entry, part, sorted(places)) for key, (entry, part, places) in single.items()}
    return list({**parts, **whole}.values())
