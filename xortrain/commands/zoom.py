"""``xortrain zoom``: a film that zooms into a place of a map; every frame is a window, trained as a population."""

import math
from argparse import Namespace
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from xortrain.commands.arguments import answers, command_parser, misfit, positive_int
from xortrain.commands.render import refuse_other_overrides
from xortrain.commands.rerun import add_engine, engine_of
from xortrain.config.compose import compose
from xortrain.errors import UserError
from xortrain.films.film_settings import LAYOUTS
from xortrain.records.naming import named
from xortrain.runner.sweep import run_sweep
from xortrain.runner.windows import MOST_SIZE, SAFE_RATE, Zoom, plan_zoom
from xortrain.trained.sweep_data import SweepData
from xortrain.views.summary import sweep_ending

LARGEST_FACTOR = 1e15  # beyond it there are no floats left between the bounds of any window


def zoom(arguments: Sequence[str]) -> Iterator[str]:
    """xortrain zoom SWEEP --at lr=3.2,init.scale=1.4 [--factor F] [--frames N] [--size N]: outcomes and paths."""
    a = _parse(arguments)
    found = named(a.sweep, a.root)
    if found.number is not None or not found.entry.is_sweep:
        raise UserError(f"{a.sweep}: is one run; zoom takes a sweep over two settings")
    sweep = SweepData[Any].of(found.entry)
    if len(sweep.parts) > 1:
        raise UserError(
            f"{a.sweep}: has {len(sweep.parts)} populations; zoom takes a sweep that differs in numbers only"
        )
    asked = Zoom(a.at, a.factor, a.frames, a.size)
    film = _film(a, sweep.config["film"])
    planned = plan_zoom(sweep.population(0), asked, film, str(a.root), found.entry.id, engine_of(a))
    folder = run_sweep(planned.plan, show=True)
    item = {"path": str(folder), "windows": planned.windows, "runs": planned.plan.jobs}
    return answers(a, chain(filter(None, [planned.remark]), sweep_ending(folder)), item)


def _film(a: Namespace, recorded: dict[str, Any]) -> dict[str, Any]:
    """The film: a map as the sweep has it, at a rate at which nothing flashes, with the settings that are given."""
    own = {"name": "map"}
    if LAYOUTS[recorded["name"]].is_map:
        own = {key: recorded[key] for key in ("x", "y", "dark", "colours", "levels", "size") if key in recorded}
    values = {key: "null" if value is None else value for key, value in own.items() if key != "name"}
    kept = [f"film.{key}={str(value).replace(' ', '')}" for key, value in values.items()]
    film = compose(["film=map", f"film.fps={SAFE_RATE}", f"film.frames={a.frames}", *kept, *a.override])["film"]
    if not LAYOUTS[film["name"]].is_map:
        raise UserError(f"film={film['name']}: a zoom is a map; leave it out")
    return dict(film)


def _parse(arguments: Sequence[str]) -> Namespace:
    p = command_parser("zoom")
    p.add_argument("sweep", metavar="SWEEP", help="a sweep over two settings, as of film=map")
    p.add_argument(
        "override", nargs="*", default=(), help="settings of the film: film.dark=true, film.size=[960,540], …"
    )
    p.add_argument("--at", type=_place, required=True, help="the place, as in lr=3.2,init.scale=1.4")
    p.add_argument("--factor", type=_factor, default=100.0, help="how far to zoom in (default: 100)")
    p.add_argument("--frames", type=_frames, default=60, help="windows, the first of them the whole map (default: 60)")
    p.add_argument("--size", type=_size, default=160, help="cells across and down of each window (default: 160)")
    add_engine(p)
    a = p.parse_intermixed_args(arguments)
    refuse_other_overrides(a.override, "zoom")
    return a


def _place(text: str) -> dict[str, float]:
    found = {}
    for part in text.split(","):
        key, mark, value = part.partition("=")
        try:
            found[key.strip()] = float(value)
        except ValueError:
            mark = ""
        if not mark or not key.strip() or not math.isfinite(found[key.strip()]):
            raise misfit(text, "must be settings with their values, as in lr=3.2,init.scale=1.4")
    return found


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1 < factor <= LARGEST_FACTOR:
        raise misfit(text, f"must be a number greater than 1, at most {LARGEST_FACTOR:g}")
    return factor


def _frames(text: str) -> int:
    return _between(text, 2, 10_000)


def _size(text: str) -> int:
    return _between(text, 3, MOST_SIZE)  # two values on an axis do not show whether it is logarithmic


def _between(text: str, least: int, most: int) -> int:
    number = positive_int(text)
    if not least <= number <= most:
        raise misfit(text, f"must be a whole number from {least} to {most:,}")
    return number
