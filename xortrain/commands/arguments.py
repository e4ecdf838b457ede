"""What the command lines of all commands share: their parsers, the runs that they select, and JSON output."""

import argparse
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from xortrain.commands import COMMANDS
from xortrain.errors import UserError, printable
from xortrain.records import columns
from xortrain.records.files import shown_path
from xortrain.records.index import Entry, RecordInfo, Selection, listing, remark_left_out
from xortrain.records.naming import ROOT, VARIABLE, default_root, named, shown_root, user_path
from xortrain.records.removal import record_above
from xortrain.records.tables import as_json

NAMES = (
    "A run is named by its path, by SWEEP#17, by SWEEP@lr=3.2,seed=4 (its settings in the sweep), by the beginning of "
    "its id (the date and time in xortrain ls), or latest."
)


ASKED = "\0"
"""Asks a command for its parser, in place of arguments, among which it cannot be."""


class ParserFound(Exception):  # noqa: N818  (not an error)
    """Raised by a command that is asked for its parser."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser


class Parser(argparse.ArgumentParser):
    """A parser that raises a UserError instead of exiting."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if args == [ASKED]:
            raise ParserFound(self)
        found, rest = super().parse_known_args(args, namespace)
        if getattr(found, "root", "") is None:
            found.root = default_root()
        if getattr(found, "use", None):
            from xortrain.config.own_rows import use

            use(found.use)
        return found, rest

    def error(self, message: str) -> NoReturn:
        option, mark, misfit = message.removeprefix("argument ").partition(": =")
        line = f"{option.partition('/')[0]}={misfit}" if mark else option
        raise UserError(f"{line}; see {self.prog} --help")


def command_parser(command: str, notes: str = NAMES, *, has_json: bool = True, root_must_exist: bool = True) -> Parser:
    """The parser of a command, with --root and --json; ``notes`` are the end of its help."""
    line = COMMANDS[command][1]
    description = f"{line[0].upper()}{line[1:]}."
    parser = Parser(f"xortrain {command}", description=description, epilog=notes, allow_abbrev=False)
    kind = _folder if root_must_exist else user_path
    parser.add_argument("--root", type=kind, help=f"folder of the records (default: {VARIABLE}, or {ROOT})")
    parser.add_argument("--use", metavar="FILE", action="append", help="your Python file with options of your own")
    if has_json:
        parser.add_argument("--json", action="store_true", help="print the answer as one JSON array")
    return parser


def answer(asked: argparse.Namespace, items: Iterable[Mapping[str, Any]], lines: Iterable[str]) -> str:
    """The text that a command prints: with --json its items, else its lines."""
    return as_json(items) if asked.json else "\n".join(lines)


def answers(
    asked: argparse.Namespace, texts: Iterable[str], item: Mapping[str, Any] | Callable[[], str]
) -> Iterator[str]:
    """The texts of a command, which writes files between them; with --json its item, or JSON, after the same files."""
    failure: BaseException | None = None
    try:
        yield from (text for text in texts if not asked.json)
    except (Exception, KeyboardInterrupt) as error:
        failure = error
    if asked.json:
        yield item() if callable(item) else as_json([item])
    if failure:
        raise failure


def misfit(text: str, what: str) -> argparse.ArgumentTypeError:
    """The error for the value of an option, which `Parser` shows as in "--limit=x: must be a whole number"."""
    return argparse.ArgumentTypeError(f"={text}: {what}")


def _folder(text: str) -> Path:
    """An existing folder."""
    path = user_path(text)
    if not path.is_dir():
        raise misfit(text, "is not a folder" if path.exists() else "no such folder")
    return path


def add_output(parser: Parser, help: str, *aliases: str, extensions: Collection[str] = ()) -> None:
    """Add the option for the file to write, --output; ``aliases`` are its older names."""

    def kind(text: str) -> Path:
        path = user_path(text)
        if extensions and (text.endswith("/") or path.suffix.lower() not in extensions):
            raise misfit(text, f"must end in {', '.join(extensions)}")
        return path

    parser.add_argument("--output", *aliases, type=kind, metavar="PATH", help=help)


def add_where(parser: Parser) -> None:
    """Add the option that selects runs by a condition, --where."""
    parser.add_argument("--where", metavar="EXPR", help="only runs for which this condition holds")


def refuse_two_formats(option: str, form: str | None, path: Path | None, extensions: Iterable[str]) -> None:
    """Raise UserError if a format and the extension of a file contradict each other."""
    if form and path and path.suffix.lower() in extensions and path.suffix.lower() != f".{form}":
        raise UserError(f"{option}={form} and --output={printable(path)}: contradict each other; leave one of them out")


def refuse_to_write(path: Path) -> None:
    """Raise UserError for a file inside a record, which holds nothing but what training writes."""
    record = record_above(path)
    if record is not None:
        where = printable(shown_path(record))
        raise UserError(f"--output={printable(path)}: is inside a record, {where}; choose another folder")


def may_replace(path: Path) -> bool:
    """Whether a path is free, or the user agrees to replace the file that is there."""
    if not path.is_file():  # /dev/null is none
        return True
    if not sys.stdin.isatty():
        raise UserError(f"--output={printable(path)}: exists already; add --force to replace it")
    return input(f"replace {printable(path)}? [y/N] ").strip().lower() in ("y", "yes")


def comma_separated(text: str) -> list[str]:
    """The names in "lr,W1[0,1]"."""
    found = columns.names_in(text)
    if not found:
        raise misfit(text, "must be names separated by commas")
    return found


def whole_number(text: str) -> int:
    """A whole number."""
    if not re.fullmatch("-?[0-9]+", text):
        raise misfit(text, "must be a whole number")
    return int(text)


def positive_int(text: str) -> int:
    """A whole number, at least 1."""
    if not re.fullmatch("[0-9]+", text) or int(text) < 1:
        raise misfit(text, "must be a whole number, at least 1")
    return int(text)


def selection(names: Sequence[str], where: str | None, root: Path) -> list[Selection]:
    """The named runs (by default all) that match a condition, record by record; raises UserError if there are none."""
    found = named_runs(names, root) if names else _all_runs(listing(root).entries)
    if where is not None:
        from xortrain.records.query import select

        keep = {(part.folder, index) for _, part, index in select(entries_of(found), where, "--where")}
        found = [Selection(s.entry, s.part, [k for k in s.indices if (s.part.folder, k) in keep]) for s in found]
    found = [chosen for chosen in found if chosen.indices]
    if not found:
        none = f"no runs under {shown_root(root)}"
        raise UserError(none if where is None else f"--where={printable(where)}: no run matches")
    remark_left_out(entries_of(found))
    return found


def _all_runs(entries: Sequence[Entry]) -> list[Selection]:
    return [Selection(entry, part, range(len(part.rows))) for entry in entries for part in entry.parts]


def entries_of(found: Sequence[Selection]) -> list[Entry]:
    """The entries of the selected runs, each once."""
    return list({chosen.entry.folder: chosen.entry for chosen in found}.values())


def named_runs(names: Sequence[str], root: Path) -> list[Selection]:
    """The runs with these names, each run once, however often it is named."""
    whole: dict[Path, Selection] = {}
    single: dict[Path, tuple[Entry, RecordInfo, set[int]]] = {}
    for name in names:
        found = named(name, root)
        if found.number is None:
            whole |= {chosen.part.folder.resolve(): chosen for chosen in _all_runs([found.entry])}
        else:
            part, index = found.run()
            single.setdefault(part.folder.resolve(), (found.entry, part, set()))[2].add(index)
    parts = {key: Selection(entry, part, sorted(indices)) for key, (entry, part, indices) in single.items()}
    return list({**parts, **whole}.values())
