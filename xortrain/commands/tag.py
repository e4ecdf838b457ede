"""``xortrain tag``, ``note`` and ``rename``: tags, notes and a name for a run or a sweep, appended to its events."""

from collections.abc import Sequence

from xortrain.commands.arguments import answer, command_parser
from xortrain.errors import UserError, printable
from xortrain.records.naming import Named, named

LONGEST = 10_000  # characters of a note


def tag(arguments: list[str]) -> str:
    """xortrain tag RUN TAG …: add or remove tags; prints the tags afterwards."""
    p = command_parser("tag")
    p.add_argument("run", metavar="RUN", help="a run or a sweep")
    p.add_argument("tags", nargs="+", metavar="TAG", help="a word, or several in quotes, without commas")
    p.add_argument("--remove", action="store_true", help="remove these tags")
    a = p.parse_args(arguments)
    for word in a.tags:
        if not word or word != printable(word) or "," in word or word != word.strip():
            shown = repr(printable(word))
            raise UserError(f"tag={shown}: must be printable, without commas, and without spaces at its ends")
    found = named(a.run, a.root)
    if a.remove:
        _refuse_missing(found, a.tags)
    entry = found.entry.annotate("untag" if a.remove else "tag", found.number, tags=a.tags)
    tags = list(map(printable, Named(found.name, entry, found.number).record.marks.of(found.number).tags))
    return answer(a, [{"id": found.id, "tags": tags}], [f"{found.id}: {', '.join(tags) or 'no tags'}"])


def _refuse_missing(found: Named, tags: Sequence[str]) -> None:
    """A tag to remove must exist; a tag of the sweep cannot be removed from one of its runs."""
    parts = found.entry.parts if found.number is None else [found.run()[0]]
    has = dict.fromkeys(tag for part in parts for tag in part.marks.of(found.number).tags)
    for word in tags:
        if word not in has:
            known = ", ".join(map(printable, has)) or "none"
            raise UserError(f"tag={word}: {found.id} has no such tag; it has {known}")
        if found.number is not None and word in parts[0].marks.tags:
            sweep = found.entry.id
            raise UserError(f"tag={word}: belongs to the whole sweep; remove it with xortrain tag {sweep} … --remove")


def note(arguments: list[str]) -> str:
    """xortrain note RUN TEXT …: add a note."""
    p = command_parser("note")
    p.add_argument("run", metavar="RUN", help="a run or a sweep")
    p.add_argument("text", nargs="+", metavar="TEXT", help="the note")
    a = p.parse_args(arguments)
    text = " ".join(a.text).strip()
    if not text or len(text) > LONGEST:
        raise UserError(f"note: must be a text of at most {LONGEST} characters")
    found = named(a.run, a.root)
    found.entry.annotate("note", found.number, text=text)
    return answer(a, [{"id": found.id, "note": printable(text)}], [f"{found.id}: noted"])


def rename(arguments: list[str]) -> str:
    """xortrain rename RECORD NAME: set the name, as name= does in a training."""
    p = command_parser("rename")
    p.add_argument("record", metavar="RECORD", help="a run or a sweep")
    p.add_argument("name", metavar="NAME", help='the name; "" for none')
    a = p.parse_args(arguments)
    if len(a.name) > LONGEST:
        raise UserError(f"rename: must be a text of at most {LONGEST} characters")
    found = named(a.record, a.root)
    if found.number is not None:
        sweep = printable(found.entry.id)
        raise UserError(f"{found.id}: only a whole sweep has a name; write xortrain rename {sweep} …")
    name = found.entry.annotate("rename", None, name=a.name).marks.name
    shown = None if name is None else printable(name)
    return answer(a, [{"id": found.id, "name": shown}], [f"{found.id}: {shown or 'no name'}"])
