"""``xortrain tag`` and ``xortrain note``: words of one's own on a run, added to its events and never lost."""

from collections.abc import Sequence

from xortrain.commands.arguments import NAMES, parser
from xortrain.errors import UserError
from xortrain.records.events import Annotations, mark
from xortrain.records.files import plain
from xortrain.records.index import Entry, open_entry
from xortrain.records.naming import Named, named
from xortrain.records.tables import as_json

LONGEST = 10_000  # characters of a note


def tag(arguments: list[str]) -> str:
    """Tag a run or a sweep, or take tags away; says which it has now."""
    p = parser("tag", notes=NAMES)
    p.add_argument("run", metavar="RUN")
    p.add_argument("tags", nargs="+", metavar="TAG", help="a word or several in quotes, without commas")
    p.add_argument("--remove", action="store_true", help="take these tags away")
    a = p.parse_args(arguments)
    for word in a.tags:
        if not word or word != plain(word) or "," in word or word != word.strip():
            raise UserError(
                f"tag={plain(word)!r}: must be printable letters, without commas, and without blanks around them"
            )
    found = named(a.run, a.root)
    if a.remove:
        _refuse_missing(found, a.tags)
    mark(found.entry.folder, "untag" if a.remove else "tag", found.number, tags=a.tags)
    tags = _marks(open_entry(found.entry.folder, found.entry.id), found.number).tags
    if a.json:
        return as_json([{"id": _told(found), "tags": list(map(plain, tags))}])
    return f"{_told(found)}: {', '.join(map(plain, tags)) or 'no tags'}"


def _marks(entry: Entry, number: int | None) -> Annotations:
    """Those of a run or a sweep, with what a run has from its sweep."""
    return entry.marks if number is None else entry.marks.of(number)


def _refuse_missing(found: Named, tags: Sequence[str]) -> None:
    """Tags that are not there cannot be taken away, nor the sweep's from one run."""
    marks = found.entry.marks
    has = _marks(found.entry, found.number).tags
    own = has if found.number is None else marks.of_runs.get(found.number, Annotations()).tags
    for word in tags:
        if word not in has:
            known = ", ".join(map(plain, has)) or "none"
            raise UserError(f"tag={word}: {_told(found)} has no such tag; it has {known}")
        if word not in own:
            raise UserError(f"tag={word}: is of the whole sweep; take it from there: xortrain tag {found.entry.id} …")


def note(arguments: list[str]) -> str:
    """Add a note to a run or a sweep."""
    p = parser("note", notes=NAMES)
    p.add_argument("run", metavar="RUN")
    p.add_argument("text", nargs="+", metavar="TEXT", help="the note")
    a = p.parse_args(arguments)
    text = " ".join(a.text).strip()
    if not text or len(text) > LONGEST:
        raise UserError(f"note: must be a text of at most {LONGEST} characters")
    found = named(a.run, a.root)
    mark(found.entry.folder, "note", found.number, text=text)
    return as_json([{"id": _told(found), "note": plain(text)}]) if a.json else f"{_told(found)}: noted"


def _told(found: Named) -> str:
    """What was meant, by its id."""
    number = "" if found.number is None else f"#{found.number}"
    return plain(found.entry.id) + number
