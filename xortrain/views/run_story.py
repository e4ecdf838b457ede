"""A run in words, for a page: how it ended and why, and what happens in it at which epoch."""

from typing import Any

import numpy as np

from xortrain.films.data import Event
from xortrain.trained.run_data import RunData, TrainedRuns
from xortrain.views.headline import headline
from xortrain.views.run_events import run_events
from xortrain.views.run_film import film_data, is_quick, single_run
from xortrain.views.summary import needs_verdict
from xortrain.views.verdict import verdict

MOST_WORK = 1e8
"""Multiplications for the stories of several runs, well under a second."""
FIXED_WORK = 2e6
"""What a story costs beside them, in multiplications."""


def run_story(run: RunData, advice: str = "", is_alone: bool = True) -> dict[str, Any]:
    """Its outcome, what was tried, and its events; those of a run that ``is_alone`` are found in more snapshots."""
    one = RunData(run.trained.take(np.array([run.place])))
    return {
        "headline": headline(one),
        "verdict": verdict(one) if needs_verdict(one) else "",
        "advice": advice,
        "events": [_described(event) for event in _events(one, is_alone)],
    }


def story_work(trained: TrainedRuns) -> float:
    """About how much work the story of a run of this population is."""
    setup = trained.setup
    return FIXED_WORK + len(setup.frame_epochs) * setup.shape.size * len(setup.train.x)


def _events(run: RunData, is_alone: bool) -> tuple[Event, ...]:
    """What happens in a run; it is trained again for more snapshots if it is alone, and that takes no time."""
    done = int(run.row["epochs_done"])
    last = done if done >= 0 else run.setup.population.epochs  # an older record does not say
    one = single_run(run.trained, None, 0) if is_alone and is_quick(run.setup, last) else run.trained.until(last)
    return run_events(RunData(one), film_data(one))


def _described(event: Event) -> dict[str, Any]:
    return {"epoch": int(event.epoch)} | {name: getattr(event, name) for name in ("until", "label", "caption", "rank")}
