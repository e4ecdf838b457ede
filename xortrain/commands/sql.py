"""``xortrain sql``: any question in SQL over all runs, which it cannot change."""

from xortrain.commands.arguments import parser
from xortrain.records.index import listing
from xortrain.records.query import ask
from xortrain.records.tables import as_json, table

NOTES = (
    "There is one table, runs, with a row for each run of each sweep; its columns are those of xortrain ls, dotted "
    "names without quotes: select optimizer, avg(outcome = 'solved') from runs where lr > 0.5 group by optimizer"
)


def sql(arguments: list[str]) -> str:
    """The text of the answer to a query."""
    p = parser("sql", notes=NOTES)
    p.add_argument("query", metavar="QUERY", help="a select, in one argument")
    a = p.parse_args(arguments)
    names, rows = ask(listing(a.root).entries, a.query)
    if a.json:
        return as_json(dict(zip(names, row, strict=True)) for row in rows)
    return table(names, rows)
