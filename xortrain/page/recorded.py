"""The page that a run or a sweep with page=true has in its record."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xortrain.records import layout
from xortrain.records.files import shown_path
from xortrain.records.index import open_entry


def record_page(folder: Path | None) -> Iterator[str]:
    """Write the page of a record into it, if it asks for one and a run is finished; yields the line with its path."""
    if folder is None:
        return
    entry = open_entry(folder, shown_path(folder))
    is_wanted = any(part.metadata["config"].get("page") is True for part in entry.parts)
    if not is_wanted or not any(any(part.rows.codes) for part in entry.parts):
        return
    from xortrain.page.pages import write_page
    from xortrain.runner.train import working_in
    from xortrain.trained.run_data import RunData
    from xortrain.trained.sweep_data import SweepData

    path, sweep = folder / layout.PAGE, SweepData[RunData].of(entry)
    with working_in(folder, "only the page is missing: xortrain page"):
        found: Any = sweep if entry.is_sweep else sweep[0]
        write_page(found, path)
    yield f"page    {shown_path(path)}"
