"""The GIF and APNG writers: frames to the pixel, delays to the tick, and complete files or none."""

import errno
import gc
import io
import itertools
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from xortrain.films.formats import Streaming, StreamingAPNG, StreamingGIF
from xortrain.nets import Array
from xortrain.records.files import atomic

WRITERS = [StreamingGIF, StreamingAPNG]
PALETTE = np.random.RandomState(0).permutation(256**3)[:255, None] >> np.array([0, 8, 16]) & 255


def random_film(seed: int, frames: int, height: int = 30, width: int = 41, colours: int = 255) -> Array:
    """Frames (frames, height, width) that differ from the previous one in a random rectangle, or not at all."""
    rng = np.random.RandomState(seed)
    film = [rng.randint(0, colours, (height, width))]
    for _ in range(frames - 1):
        film.append(film[-1].copy())
        top, left = rng.randint(height), rng.randint(width)
        film[-1][top : top + rng.randint(4) * 5, left : left + rng.randint(1, 20)] = rng.randint(colours)
    return np.array(film, np.uint8)


def encoded(
    writer: type[Streaming], film: Array, palette: Array = PALETTE, fps: float = 10, hold: float = 0, loop: bool = True
) -> io.BytesIO:
    file, seconds = io.BytesIO(), np.full(len(film), 1 / fps)
    seconds[-1] += hold
    with iio.imopen(file, "w", plugin=writer, palette=palette, seconds=seconds, loop=loop) as out:
        out.write(film)
    return file


def decoded(file: io.BytesIO | Path) -> Iterator[tuple[Array, float]]:
    """Each frame (height, width, 3) and its delay in milliseconds, decoded by Pillow."""
    with Image.open(file) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
            yield np.asarray(image.convert("RGB")), image.info["duration"]


def distinct(film: Array) -> Array:
    """The film without frames that equal the previous one."""
    return film[np.r_[True, (film[1:] != film[:-1]).any((1, 2))]]


@given(seed=st.integers(0, 10**6), frames=st.integers(1, 9), colours=st.integers(1, 255))
@pytest.mark.parametrize("writer", WRITERS)
def test_decoded_frames_equal_the_indices_written(
    writer: type[Streaming], seed: int, frames: int, colours: int
) -> None:
    film = random_film(seed, frames, colours=colours)
    seen = [frame for frame, _ in decoded(encoded(writer, film, PALETTE[:colours]))]
    np.testing.assert_array_equal(seen, PALETTE[distinct(film)])


def test_the_gif_equals_the_one_that_imageio_writes() -> None:
    film, plain = random_film(3, 6, colours=64), io.BytesIO()
    palette = PALETTE[:64].astype(np.uint8)
    iio.imwrite(plain, film, extension=".gif", mode="P", palette=palette.tobytes(), duration=100, loop=0)
    ours = [frame for frame, _ in decoded(encoded(StreamingGIF, film, palette))]
    np.testing.assert_array_equal(ours, [frame for frame, _ in decoded(plain)])


@pytest.mark.parametrize(("writer", "tick"), [(StreamingGIF, 10.0), (StreamingAPNG, 1.0)])
@pytest.mark.parametrize("fps", [0.5, 7, 10, 24, 30, 50])
def test_delays_are_whole_ticks_whose_rounding_errors_do_not_add_up(
    writer: type[Streaming], tick: float, fps: float
) -> None:
    film = np.arange(40, dtype=np.uint8).repeat(4).reshape(40, 2, 2)
    delays = np.array([delay for _, delay in decoded(encoded(writer, film, fps=fps, hold=1.5))])
    assert len(delays) == 40
    assert (delays % tick == 0).all()
    delays[-1] -= 1500
    assert np.abs(np.cumsum(delays) - 1000 * np.arange(1, 41) / fps).max() <= tick / 2


@pytest.mark.parametrize("writer", WRITERS)
def test_equal_frames_become_one_that_lasts_longer(writer: type[Streaming]) -> None:
    film = np.array([1, 1, 1, 2, 2, 3], np.uint8).repeat(4).reshape(6, 2, 2)
    assert [delay for _, delay in decoded(encoded(writer, film, fps=10))] == [300, 200, 100]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_film_repeats_for_ever_unless_loop_is_false(writer: type[Streaming]) -> None:
    film = random_film(1, 3)
    with Image.open(encoded(writer, film)) as image:
        assert image.info["loop"] == 0
    with Image.open(encoded(writer, film, loop=False)) as image:
        assert image.info.get("loop", 1) == 1


def test_an_animated_png_read_as_a_still_is_its_first_frame() -> None:
    film = random_film(2, 4)
    np.testing.assert_array_equal(iio.imread(encoded(StreamingAPNG, film), index=0, mode="RGB"), PALETTE[film[0]])


@pytest.mark.parametrize("writer", WRITERS)
def test_memory_does_not_grow_with_the_film(writer: type[Streaming], tmp_path: Path) -> None:
    rng = np.random.RandomState(0)
    peaks = []
    for frames in (20, 2000):
        tracemalloc.start()
        with iio.imopen(tmp_path / "film", "w", plugin=writer, palette=PALETTE) as out:
            for _ in range(frames):
                out.write(rng.randint(0, 255, (20, 30)).astype(np.uint8))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000  # a frame has 600 bytes


def interrupted(path: Path) -> None:
    with atomic(path) as file:
        file.write(b"half")
        file.flush()
        raise KeyboardInterrupt


def interrupted_at(count: int, writer: type[Streaming]) -> bool:
    """Write a film and press Ctrl-C when the writer has run ``count`` lines; returns False if it runs fewer."""
    left = count

    def line(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        left -= event == "line"
        if not left:
            sys.settrace(None)
            raise KeyboardInterrupt
        return line

    def call(frame: FrameType, event: str, argument: object) -> Any:
        ours = frame.f_globals["__name__"] == writer.__module__ and frame.f_code.co_name != "__del__"
        return line if ours else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        encoded(writer, random_film(4, 3))
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("writer", WRITERS)
def test_ctrl_c_at_any_line_of_a_writer_writes_nothing_to_the_terminal(
    writer: type[Streaming], monkeypatch: pytest.MonkeyPatch
) -> None:
    ignored: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    lines = next(count for count in itertools.count(1) if not interrupted_at(count, writer)) - 1
    gc.collect()
    assert lines > 40
    assert ignored == []


def test_errors_of_an_atomic_file_name_the_requested_path(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    with pytest.raises(OSError, match="No space left") as full, atomic(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert full.value.filename == str(path)
    with pytest.raises(OSError, match="No such file") as missing, atomic(tmp_path / "nowhere" / "film.gif"):
        pass
    assert missing.value.filename == str(tmp_path / "nowhere" / "film.gif")


def test_an_atomic_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    with atomic(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_atomic_file_leaves_nothing_or_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert path.read_bytes() == b"old"
