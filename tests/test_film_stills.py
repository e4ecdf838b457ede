"""Stills as SVG and PDF: text is text, at the places of the PNG; heatmaps are those of the PNG; bytes never differ."""

import base64
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from some_films import DRAWN_LAYOUTS, record_text, run_of, sweep_of

from xortrain.errors import UserError
from xortrain.films.canvas import Box
from xortrain.films.data import FilmData
from xortrain.films.film import make_layout, write_film
from xortrain.films.film_settings import DRAWINGS, FilmSettings
from xortrain.films.vector_canvas import VectorCanvas
from xortrain.nets import Array

NEAR = 2.5
"""Pixels between the text of a drawing and that of the PNG."""
SVG = "{http://www.w3.org/2000/svg}"
NETS = ["three classes", "exploded"]
CASES = (
    [(layout, "xor") for layout in DRAWN_LAYOUTS]
    + [("story", name) for name in NETS]
    + [("sweep", "many"), ("weights", "deep")]
)


def shown(name: str) -> FilmData:
    return sweep_of(100) if name == "many" else run_of(name)


def drawn(data: FilmData, settings: FilmSettings, path: Path) -> bytes:
    return write_film(data, settings, path, still=True).read_bytes()


def texts_of_svg(svg: bytes) -> list[tuple[str, float, float, str]]:
    """Each text with the place where it is held, and which of its ends is there."""
    found = []
    for one in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        style = one.get("style", "")
        end = re.search("text-anchor: (start|middle|end)", style)
        assert end
        words = (one.text or "").replace("\N{NO-BREAK SPACE}", " ")
        found.append((words, float(one.get("x", "")), float(one.get("y", "")), end[1]))
    return found


def texts_of_pdf(pdf: bytes) -> Iterator[tuple[str, float, float]]:
    """Each text of the page with its beginning, measured from the lower left; letters by the fonts' ToUnicode maps."""
    objects = {int(n): body for n, body in re.findall(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", pdf, re.S)}
    streams = {n: inflated(body) for n, body in objects.items() if b"stream\n" in body}
    to_unicode = {
        font: letters_of(streams[int(number)])
        for font, at in re.findall(rb"/(F\d+) (\d+) 0 R", b"".join(objects.values()))
        for number in re.findall(rb"/ToUnicode (\d+) 0 R", objects[int(at)])
    }
    (page,) = [stream for stream in streams.values() if b"\nBT\n" in stream]
    for x, y, shown in re.findall(rb"([-\d.]+) ([-\d.]+) cm\nBT\n(.*?)\nET", page, re.S):
        words, font = "", b""
        for name, string in re.findall(rb"/(F\d+) [\d.]+ Tf|\(((?:[^()\\]|\\.)*)\)", shown, re.S):
            font = name or font
            codes = re.sub(rb"\\(.)", lambda c: {b"n": b"\n", b"r": b"\r"}.get(c[1], c[1]), string, flags=re.S)
            words += "".join(to_unicode[font][code] for code in codes.decode("utf-16-be"))
        yield words, float(x), float(y)


def inflated(body: bytes) -> bytes:
    return zlib.decompressobj().decompress(body.partition(b"stream\n")[2])


def letters_of(cmap: bytes) -> dict[str, str]:
    """The letters of each two-byte code in a CMap."""
    found = {}
    for first, _, each in re.findall(rb"<(\w+)> <(\w+)> \[(.*?)\]", cmap, re.S):
        for step, word in enumerate(re.findall(rb"<(\w+)>", each)):
            found[chr(int(first, 16) + step)] = bytes.fromhex(word.decode()).decode("utf-16-be")
    return found


def distance(box: Box, end: str, x: float, y: float) -> float:
    """How far text held at (x, y) by one of its ends is from the box of the same text; upright or turned."""
    across = {"start": 0.0, "middle": 0.5, "end": 1.0}[end]
    beyond_y = max(box.y - y, y - box.y - box.height, 0)
    beyond_x = max(box.x - x, x - box.x - box.width, 0)
    lying = max(abs(x - box.x - across * box.width), beyond_y)
    turned = max(abs(y - box.y - (1 - across) * box.height), beyond_x)
    return float(min(lying, turned))


def texts_of_png(monkeypatch: pytest.MonkeyPatch, data: FilmData, settings: FilmSettings) -> list[tuple[str, Box]]:
    with monkeypatch.context() as patch:
        written = record_text(patch)
        film = make_layout(data, settings)
        film.frame(int(film.chosen[-1]))
    return written


@pytest.mark.parametrize(("layout", "name"), CASES)
def test_all_text_of_a_drawing_is_text_at_the_place_it_has_in_the_png(
    layout: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, settings = shown(name), FilmSettings(layout=layout)
    wanted = texts_of_png(monkeypatch, data, settings)
    svg = texts_of_svg(drawn(data, settings, tmp_path / "still.svg"))
    for words, box in wanted:
        away = [distance(box, end, x, y) for text, x, y, end in svg if text == words]
        assert min(away, default=np.inf) <= max(NEAR, box.height / 8), words
    numbers = [words for words, *_ in svg if not any(words == known for known, _ in wanted)]
    assert len(numbers) <= 2  # epoch and loss of the heading


@pytest.mark.parametrize(("layout", "name"), [("weights", "xor"), ("story", "three classes"), ("sweep", "many")])
def test_a_pdf_has_the_text_of_the_svg_at_the_same_places(
    layout: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, settings = shown(name), FilmSettings(layout=layout)
    wanted, svg = texts_of_png(monkeypatch, data, settings), drawn(data, settings, tmp_path / "still.svg")
    height = make_layout(data, settings).canvas.height
    pdf = list(texts_of_pdf(drawn(data, settings, tmp_path / "still.pdf")))
    assert sorted(words for words, *_ in pdf) == sorted(words for words, *_ in texts_of_svg(svg))
    for words, box in wanted:
        away = [distance(box, "start", x, height - y) for text, x, y in pdf if text == words]
        assert min(away, default=np.inf) <= max(NEAR, box.height / 8), words


def images_of_svg(svg: bytes) -> Iterator[tuple[Box, Array]]:
    for one in ElementTree.fromstring(svg).iter(f"{SVG}image"):
        data = one.get("{http://www.w3.org/1999/xlink}href", "").partition(",")[2]
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))
        a, b, c, d, x, y = map(float, re.findall(r"-?[\d.]+(?:e-?\d+)?", one.get("transform", "")))
        assert b == c == 0
        width, height = round(a * image.shape[1]), round(-d * image.shape[0])
        yield Box(round(x), round(y - height), width, height), image[::-1]


@pytest.mark.parametrize(("layout", "name"), [("field", "xor"), ("story", "spiral"), ("sweep", "many")])
def test_the_heatmaps_of_a_drawing_are_those_of_the_png_with_more_pixels(
    layout: str, name: str, tmp_path: Path
) -> None:
    data, settings = shown(name), FilmSettings(layout=layout)
    film = make_layout(data, settings)
    png = film.canvas.palette.rgb[film.frame(int(film.chosen[-1]))]
    images = [(box, image) for box, image in images_of_svg(drawn(data, settings, tmp_path / "still.svg"))]
    fine = [(box, image) for box, image in images if image.shape[1] == 3 * box.width > 60]
    assert len(fine) >= {"story": 7}.get(layout, 1)  # two pictures, five units
    for box, image in fine:
        sampled, same = image[1::3, 1::3], png[box.pixels]
        assert (np.abs(sampled.astype(int) - same).max(2) <= 24).mean() > 0.7  # the rest are lines and marks


@pytest.mark.parametrize("number", [9, 30])
@pytest.mark.parametrize("suffix", DRAWINGS)
def test_the_rows_of_a_raster_are_in_a_drawing(suffix: str, number: int) -> None:
    """Pale beyond the epoch shown, in the colours of the PNG; in a PDF an image is an object of its own."""
    settings = FilmSettings(layout="raster")
    png, film = (make_layout(sweep_of(100), replace(settings, canvas=one)) for one in (None, VectorCanvas))
    frame, box = png.canvas.palette.rgb[png.frame(number)], png.box  # type: ignore[attr-defined]
    film.frame(number)
    assert isinstance(film.canvas, VectorCanvas)
    film.canvas.save(file := io.BytesIO(), suffix)
    if suffix == ".pdf":
        assert b"/Width %d /Height %d" % (box.width, box.height) in file.getvalue()
        return
    rows = [image for place, image in images_of_svg(file.getvalue()) if place == box]
    pale, full = rows[0], rows[-1]
    until = round(number / 30 * box.width)
    shown = np.concatenate([full[:, :until], pale[:, until:]], axis=1)
    assert (shown == frame[box.pixels]).all(axis=2).mean() > 0.9  # the rest are lines


@pytest.mark.parametrize(
    ("layout", "name", "suffix"), [*((*case, ".svg") for case in CASES[:5]), ("field", "xor", ".pdf")]
)
def test_a_drawing_is_the_same_whatever_was_drawn_before_and_its_bytes_whenever_it_is_written(
    layout: str, name: str, suffix: str, tmp_path: Path
) -> None:
    settings = FilmSettings(layout=layout, frames=9)
    first = drawn(shown(name), settings, tmp_path / f"still{suffix}")
    film = make_layout(shown(name), replace(settings, canvas=VectorCanvas))
    for number in (30, 0, 11, 30):
        film.frame(number)
    assert isinstance(film.canvas, VectorCanvas)
    film.canvas.save(again := io.BytesIO(), suffix)
    if suffix == ".svg":
        assert sorted(again.getvalue().splitlines()) == sorted(first.splitlines())
    else:
        assert sorted(texts_of_pdf(again.getvalue())) == sorted(texts_of_pdf(first))
    assert drawn(shown(name), settings, tmp_path / f"again{suffix}") == first
    assert b"Date" not in first
    assert b"date" not in first


@pytest.mark.parametrize("layout", DRAWN_LAYOUTS)
def test_what_a_vector_canvas_draws_in_pixels_is_what_a_canvas_draws(layout: str) -> None:
    settings = FilmSettings(layout=layout, dark=True)
    one, other = (make_layout(run_of("xor"), replace(settings, canvas=kind)) for kind in (None, VectorCanvas))
    plain, vector = (film.canvas.palette.rgb[film.frame(30)].astype(int) for film in (one, other))
    assert (np.abs(plain - vector).max(2) > 24).mean() < 0.02  # the boundary is drawn with other pixels


@pytest.mark.filterwarnings("ignore::xortrain.errors.Remark")  # of a machine that has no font for them
@pytest.mark.parametrize("suffix", DRAWINGS)
def test_letters_that_mean_something_to_a_format_or_are_missing_in_the_font_are_text(
    suffix: str, tmp_path: Path
) -> None:
    title = "日本 <b>&\"' (\\) ]]>"
    still = drawn(replace(run_of("xor"), title=title), FilmSettings(), tmp_path / f"still{suffix}")
    words = [one for one, *_ in (texts_of_svg(still) if suffix == ".svg" else texts_of_pdf(still))]
    assert title.replace("日本", "日本" if suffix == ".svg" else "��") in words


@pytest.mark.parametrize("suffix", DRAWINGS)
def test_a_film_is_no_drawing(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"{suffix} is for a still image: add still=True, or --still"):
        write_film(run_of("xor"), FilmSettings(), tmp_path / f"film{suffix}")
    with pytest.raises(UserError, match="a still image=\\.gif: no such choice"):
        write_film(run_of("xor"), FilmSettings(), tmp_path / "film.gif", still=True)
    assert not list(tmp_path.iterdir())
