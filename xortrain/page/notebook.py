"""A small page inside a notebook: in a frame that may do nothing but run its own script, with a still for readers
that run none.
"""

import base64
import html
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.page.pages import finished, kept_words, make_page, page_title, runs_of
from xortrain.trained.run_data import RunData
from xortrain.trained.sweep_data import SweepData

LARGEST, MARGIN = 200_000, 3_000  # bytes of the HTML in all, and those that quoting may add
LARGEST_STILL = 36_000  # beside which a page of 1,800 parameters has room
MOST_RUNS = 100
HEIGHT_OF_ONE, HEIGHT = 720, 860  # pixels


def still_of(film: Callable[..., Path]) -> bytes:
    """The last frame of a film, which ``film`` writes, as PNG, scaled down until it is small."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        content = film(Path(folder) / "still.png", still=True).read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        picture = image.convert("RGB")
    share = 1.0
    while len(content) > LARGEST_STILL:
        share *= 0.8
        width, height = (max(1, round(share * length)) for length in picture.size)
        file = io.BytesIO()
        picture.resize((width, height), Image.Resampling.LANCZOS).quantize(64).save(file, "PNG", optimize=True)
        content = file.getvalue()
    return content


def frame_html(found: RunData | SweepData[Any], still: bytes, advice: str = "") -> str:
    """The page of a run, or of at most 100 of many, in a frame; the still and a line if it would be too large."""
    groups, of = finished(runs_of(found))
    title = html.escape(page_title(groups))
    image = f'<img alt="{title}" src="data:image/png;base64,{base64.b64encode(still).decode()}">'
    is_one = isinstance(found, RunData)
    if isinstance(found, SweepData) and len(found) > MOST_RUNS:
        groups, _ = finished(runs_of(found[np.linspace(0, len(found) - 1, MOST_RUNS).astype(int)]))
        of = f"{sum(len(group.places) for group in groups)} of {len(found):,} runs are here; sweep.page(…) writes all"
    try:
        room = (LARGEST - MARGIN - len(image)) / 1e6
        page = b"".join(make_page(groups, most_mb=room, advice=advice or kept_words(groups), of=of).parts).decode()
    except UserError:
        name = "run" if is_one else "sweep"
        return f"{image}<p>The page is too large for a notebook; {name}.page(…) writes it into a file.</p>"
    quoted = page.replace("&", "&amp;").replace("'", "&#39;")
    style = f"width:100%;height:{HEIGHT_OF_ONE if is_one else HEIGHT}px;border:0;resize:vertical"
    frame = f"<iframe sandbox='allow-scripts' title='{title}' style='{style}' srcdoc='{quoted}'></iframe>"
    return f"{frame}<noscript>{image}</noscript>"
