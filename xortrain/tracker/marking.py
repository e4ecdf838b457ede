"""``xortrain tag`` and ``xortrain note``: words of one's own on a run, added to its events and never lost."""

from xortrain.errors import UserError
from xortrain.records.events import mark
from xortrain.records.files import plain
from xortrain.records.naming import Named, named
from xortrain.tracker.arguments import NAMES, parser
from xortrain.tracker.text import as_json

LONGEST = 10_000  # characters of a note


def tag(arguments: list[str]) -> str:
    """Tag a run or a sweep, or take tags away; says which it has now."""
    p = parser("tag", notes=NAMES)
    p.add_argument("run", metavar="RUN")
    p.add_argument("tags", nargs="+", metavar="TAG", help="a word, without commas")
    p.add_argument("--remove", action="store_true", help="take these tags away")
    a = p.parse_args(arguments)
    for word in a.tags:
        if not word or word != plain(word) or "," in word or word != word.strip():
            raise UserError(f"tag={plain(word)!r}: must be a word of printable letters, without commas")
    found = named(a.run, a.root)
    mark(found.entry.folder, "untag" if a.remove else "tag", found.number, tags=a.tags)
    now = named(a.run, a.root).entry.marks
    tags = now.tags if found.number is None else now.of(found.number).tags
    if a.json:
        return as_json([{"id": _told(found), "tags": list(map(plain, tags))}])
    return f"{_told(found)}: {', '.join(map(plain, tags)) or 'no tags'}"


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
