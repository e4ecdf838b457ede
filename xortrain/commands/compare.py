"""``xortrain compare``: the settings in which runs differ, and their results, side by side."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from xortrain.commands.arguments import add_output, answer, command_parser, refuse_to_write
from xortrain.commands.ls import cell_value
from xortrain.errors import UserError, printable
from xortrain.records import columns
from xortrain.records.files import atomic
from xortrain.records.naming import Named, named
from xortrain.records.tables import format_table, told_apart

RESULTS = ("outcome", "epochs_done", "solved_at", "final_loss", "best_loss", "accuracy", "test_loss", "test_accuracy")
IF_DIFFERENT = (
    "diverged_at", "diverged_in", "exploded_at", "status", "seconds", "host", "version", "experiment", "name", "tags",
)  # fmt: skip
FORMATS = (".png", ".svg", ".pdf")
MOST = len(ascii_uppercase)
CUT = 100  # losses above this multiple of the first loss are drawn at the top of the plot
LOGARITHMIC = 100  # ratio of largest to smallest loss above which the scale is logarithmic
Line = Mapping[str, Any]


def compare(arguments: list[str]) -> str:
    """xortrain compare RUN RUN …: the table of settings and results; --output writes the loss curves to a file."""
    p = command_parser("compare")
    p.add_argument("runs", nargs="+", metavar="RUN", help="two or more runs")
    add_output(p, "draw the loss curves into this .png, .svg or .pdf", "--plot", extensions=FORMATS)
    a = p.parse_args(arguments)
    if not 2 <= len(a.runs) <= MOST:
        raise UserError(f"compare: requires 2 to {MOST} runs, not {len(a.runs)}")
    runs = [named(name, a.root) for name in a.runs]
    lines = [columns.run_columns(run.entry, *run.run()) for run in runs]
    settings = _unequal(lines, dict.fromkeys(key for line in lines for key in line if columns.is_setting(key)))
    results = [*RESULTS, *_unequal(lines, IF_DIFFERENT)]
    if a.output:
        refuse_to_write(a.output)
        _plot(a.output, runs, [line["id"] for line in lines])
    items = ({key: line.get(key) for key in ("id", *settings, *results)} for line in lines)
    written = [f"\nplot  {printable(a.output)}"] if a.output else []
    legend = [f"{letter}  {line['id']}" for letter, line in zip(ascii_uppercase, lines, strict=False)]
    return answer(a, items, [*legend, "", _side_by_side(lines, settings, results), *written])


def _unequal(lines: Sequence[Line], keys: Iterable[str]) -> list[str]:
    return [key for key in keys if any(line.get(key) != lines[0].get(key) for line in lines)]


def _side_by_side(lines: Sequence[Line], settings: Sequence[str], results: Sequence[str]) -> str:
    known = [key for key in results if any(line.get(key) is not None for line in lines)]
    values = {key: [cell_value(line, key) for line in lines] for key in (*settings, *known)}
    rows = [[key, *(told_apart(row) if key in settings else row)] for key, row in values.items()]
    text = format_table(["", *ascii_uppercase[: len(lines)]], rows)
    return text if settings else f"{text}\nno setting differs"


def _plot(path: Path, runs: Sequence[Named], names: Sequence[str]) -> None:
    import numpy as np
    from matplotlib.figure import Figure

    from xortrain.records.reader import RecordReader

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes, found = figure.subplots(), [run.run() for run in runs]
    records = [RecordReader(part.folder, part.metadata) for part, _ in found]
    curves = [record.of_run("losses", index) for record, (_, index) in zip(records, found, strict=True)]
    first = [losses[0] for losses in curves if len(losses) and np.isfinite(losses[0])]
    top = CUT * max([*first, 1.0])
    for letter, name, record, losses in zip(ascii_uppercase, names, records, curves, strict=False):
        label = f"{letter}  {name}".replace("$", r"\$")
        axes.plot(record.loss_epochs, np.minimum(losses, top), label=label)
    finite = np.concatenate([losses[np.isfinite(losses)] for losses in curves])
    if len(finite) and finite.min() > 0 and min(finite.max(), top) > LOGARITHMIC * finite.min():
        axes.set_yscale("log")
    axes.set(xlabel="epoch", ylabel="loss")
    axes.legend()
    try:
        with atomic(path) as file:
            figure.savefig(file, format=path.suffix[1:].lower())
    except (OSError, ValueError) as error:
        raise UserError(f"--output={printable(path)}: {printable(getattr(error, 'strerror', None) or error)}") from None
