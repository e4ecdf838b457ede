"""``xortrain sql``: the answer to an SQL query over all runs, which cannot change anything."""

from xortrain.commands.arguments import answer, command_parser
from xortrain.records.query import ask_all
from xortrain.records.tables import format_table

NOTES = (
    "There is one table, runs, with a row for each run of each sweep. Its columns are those of xortrain ls, dotted "
    "names without quotes: select optimizer, avg(outcome = 'solved') from runs where lr > 0.5 group by optimizer"
)


def sql(arguments: list[str]) -> str:
    """xortrain sql QUERY: the table that a query selects."""
    p = command_parser("sql", NOTES)
    p.add_argument("query", metavar="QUERY", help="a select, as one argument")
    a = p.parse_args(arguments)
    names, rows = ask_all(a.root, a.query)
    return answer(a, (dict(zip(names, row, strict=True)) for row in rows), [format_table(names, rows)])
