"""From runs to a film: which snapshots, what picture of each, which file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xortrain.films.checks import check
from xortrain.films.lockstep import Lockstep
from xortrain.films.subject import FilmSettings, Subject
from xortrain.nets import Array

Shown = Subject | Lockstep


def write(shown: Shown, settings: FilmSettings, path: str | Path, progress: bool = False) -> Path:
    """Write a film; its format is told by the extension.  Nothing is left behind if it cannot be done."""
    from xortrain.films.formats import save
    from xortrain.films.layouts import layout_of

    path = Path(path)
    check(settings, path)
    with np.errstate(all="ignore"):  # values beyond what a picture can show are drawn at the end of its scale
        layout = layout_of(shown, settings)
        pictures = (layout.picture(int(number)) for number in layout.chosen)
        count = len(layout.chosen)
        save(path, _shown(pictures, count) if progress else pictures, count, layout.sheet.palette.rgb, settings)
    return path


def poster(shown: Shown, settings: FilmSettings, path: str | Path) -> Path:
    """Write the last picture of a film as PNG."""
    from xortrain.films.formats import save_still
    from xortrain.films.layouts import layout_of

    path = Path(path)
    check(settings, path)
    with np.errstate(all="ignore"):
        layout = layout_of(shown, settings)
        save_still(path, layout.picture(int(layout.chosen[-1])), layout.sheet.palette.rgb)
    return path


def _shown(pictures: Iterator[Array], count: int) -> Iterator[Array]:
    """The same pictures, with a bar that says how many are done."""
    from tqdm import tqdm

    return iter(tqdm(pictures, total=count, desc="film", unit="picture", leave=False, delay=0.5, disable=None))
