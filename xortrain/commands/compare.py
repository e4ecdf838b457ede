"""``xortrain compare``: the settings in which runs differ, and what they came to, side by side."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from xortrain.commands.arguments import NAMES, parser
from xortrain.commands.ls import cell_value
from xortrain.errors import UserError
from xortrain.records import columns
from xortrain.records.files import atomic, plain
from xortrain.records.index import RecordInfo
from xortrain.records.naming import named
from xortrain.records.tables import as_json, table

RESULTS = ("outcome", "epochs_done", "solved_at", "final_loss", "best_loss", "accuracy", "test_loss", "test_accuracy")
AS_WELL = ("diverged_at", "diverged_in", "status", "seconds", "host", "version", "name", "tags")  # where they differ
PICTURES = ("png", "svg", "pdf")
MOST = len(ascii_uppercase)
EXPLODED, WIDE = 100, 100  # times the first loss a plot is high; from which range on its scale is of logarithms
Line = Mapping[str, Any]


def compare(arguments: list[str]) -> str:
    """The text of a comparison; the plot is written beside it."""
    p = parser("compare", notes=NAMES)
    p.add_argument("runs", nargs="+", metavar="RUN", help="runs, two or more")
    p.add_argument("--plot", type=Path, metavar="PATH", help="write their loss curves to this picture")
    a = p.parse_args(arguments)
    if not 2 <= len(a.runs) <= MOST:
        raise UserError(f"compare: wants from 2 to {MOST} runs, not {len(a.runs)}")
    if a.plot and a.plot.suffix[1:].lower() not in PICTURES:
        raise UserError(f"--plot={plain(a.plot)}: must end in {', '.join('.' + kind for kind in PICTURES)}")
    found = [named(name, a.root) for name in a.runs]
    runs = [entry.run() for entry in found]
    lines = [columns.values(name.entry, *run) for name, run in zip(found, runs, strict=True)]
    keys, results = differing(lines), [*RESULTS, *_unequal(lines, AS_WELL)]
    if a.plot:
        plot(a.plot, runs, [line["id"] for line in lines])
    if a.json:
        return as_json({key: line.get(key) for key in ("id", *keys, *results)} for line in lines)
    written = [f"\nplot  {plain(a.plot)}"] if a.plot else []
    return "\n".join([*_legend(lines), "", _side_by_side(lines, keys, results), *written])


def differing(lines: Sequence[Line]) -> list[str]:
    """The settings in which runs are not all the same."""
    return _unequal(lines, dict.fromkeys(key for line in lines for key in line if columns.is_setting(key)))


def _unequal(lines: Sequence[Line], keys: Iterable[str]) -> list[str]:
    return [key for key in keys if any(line.get(key) != lines[0].get(key) for line in lines)]


def _legend(lines: Sequence[Line]) -> list[str]:
    return [f"{letter}  {line['id']}" for letter, line in zip(ascii_uppercase, lines, strict=False)]


def _side_by_side(lines: Sequence[Line], keys: Sequence[str], results: Sequence[str]) -> str:
    known = [key for key in results if any(line.get(key) is not None for line in lines)]
    rows = [[key, *(cell_value(line, key) for line in lines)] for key in (*keys, *known)]
    text = table(["", *ascii_uppercase[: len(lines)]], rows)
    return text if keys else f"{text}\nno setting differs"


def plot(path: Path, runs: Sequence[tuple[RecordInfo, int]], names: Sequence[str]) -> None:
    """Write the loss curves of some runs, one over the other; those that explode end at the top."""
    import numpy as np
    from matplotlib.figure import Figure

    from xortrain.records.reader import RecordReader

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    records = [RecordReader(part.folder, part.metadata) for part, _ in runs]
    curves = [record.of_run("losses", place) for record, (_, place) in zip(records, runs, strict=True)]
    first = [losses[0] for losses in curves if len(losses) and np.isfinite(losses[0])]
    top = EXPLODED * max([*first, 1.0])
    for letter, name, record, losses in zip(ascii_uppercase, names, records, curves, strict=False):
        label = f"{letter}  {name}".replace("$", r"\$")
        axes.plot(record.loss_epochs, np.minimum(losses, top), label=label)
    seen = np.concatenate([losses[np.isfinite(losses)] for losses in curves])
    if len(seen) and seen.min() > 0 and min(seen.max(), top) > WIDE * seen.min():
        axes.set_yscale("log")
    axes.set(xlabel="epoch", ylabel="loss")
    axes.legend()
    try:
        with atomic(path) as file:
            figure.savefig(file, format=path.suffix[1:].lower())
    except (OSError, ValueError) as error:
        raise UserError(f"--plot={plain(path)}: {plain(getattr(error, 'strerror', None) or error)}") from None
