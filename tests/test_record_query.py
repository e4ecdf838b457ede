"""SQL queries over runs give the same results as plain Python, and are read-only."""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_records import a_big_sweep, a_run, a_sweep

from xortrain.errors import UserError
from xortrain.records import columns
from xortrain.records.index import Entry, RecordInfo, listing
from xortrain.records.query import ask, quote_columns, select

Row = dict[str, Any]


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> tuple[Entry, ...]:
    """Return two runs, a sweep of twelve runs and a sweep of two populations."""
    root = tmp_path_factory.mktemp("root")
    a_run(root, 0, name="it's")
    a_run(root, 1, lr=0.25, optimizer__momentum=0.9, architecture__hidden=[3, 2], tags=["good"])
    a_sweep(root, 2)
    a_big_sweep(root, 3)
    return listing(root).entries


def rows(entries: tuple[Entry, ...]) -> list[Row]:
    """Return all runs with all columns, read without SQL."""
    return [line for entry in entries for part in entry.parts for line in columns.run_lines(entry, part)]


def comparison(column: str, sign: str, value: Any) -> tuple[str, Callable[[Row], bool | None]]:
    signs: dict[str, Callable[[Any, Any], bool]] = {
        "=": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        ">=": lambda a, b: a >= b,
    }
    literal = f"'{value}'" if isinstance(value, str) else repr(value)

    def holds(row: Row) -> bool | None:
        found = row.get(columns.canonical(column))
        return None if found is None else signs[sign](found, value)

    return f"{column} {sign} {literal}", holds


numbers = st.sampled_from(["lr", "final_loss", "optimizer.momentum", "solved_at", "seed", "number", "optimizer.beta1"])
texts = st.sampled_from(["outcome", "optimizer", "optimizer.name", "status", "architecture.hidden"])
words = st.sampled_from(["solved", "sgd", "adam", "finished", "[2]", "nothing"])
leaves = st.one_of(
    st.builds(comparison, numbers, st.sampled_from(["=", "!=", "<", ">="]), st.sampled_from([0, 0.1, 0.5, 1.0, 3, 50])),
    st.builds(comparison, texts, st.sampled_from(["=", "!="]), words),
    numbers.map(lambda name: (f"{name} is null", lambda row: row.get(name) is None)),
)


def negation(one: Any) -> Any:
    text, holds = one
    return f"not ({text})", lambda row: None if holds(row) is None else not holds(row)


def conjunction(one: Any, other: Any) -> Any:
    def holds(row: Row) -> bool | None:
        values = [one[1](row), other[1](row)]
        return False if False in values else None if None in values else True

    return f"({one[0]}) and ({other[0]})", holds


def disjunction(one: Any, other: Any) -> Any:
    def holds(row: Row) -> bool | None:
        values = [one[1](row), other[1](row)]
        return True if True in values else None if None in values else False

    return f"({one[0]}) OR ({other[0]})", holds


conditions = st.recursive(
    leaves,
    lambda inner: inner.map(negation) | st.builds(conjunction, inner, inner) | st.builds(disjunction, inner, inner),
    max_leaves=6,
)


@given(conditions)
@settings(max_examples=60)
def test_a_condition_selects_the_same_runs_as_plain_python(entries: tuple[Entry, ...], condition: Any) -> None:
    text, holds = condition
    found = [columns.run_columns(*run)["id"] for run in select(entries, text)]
    assert found == [row["id"] for row in rows(entries) if holds(row)]


def test_count_and_mean_are_the_same_as_in_plain_python(entries: tuple[Entry, ...]) -> None:
    names, answer = ask(entries, "select optimizer, count(*) n, avg(final_loss) mean from runs group by 1 order by 1")
    assert names == ["optimizer", "n", "mean"]
    for optimizer, count, mean in answer:
        losses = [row["final_loss"] for row in rows(entries) if row["optimizer"] == optimizer]
        assert (count, mean) == (len(losses), pytest.approx(sum(losses) / len(losses)))


def test_all_columns_can_be_selected_and_unknown_values_are_null(entries: tuple[Entry, ...]) -> None:
    names, answer = ask(entries, "select * from runs")
    assert [dict(zip(names, row, strict=True)) for row in answer] == [
        {n: row.get(n) for n in names} for row in rows(entries)
    ]
    assert ask(entries, "select count(*) from runs where solved_at < 0 or diverged_at < 0")[1] == [(0,)]


@pytest.mark.parametrize(
    "query",
    [
        "select lr from runs where optimizer.momentum = 0.9",
        'select lr from runs where "optimizer.momentum" = 0.9',
        "select r.lr from runs r where r.optimizer.momentum = 0.9",
        "select lr from runs where OPTIMIZER . MOMENTUM = 0.9",
        "select lr from runs where optimizer.momentum = 0.9 and optimizer.name = 'sgd' and optimizer = \"sgd\"",
        "with fast as (select * from runs) select lr from fast where optimizer.momentum = .9 -- optimizer.nonsense",
        "select lr from runs where tags like '%good%'",
        "select lr from runs where architecture.hidden = '[3,2]'",
        "select lr from runs where 'optimizer.momentum' = 'optimizer.momentum' and optimizer.momentum > 0.5;",
    ],
)
def test_dotted_names_are_columns_everywhere_in_a_query(entries: tuple[Entry, ...], query: str) -> None:
    assert ask(entries, query)[1] == [(0.25,)]


def test_string_literals_in_a_query_are_unchanged() -> None:
    assert quote_columns("select 'a.b' , a.b, x.a.b, c.d", ["a.b"]) == 'select \'a.b\' , "a.b", x."a.b", c.d'


FORBIDDEN = [
    "attach 'evil.db' as evil",
    "select load_extension('evil.so')",
    "pragma writable_schema = 1",
    "create table t (a)",
    "create view v as select 1",
    "insert into runs (lr) values (1)",
    "update runs set lr = 1",
    "delete from runs",
    "drop table runs",
    "vacuum into 'evil.db'",
    "begin",
    "select 1; drop table runs",
    "with a as (select 1) delete from runs",
    "select writefile('evil.db', 'x')",
    "select readfile('/etc/passwd')",
    "select * from pragma_database_list",
    "",
    "-- nothing",
    "select",
    "select nonsense from runs",
    "select * from nowhere",
    "select \x00 from runs",
    "select '\ud800' from runs",
]


@pytest.mark.parametrize("query", FORBIDDEN, ids=[repr(query) for query in FORBIDDEN])
def test_invalid_and_modifying_queries_are_refused(
    entries: tuple[Entry, ...], query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^sql: ") as caught:
        ask(entries, query)
    assert str(caught.value).isprintable()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("lrr > 1", "no such column: lrr. Did you mean 'lr'?"),
        ("optimizer.momentun > 1", "Did you mean 'optimizer.momentum'"),
        ('"optimizer.momentun" > 1', "Did you mean 'optimizer.momentum'"),
        ("lr >", "lr >: incomplete input"),
        ("lr in (1, 2) and", "and: incomplete input"),
        ("lr > 1) or (1", 'near ")": syntax error'),
        ("lr > 1 -- and this is a comment", None),
        ("1); drop table runs; --", 'near ")": syntax error'),
        ("1 limit 1", 'near "limit": syntax error'),
        ("lr = 'a", "unrecognized token"),
        ("sum(lr) > 1", "misuse of aggregate"),
    ],
)
def test_an_invalid_condition_is_a_one_line_error(entries: tuple[Entry, ...], where: str, message: str | None) -> None:
    if message is None:
        select(entries, where)
        return
    with pytest.raises(UserError) as caught:
        select(entries, where, "--where")
    assert str(caught.value).startswith(f"--where={where}: ")
    assert message in str(caught.value)


def test_only_the_columns_of_a_query_are_read(entries: tuple[Entry, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    requested: list[list[str]] = []
    real = columns.run_rows

    def recording_run_rows(entry: Entry, part: RecordInfo, names: Sequence[str]) -> Any:
        requested.append(list(names))
        return real(entry, part, names)

    monkeypatch.setattr(columns, "run_rows", recording_run_rows)
    ask(entries, "select avg(final_loss) from runs where optimizer.momentum = 0")
    assert requested == [["final_loss", "optimizer.momentum"]] * 5


def test_settings_that_sql_cannot_express_do_not_break_queries(tmp_path: Path) -> None:
    deep: Any = []
    for _ in range(50):
        deep = [deep]
    a_run(tmp_path, 0, rowid=7, LR=3.0, huge=10**30, deep=deep, values=1, select="from")
    entries = listing(tmp_path).entries
    assert ask(entries, 'select lr, huge, "select" from runs where rowid = 1')[1] == [(1.0, None, "from")]
    assert len(select(entries, "lr = 1")) == 1


def test_ctrl_c_stops_an_endless_query(entries: tuple[Entry, ...]) -> None:
    import signal

    endless = "with recursive n(k) as (select 1 union all select k + 1 from n) select count(*) from n"
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)  # SIGINT may be ignored, as under nohup
    try:
        with pytest.raises(KeyboardInterrupt):
            ask(entries, endless)
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("sign", ["=", "==", "!=", "<>", "<"])
@pytest.mark.parametrize("null", ["null", "NULL"])
def test_a_comparison_with_null_is_refused_since_it_is_never_true(
    entries: tuple[Entry, ...], sign: str, null: str
) -> None:
    with pytest.raises(UserError, match=f"{sign} {null} is never true; write is null or is not null$"):
        select(entries, f"optimizer.momentum {sign} {null} and seed >= 0", "--where")
    assert len(select(entries, "name is null or name is not NULL", "--where")) == sum(e.runs for e in entries)
    assert not select(entries, f"name = '{sign} {null}' -- {sign} {null}", "--where")


@pytest.mark.parametrize("quoted", ["'true'", '"False"', "'null'"])
def test_a_word_of_sql_in_quotes_is_refused(entries: tuple[Entry, ...], quoted: str) -> None:
    with pytest.raises(UserError, match=f"{quoted} is a text; write it without quotes: {quoted[1:-1]}$"):
        select(entries, f"optimizer.momentum = {quoted}", "--where")
    assert not select(entries, f"name = {quoted.replace(chr(34), chr(39))}", "--where")


def test_columns_of_the_same_name_stay_apart(entries: tuple[Entry, ...]) -> None:
    names, rows = ask(entries, "select a.seed, b.seed, b.lr, a.seed from runs a join runs b on b.seed = a.seed + 1")
    assert names == ["seed", "seed:1", "lr", "seed:2"]
    assert rows
    assert all(row[1] == row[0] + 1 and row[3] == row[0] for row in rows)


@pytest.mark.parametrize("quoted", ['"0.01"', "'0.01'", "'1'", '"1e-3"', "' 2 '"])
@pytest.mark.parametrize("column", ["lr", "seed", "optimizer.momentum", "optimizer.name", "solved_at", "seconds"])
@pytest.mark.parametrize("sign", [">", "<=", "=", "!=", "is", "is not"])
def test_a_number_in_quotes_is_refused(entries: tuple[Entry, ...], quoted: str, column: str, sign: str) -> None:
    with pytest.raises(UserError) as caught:
        select(entries, f"seed >= 0 and {column} {sign} {quoted}", "--where")
    assert str(caught.value).endswith(f"{quoted} is a text; write the number without quotes: {quoted[1:-1]}")


@pytest.mark.parametrize(
    "condition",
    [
        "name = '1'",
        "tags = '2026'",
        "version != '1.0'",
        "outcome = 'solved'",
        "architecture.hidden = '[2]'",
        "'1' = '1'",
    ],
)
def test_texts_stay_in_quotes_even_if_they_look_like_numbers(entries: tuple[Entry, ...], condition: str) -> None:
    select(entries, condition)


def test_the_median_is_that_of_python(entries: tuple[Entry, ...]) -> None:
    found = rows(entries)
    head, answers = ask(
        entries, "select optimizer, median(final_loss), median(solved_at), median(name) from runs group by 1"
    )
    assert head[1] == "median(final_loss)"
    for name, loss, epoch, text in answers:
        own = [row for row in found if row["optimizer"] == name]
        epochs = [row["solved_at"] for row in own if row["solved_at"] is not None]
        assert loss == statistics.median(row["final_loss"] for row in own)
        assert epoch == (statistics.median(epochs) if epochs else None)
        assert text is None
    assert ask(entries, "select median(lr) from runs where lr > 1000")[1] == [(None,)]
