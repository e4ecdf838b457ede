"""A film's file: the format by the extension, times in seconds and pictures a second.

GIF and animated PNG are streamed by writers of our own, WebP by Pillow, MP4 by imageio with PyAV.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from xortrain.films.subject import FilmSettings
from xortrain.films.whole import whole
from xortrain.nets import Array

Pictures = Iterator[Array]


def save(path: Path, pictures: Pictures, count: int, palette: Array, settings: FilmSettings) -> None:
    """Write so many pictures of palette indices, as the extension says."""
    with whole(path) as file:
        FORMATS[path.suffix.lower()](file, pictures, count, palette, settings)


def _gif(file: IO[bytes], pictures: Pictures, count: int, palette: Array, settings: FilmSettings) -> None:
    from xortrain.films.gif import StreamingGIF

    _stream(StreamingGIF, file, pictures, palette, settings)


def _apng(file: IO[bytes], pictures: Pictures, count: int, palette: Array, settings: FilmSettings) -> None:
    from xortrain.films.apng import StreamingAPNG

    _stream(StreamingAPNG, file, pictures, palette, settings)


def _stream(plugin: Any, file: IO[bytes], pictures: Pictures, palette: Array, settings: FilmSettings) -> None:
    import imageio.v3 as iio

    options = {"palette": palette, "fps": settings.fps, "hold": settings.hold, "loop": settings.loop}
    with iio.imopen(file, "w", plugin=plugin, **options) as film:
        for picture in pictures:
            film.append(picture)


FORMATS: dict[str, Callable[[IO[bytes], Pictures, int, Array, FilmSettings], None]] = {
    ".gif": _gif,
    ".png": _apng,
}
