"""Notebooks: the tour runs and shows what it should, and a bar is a widget where there are any."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.interop
TOUR = Path(__file__).parents[2] / "examples" / "tour.ipynb"
BAR = """
import time
from xortrain.runner.progress import progress
with progress(4, "runs", True) as shown:
    for _ in range(4):
        time.sleep(0.2)
        shown.add(1)
"""


def executed(notebook: Any, folder: Path) -> list[list[Any]]:
    """The outputs of each code cell, after a run in a kernel of its own."""
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def shown(outputs: list[Any]) -> dict[str, str]:
    """The last value of a cell in all its forms."""
    (found,) = (one.data for one in outputs if one.output_type == "execute_result")
    return dict(found)


def test_the_tour_runs_and_each_value_is_shown_as_it_should_be(tmp_path: Path) -> None:
    assert TOUR.stat().st_size < 200_000
    notebook = nbformat.read(TOUR, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    run, _, step, groups, sweep, summary = executed(notebook, tmp_path)
    for value in (run, sweep):
        assert shown(value)["text/html"].startswith("<iframe sandbox='allow-scripts'")
        assert "image/png" in shown(value)
        assert len(shown(value)["text/html"]) <= 200_000
    assert r"\frac{dL}{dW_{1}}" in shown(step)["text/markdown"]
    assert shown(groups)["text/html"].count("<tr>") == 4
    assert "58 % (48.2-67.2)" in shown(groups)["text/html"]
    assert "Not solved" in summary[0].text
    assert not [one for outputs in (run, step, groups, sweep) for one in outputs if one.get("name") == "stderr"]
    assert len(list(tmp_path.glob("outputs/sweeps/*/*"))) == 1


@pytest.mark.parametrize("has_widgets", [True, False])
def test_a_bar_is_a_widget_where_there_are_widgets_and_else_nothing_is_printed(
    has_widgets: bool, tmp_path: Path
) -> None:
    absent = "" if has_widgets else "import sys\nsys.modules['ipywidgets'] = None"
    (outputs,) = executed(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(absent + BAR)]), tmp_path)
    assert [one.output_type for one in outputs] == (["display_data"] if has_widgets else [])
    assert all("application/vnd.jupyter.widget-view+json" in one.data for one in outputs)
