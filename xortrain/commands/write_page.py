"""``xortrain page``: write runs into one HTML file that shows and plays them, and can continue their training."""

import math
import re
import shlex
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xortrain.commands.arguments import (
    NAMES,
    add_output,
    add_where,
    answer,
    command_parser,
    may_replace,
    misfit,
    refuse_to_write,
    selection,
)
from xortrain.errors import counted, cut, printable
from xortrain.page import MOST_MB
from xortrain.page.pages import finished, is_page, kept_words, make_page
from xortrain.page.run_table import Runs, plain_id
from xortrain.records.naming import named
from xortrain.trained.opening import open_trained

NOTES = (
    "The file needs no server and no network: open it, or send it. If it would be larger than --max-mb, it holds fewer "
    f"snapshots, then rounded numbers, then only the start of each run, and a line says so. {NAMES}"
)
LONGEST, MOST_WORDS = 300, 100  # of the command that a page shows
_FOLDERS = re.compile(r"(?:^|(?<=[\s=:,'\"\[(]))(?:~\w*|\.{1,2}|[A-Za-z]:)?[/\\](?=\S)(?:[^\s/\\'\",]*[/\\])*")
"""What a path from the root, home, or here begins with, up to its last name."""


def page(arguments: list[str]) -> str:
    """xortrain page RECORD …: the path of the written page."""
    p = command_parser("page", NOTES)
    p.add_argument("records", nargs="+", metavar="RECORD", help="runs and sweeps")
    add_where(p)
    add_output(p, "the file to write (default: page.html)", extensions=(".html", ".htm"))
    p.add_argument("--max-mb", type=_megabytes, default=MOST_MB, help="its maximum size in MB (default: %(default)g)")
    p.add_argument("--force", action="store_true", help="replace an existing file that is not a page, without asking")
    a = p.parse_args(arguments)
    path = a.output or Path("page.html")
    refuse_to_write(path)
    found = selection(a.records, a.where, a.root)
    whole = [Runs(open_trained(own.part.folder), np.asarray(own.indices), (own.entry, own.part)) for own in found]
    groups, left_out = finished(whole)
    if not (a.force or is_page(path) or may_replace(path)):
        return answer(a, [], ["nothing written"])
    made = make_page(groups, _command(a), a.max_mb, kept_words(groups), left_out)
    made.write(path)
    runs = sum(len(group.places) for group in groups)
    line = f"written {printable(path)}  {counted(runs, 'run')}, {made.mb:.2g} MB"
    return answer(a, [{"path": str(path), "runs": runs, "mb": round(made.mb, 3)}], [line])


def _command(a: Namespace) -> str:
    """The command with the ids of its records."""
    names = [named(name, a.root) for name in a.records]
    ids = [plain_id(found.entry.id) + ("" if found.number is None else f"#{found.number}") for found in names]
    where = [] if a.where is None else ["--where", a.where]
    files = [word for name in a.use or () for word in ("--use", name)]
    size = [] if a.max_mb == MOST_MB else ["--max-mb", f"{a.max_mb:g}"]
    return without_folders(["xortrain", "page", *ids, *where, *size, *files])


def without_folders(words: Sequence[str]) -> str:
    """A command as one pastes it into a shell, without the folders of the computer it was typed on."""
    return cut(" ".join(shlex.quote(_FOLDERS.sub("", printable(word))) for word in words[:MOST_WORDS]), LONGEST)


def _megabytes(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise misfit(text, "must be a number greater than 0")
    return found
