"""A run in words, for a page: how it ended and why, and what happens in it at which epoch."""

from typing import Any

import numpy as np

from xortrain.films.data import Event
from xortrain.trained.run_data import RunData, TrainedRuns
from xortrain.views.headline import headline
from xortrain.views.run_events import run_events
from xortrain.views.run_film import film_data, single_run
from xortrain.views.summary import needs_verdict
from xortrain.views.verdict import verdict

MOST_WORK = 1e8
"""Multiplications for the stories of several runs, well under a second."""
FIXED_WORK = 2e6
"""What a story costs beside them, in multiplications."""


def run_story(run: RunData, advice: str = "", is_alone: bool = True) -> dict[str, Any]:
    """Its outcome, what was tried, and its events; those of a run that ``is_alone`` are found in more snapshots."""
    return {
        "headline": headline(run),
        "verdict": verdict(run) if needs_verdict(run) else "",
        "advice": advice,
        "events": [_described(event) for event in run_events(*_with_film_data(run, is_alone))],
    }


def story_work(trained: TrainedRuns) -> float:
    """About how much work the story of a run of this population is."""
    setup = trained.setup
    return FIXED_WORK + len(setup.frame_epochs) * setup.shape.size * len(setup.train.x)


def _with_film_data(run: RunData, is_alone: bool) -> tuple[RunData, Any]:
    if is_alone:
        one = single_run(run.trained, None, run.place)
    else:
        one = run.trained.take(np.array([run.place])).until(int(run.row["epochs_done"]))
    return RunData(one), film_data(one)


def _described(event: Event) -> dict[str, Any]:
    return {
        "epoch": int(event.epoch),
        "until": event.until,
        "label": event.label,
        "caption": event.caption,
        "rank": event.rank,
    }
