"""``xortrain compare``: the settings in which runs differ, and what they came to, side by side."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from xortrain.errors import UserError
from xortrain.records import columns
from xortrain.records.files import plain
from xortrain.records.index import Part
from xortrain.records.naming import named
from xortrain.records.whole import whole
from xortrain.tracker.arguments import NAMES, parser
from xortrain.tracker.lines import shown
from xortrain.tracker.text import as_json, table

RESULTS = ("outcome", "epochs_done", "solved_at", "final_loss", "best_loss", "accuracy", "test_loss", "test_accuracy")
AS_WELL = ("diverged_at", "diverged_in", "status", "seconds", "host", "version", "name", "tags")  # where they differ
MOST = len(ascii_uppercase)
Line = Mapping[str, Any]


def compare(arguments: list[str]) -> str:
    """The text of a comparison; the plot is written beside it."""
    p = parser("compare", notes=NAMES)
    p.add_argument("runs", nargs="+", metavar="RUN", help="runs, two or more")
    p.add_argument("--plot", type=Path, metavar="PATH", help="write their loss curves to this picture")
    a = p.parse_args(arguments)
    if not 2 <= len(a.runs) <= MOST:
        raise UserError(f"compare: wants from 2 to {MOST} runs, not {len(a.runs)}")
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
    rows = [[key, *(shown(line, key) for line in lines)] for key in (*keys, *known)]
    text = table(["", *ascii_uppercase[: len(lines)]], rows)
    return text if keys else f"{text}\nno setting differs"


def plot(path: Path, runs: Sequence[tuple[Part, int]], names: Sequence[str]) -> None:
    """Write the loss curves of some runs, one over the other."""
    from matplotlib.figure import Figure

    from xortrain.records.reader import StoredRecord

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for letter, name, (part, place) in zip(ascii_uppercase, names, runs, strict=False):
        record = StoredRecord(part.folder, part.about)
        losses = record.of_run("losses", place)
        axes.plot(record.loss_epochs, losses, label=f"{letter}  {name}".replace("$", r"\$"))
    axes.set(xlabel="epoch", ylabel="loss")
    axes.legend()
    try:
        with whole(path) as file:
            figure.savefig(file, format=path.suffix[1:] or "png")
    except (OSError, ValueError) as error:
        raise UserError(f"--plot={plain(path)}: {plain(getattr(error, 'strerror', None) or error)}") from None
