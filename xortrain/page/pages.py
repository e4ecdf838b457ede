"""Pages of runs and sweeps: what is known of their training, and how much of it fits into a file of a given size."""

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.advice.trials import read_advice
from xortrain.errors import Reading, Remark, UserError, counted, printable, writing
from xortrain.page import MOST_MB
from xortrain.page.html_parts import SIGN, html_parts
from xortrain.page.payload import Detail, payload
from xortrain.page.run_table import Runs
from xortrain.records.files import atomic
from xortrain.records.index import Entry, RecordInfo, id_of, open_entry
from xortrain.records.lock import locked_folder
from xortrain.trained.run_data import RunData
from xortrain.trained.sweep_data import SweepData
from xortrain.views.run_film import film_title, sweep_title
from xortrain.views.run_story import MOST_WORK, run_story, story_work

ALONE = 1001  # snapshots of the only run of a page
FEWEST_FRAMES, FEWEST_LOSSES = 12, 100  # of a run, before numbers are rounded; fewer show little of its course
USUAL_SHARE = 0.6  # of the bytes of float32 that are left of them in a page
MARGIN = 0.92


@dataclass(frozen=True)
class Page:
    """A page in parts, and what of its runs was left out for its size, in words."""

    parts: list[bytes]
    left_out: str = ""

    @property
    def mb(self) -> float:
        """Its size in megabytes."""
        return sum(map(len, self.parts)) / 1e6

    def write(self, path: Path) -> None:
        """Write the page, as a whole or not at all; says in a `Remark` what was left out."""
        with writing(path), atomic(path) as file:
            file.writelines(self.parts)
        if self.left_out:
            warnings.warn(Remark(self.left_out), stacklevel=3)


def runs_of(found: RunData | SweepData[Any]) -> list[Runs]:
    """A run or many, as a page takes them."""
    if isinstance(found, SweepData):
        return [
            Runs(found.population(k), found.places[found.which == k], (found.entries[k], found.parts[k]))
            for k in found.population_numbers
        ]
    return [Runs(found.trained, np.array([found.place]), _listed(found))]


def _listed(run: RunData) -> tuple[Entry, RecordInfo] | None:
    """The entry and the record of a run; None in memory."""
    if run.folder is None:
        return None
    above = locked_folder(own := run.trained.record.folder.absolute())
    entry = open_entry(above, id_of(above, Path(run.config["root"]).absolute()))
    return entry, next(part for part in entry.parts if part.folder == own)


def write_page(found: RunData | SweepData[Any], path: Path, most_mb: float = MOST_MB, advice: str = "") -> Path:
    """Write the page of a run or many; ``advice`` is what is known to have been tried, besides that in the record."""
    if not most_mb > 0:
        raise UserError(f"max_mb={most_mb:g}: must be a number greater than 0")
    groups, left_out = finished(runs_of(found))
    make_page(groups, most_mb=most_mb, advice=advice or kept_words(groups), of=left_out).write(path)
    return path


def is_page(path: Path) -> bool:
    """Whether a file is a page of xortrain, which a newer one may replace."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return SIGN in file.read(4096)


def kept_words(groups: Sequence[Runs]) -> str:
    """What was tried to solve the only run of these groups, if its record has it."""
    folder = groups[0].trained.folder
    if folder is None or len(groups) > 1 or groups[0].trained.setup.population.runs > 1:
        return ""
    try:
        return str(read_advice(folder) or "")
    except UserError:
        return ""


def finished(groups: Sequence[Runs]) -> tuple[list[Runs], str]:
    """The runs whose training is over, and how many are not, in words; raises UserError if there are none."""
    if not groups:
        raise UserError("page: there are no runs")
    found = list[Runs]()
    for group in groups:
        own = group.places[group.trained.rows["outcome"][group.places] > 0]
        found += [replace(group, places=own)] if len(own) else []
    of, left = (sum(len(group.places) for group in some) for some in (groups, found))
    if not left:
        what = "this run is not" if of == 1 else f"none of these {of:,} runs is"
        raise UserError(f"page: {what} finished; xortrain resume trains what is missing")
    lines = "" if left == of else f"{of - left:,} of {of:,} runs left out: not finished"
    return found, lines


def make_page(
    groups: Sequence[Runs], command: str = "", most_mb: float = MOST_MB, advice: str = "", of: str = ""
) -> Page:
    """The page of finished runs within a size; raises UserError if not even their results fit.

    ``of`` says of how many they are some, if so.
    """
    with Reading(groups[0].trained.folder or "page"):
        more = {"made": _made(command), "stories": _stories(groups, advice), "leftOut": of}
        return _fitted(groups, most_mb, more)


def _fitted(groups: Sequence[Runs], most_mb: float, more: dict[str, Any]) -> Page:
    title, runs = page_title(groups), sum(len(group.places) for group in groups)
    setups = [group.trained.setup for group in groups]
    full = Detail(
        frames=min(max(len(setup.frame_epochs) for setup in setups), ALONE if runs == 1 else Detail.frames),
        losses=min(max(len(setup.loss_epochs) for setup in setups), Detail.losses),
    )
    detail = full
    while detail.frames and _usual_mb(groups, detail) > 2 * most_mb:
        detail = _less(detail, most_mb / _usual_mb(groups, detail))
    while True:
        left_out = "; ".join(filter(None, [more["leftOut"], _left_out(detail, most_mb) if detail != full else ""]))
        made = Page(html_parts(payload(title, groups, detail, {**more, "leftOut": left_out})), left_out)
        if made.mb <= most_mb:
            return made
        if not detail.frames:
            even = f"even without the course of its {counted(runs, 'run')} the page has {made.mb:.2g} MB"
            raise UserError(f"--max-mb={most_mb:g}: {even}; choose fewer runs, or allow more")
        detail = _less(detail, most_mb / made.mb)


def _usual_mb(groups: Sequence[Runs], detail: Detail) -> float:
    """About the size of a page, so that one far too large is not made."""
    numbers = 0
    for group in groups:
        setup = group.trained.setup
        frames, losses = min(detail.frames, len(setup.frame_epochs)), min(detail.losses, len(setup.loss_epochs))
        numbers += len(group.places) * (frames * setup.shape.size + losses)
    return numbers * (2 if detail.is_rounded else 4) * USUAL_SHARE * 4 / 3 / 1e6


def _less(detail: Detail, share: float) -> Detail:
    """Less detail, of which about a share of the bytes is left."""
    share *= MARGIN
    frames, losses = int(detail.frames * share), min(detail.losses, max(FEWEST_LOSSES, int(detail.losses * share)))
    if frames >= FEWEST_FRAMES:
        return replace(detail, frames=frames, losses=losses)
    if not detail.is_rounded and 2 * frames >= FEWEST_FRAMES:
        return Detail(2 * frames, losses, True)
    return Detail(0, 2)


def _left_out(detail: Detail, most_mb: float) -> str:
    """As in "to stay within 20 MB, each run has at most 23 snapshots, and losses after at most 383 epochs"."""
    within = f"to stay within {most_mb:.3g} MB, each run has"
    if not detail.frames:
        return f"{within} its start and its results only; what is shown of its training is trained again in the browser"
    rounded = ", all rounded to 16 bits" if detail.is_rounded else ""
    return f"{within} at most {detail.frames} snapshots, and losses after at most {detail.losses} epochs{rounded}"


def page_title(groups: Sequence[Runs]) -> str:
    """As in "XOR · 2-2-1 sigmoid · bce · lr 1"."""
    setups = [group.trained.setup.part(group.places) for group in groups]
    is_one = len(setups) == 1 and setups[0].population.runs == 1
    return printable((film_title(setups[0]) if is_one else sweep_title(setups)).replace("   ", " · "))


def _made(command: str) -> dict[str, Any]:
    """What made the page; no host, user or path."""
    version, day = sys.modules["xortrain"].__version__, date.today().isoformat()
    return {"version": version, "numpy": np.__version__, "command": command, "date": day}


def _stories(groups: Sequence[Runs], advice: str) -> dict[str, Any]:
    """The stories of the first runs, as many as are little work, but always of one."""
    runs = [(group.trained, place) for group in groups for place in group.places.tolist()]
    found, work = dict[str, Any](), 0.0
    for number, (trained, place) in enumerate(runs):
        work += story_work(trained)
        if number and work > MOST_WORK:
            break
        found[str(number)] = run_story(RunData(trained, place), advice, is_alone=len(runs) == 1)
    return found
