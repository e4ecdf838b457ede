"""What the page's pictures of a population show: a part of the input space, and colours of outputs, as in its films."""

from typing import Any

import numpy as np

from xortrain.films.colour_scale import ColourScale, colour_scale
from xortrain.films.data import FilmData
from xortrain.films.glyphs import mark_corners
from xortrain.films.heatmap import activation_range
from xortrain.films.projection import Projection, SliceLabel, format_distinct, project
from xortrain.nets import Array
from xortrain.setup.run_setup import Setup
from xortrain.trained.run_data import TrainedRuns
from xortrain.training.task import History
from xortrain.views.run_film import film_data

LEVELS = 256  # of the colour scale between two targets
MOST_EXAMPLES = 20_000  # of runs with data of their own, that determine what is shown


def picture(setup: Setup, rows: Array) -> dict[str, Any]:
    """The pictures of the runs of a setup, all alike so that they can be compared; ``rows`` are those of its table."""
    data = _without_history(setup, rows)
    scale = colour_scale(data, LEVELS)
    own = data.x.ndim == 3 or data.t.ndim == 3
    several = range(min(data.runs, max(1, MOST_EXAMPLES // len(data.x))) if own else 1)
    x, t = map(np.concatenate, zip(*map(data.examples, several), strict=True))
    layers = data.network.layers
    return {
        "inputs": data.inputs,
        "outputs": data.outputs,
        "scale": _scale(scale),
        "plane": _plane(project(x, t, *data.axes)),
        "hiddenRange": activation_range(layers[-2]) if len(layers) > 1 else None,
    }


def _without_history(setup: Setup, rows: Array) -> FilmData:
    runs = len(rows)
    empty = np.zeros((0, runs), np.float32)
    history = History(setup.loss_epochs, setup.frame_epochs, empty, np.zeros((0, 0, runs), np.float32), empty)
    return film_data(TrainedRuns(setup, rows, history))


def _scale(scale: ColourScale) -> dict[str, Any]:
    return {
        **{name: getattr(scale, name) for name in ("low", "high", "classes", "ends", "ranges")},
        "oneHot": scale.one_hot,
        "wrong": scale.crossed,
        "hides": scale.hides_outputs,
        "shapes": [mark_corners(kind).tolist() for kind in range(max(scale.classes, 1))],
    }


def _plane(shown: Projection) -> dict[str, Any]:
    """``toU`` and ``toV`` are the numbers by which x - origin is multiplied for its place (u, v)."""
    slices = [
        {
            "origin": one.origin.tolist(),
            "across": one.across.tolist(),
            "up": one.up.tolist(),
            "toU": (one.across / one.units**2).tolist(),
            "toV": (one.up / one.units**2).tolist(),
            "label": one.label,
        }
        for one in shown.slices
    ]
    ticks = [list(zip(each.tolist(), format_distinct(each), strict=True)) for each in shown.ticks]
    return {
        **{name: getattr(shown, name) for name in ("left", "right", "bottom", "top", "names", "note")},
        "isCurve": shown.is_curve,
        "slices": slices,
        "ticks": ticks,
        "columns": _labels(shown.columns),
        "rows": _labels(shown.rows),
    }


def _labels(several: tuple[SliceLabel, ...]) -> list[list[str]]:
    return [one.variants() for one in several]
