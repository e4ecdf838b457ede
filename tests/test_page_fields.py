"""What the pictures of a page show is what NumPy computes: colours, numbers under the pointer, right and wrong."""

import base64
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imageio.v3 import imread
from some_pages import Opened, opened

import xortrain
from xortrain.api import Run
from xortrain.films.colours import MOST_HUES, get_colours
from xortrain.films.projection import project
from xortrain.nets import Array
from xortrain.page.pages import runs_of, write_page
from xortrain.page.pictures import picture
from xortrain.views.run_film import film_data

pytestmark = pytest.mark.usefixtures("quick_composition")

LEVELS, SHADES = 256, 64
LEFT, TOP, RIGHT, BELOW = 34, 2, 2, 34  # pixels of a picture's axes
ADAM = ("optimizer=adam", "lr=0.05", "epochs=60")


def clouds(path: Path, classes: int, columns: int) -> str:
    """A table of points around a centre for each class."""
    rng = np.random.default_rng(3)
    kind = np.arange(60) % classes
    x = 3 * rng.normal(size=(classes, columns))[kind] + rng.normal(size=(60, columns)) + 20
    names = [f"c{k}" for k in range(columns)]
    rows = [",".join([*(f"{value:.3f}" for value in row), "abcdef"[k]]) for row, k in zip(x, kind, strict=True)]
    path.write_text("\n".join([",".join([*names, "kind"]), *rows]))
    return f"data.path={path}"


def surface(path: Path) -> str:
    """A table with real targets over two inputs of different ranges."""
    rng = np.random.default_rng(4)
    x = rng.uniform([0, -50], [1, 50], (50, 2))
    rows = [f"{a:.4f},{b:.4f},{20 + 9 * np.sin(5 * a) + b / 10:.4f}" for a, b in x]
    path.write_text("\n".join(["heat,load,yield", *rows]))
    return f"data.path={path}"


CSV = ("data=csv", "data.scale=standard", "architecture.hidden=[4]")
DRAWN: dict[str, Any] = {
    "xor": lambda folder: ("lr=3", "epochs=60"),
    "targets -1 and 1": lambda folder: ("data.low=-1", "data.high=1", "loss=mse", "output=tanh", "epochs=60"),
    "skip connections": lambda folder: ("architecture=skip", "architecture.hidden=[1]", *ADAM),
    "no hidden layer": lambda folder: ("data=or", "architecture.hidden=[]", *ADAM),
    "no bias": lambda folder: ("architecture.bias=false", *ADAM),
    "real targets, scaled": lambda folder: (*CSV, surface(folder / "t.csv"), *ADAM),
    "two classes with names": lambda folder: (*CSV, clouds(folder / "t.csv", 2, 2), *ADAM),
    "three classes": lambda folder: (*CSV, clouds(folder / "t.csv", 3, 2), *ADAM),
}
"""Overrides of runs with two inputs and networks so small that each pixel is evaluated."""
WITH_NUMBERS: dict[str, Any] = DRAWN | {
    "deep": lambda folder: ("architecture.hidden=[8,8]", "activation=tanh", *ADAM),
    "one input": lambda folder: ("data=sine", "architecture.hidden=[4]", "data.scale=standard", *ADAM),
    "three bits in slices": lambda folder: ("data=parity", "architecture.hidden=[4]", *ADAM),
    "four inputs, three classes": lambda folder: (*CSV, clouds(folder / "t.csv", 3, 4), *ADAM),
}


@contextmanager
def shown(browser: Any, overrides: Sequence[str], folder: Path) -> Iterator[tuple[Opened, Run]]:
    run = xortrain.train(*overrides, f"root={folder / 'root'}", "film=none", "advice=none")
    with opened(browser, run.page(folder / "p.html")) as found:
        yield found, run
        assert found.said == []


def show(found: Opened, **parts: int) -> None:
    """Change what is shown, and wait for the picture after the one that it changes."""
    found.page.evaluate("(parts) => xortrain.change(parts)", parts)
    found.page.evaluate("() => new Promise(requestAnimationFrame)")


def image_of(found: Opened, id: str) -> Array:
    """The colours (rows, columns, 3) of a canvas."""
    text = found.page.evaluate("(id) => document.getElementById(id).toDataURL()", id)
    return np.asarray(imread(base64.b64decode(text.partition(",")[2]), extension=".png")[..., :3], int)


def field_of(found: Opened) -> Array:
    """The colours of the field, without its axes."""
    image = image_of(found, "field")
    return image[TOP : len(image) - BELOW, LEFT : image.shape[1] - RIGHT]


def box_of(page: Any, selector: str) -> dict[str, float]:
    """Where an element is in the window, in pixels."""
    found: dict[str, float] = page.locator(selector).bounding_box()
    return found


def plane_of(run: Run) -> dict[str, Any]:
    """The plane that the page shows; the films' one is the same."""
    (group,) = runs_of(run)
    data = film_data(group.trained)
    plane: dict[str, Any] = picture(group.trained.setup, group.trained.rows)["plane"]
    x, t = data.examples(0)
    own = project(x, t, *data.axes)
    assert [plane[side] for side in ("left", "right", "bottom", "top")] == [own.left, own.right, own.bottom, own.top]
    return plane


def colours_of(run: Run, y: Array) -> Array:
    """The colours (points, 3) of outputs (points, outputs), by the films' definition of them."""
    data, used = film_data(run.trained), get_colours("default", LEVELS, False, MOST_HUES)
    if y.shape[1] < 3:
        shown = (y[:, 1] - y[:, 0] + data.low + data.high) / 2 if y.shape[1] == 2 else y[:, 0]
        place = np.floor((shown - data.low) / (data.high - data.low) * LEVELS)
        return np.asarray(used.levels[np.clip(place, 0, LEVELS - 1).astype(int)], int)
    shades = np.stack([used.shades(kind, SHADES) for kind in range(y.shape[1])])
    low = data.low + (data.high - data.low) / y.shape[1]
    place = np.floor((y.max(1) - low) / (data.high - low) * SHADES)
    return np.asarray(shades[y.argmax(1), np.clip(place, 0, SHADES - 1).astype(int)], int)


def test_six_slices_of_one_input_fill_half_of_their_picture(browser: Any, tmp_path: Path) -> None:
    rows = [f"{u},{v},{w},{u + v + w}" for u in range(4) for v in range(4) for w in range(6)]
    (tmp_path / "t.csv").write_text("\n".join(["u,v,w,sum", *rows]))
    with shown(browser, (*CSV, f"data.path={tmp_path / 't.csv'}", "loss=mse", *ADAM), tmp_path) as (found, _):
        assert (field_of(found).max(axis=2) > 0).mean() > 0.5  # the ground has no colour


@pytest.mark.parametrize("make", DRAWN.values(), ids=DRAWN)
def test_the_colours_of_a_field_are_those_of_numpy_to_one_level(make: Any, browser: Any, tmp_path: Path) -> None:
    with shown(browser, make(tmp_path), tmp_path) as (found, run):
        plane, shares = plane_of(run), list[float]()
        for epoch in (0, 20, 60):
            show(found, epoch=epoch)
            image = field_of(found)
            down, across = image.shape[:2]
            u = plane["left"] + (np.arange(across) + 0.5) / across * (plane["right"] - plane["left"])
            v = plane["top"] - (np.arange(down) + 0.5) / down * (plane["top"] - plane["bottom"])
            points = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
            wanted = colours_of(run, run.predict(points, epoch=epoch)).reshape(image.shape)
            shares.append(float((np.abs(image - wanted).max(-1) <= step_of(run)).mean()))
        assert min(shares) > 0.8, shares  # the rest are marks, names and the line where the class changes


def test_an_output_of_a_class_has_the_colour_of_that_class(browser: Any, tmp_path: Path) -> None:
    """Of two outputs the first is that of the first class: where it is high, its cell has the first class's colour."""
    overrides = ("loss=cross_entropy", "optimizer=adam", "lr=0.2", "epochs=60", "seed=1")
    with shown(browser, overrides, tmp_path) as (found, run):
        show(found, epoch=60)
        image, y = image_of(found, "outputs"), run.predict(run.x, epoch=60)
        assert y.shape == (4, 2)
        assert y.max() > 0.9
        used = get_colours("default", LEVELS, False, MOST_HUES)
        place = np.clip(np.floor(y * LEVELS), 0, LEVELS - 1).astype(int)
        place[:, 0] = LEVELS - 1 - place[:, 0]
        wide = image.shape[1] / 4
        ratio = image.shape[1] / box_of(found.page, "#outputs")["width"]
        corners = [
            [image[round((18 + 30 * k + 5) * ratio), round(n * wide + 5 * ratio)] for k in (0, 1)] for n in range(4)
        ]
        assert np.abs(np.array(corners) - used.levels[place].astype(int)).max() <= step_of(run)


def test_the_table_of_classes_counts_what_the_accuracy_counts(browser: Any, tmp_path: Path) -> None:
    """An output may be the greatest and not past the midpoint: its class is right, and the example has a cross."""
    overrides = [*CSV, clouds(tmp_path / "t.csv", 3, 2), "lr=0.2", "epochs=60"]
    with shown(browser, overrides, tmp_path) as (found, run):
        for epoch in (20, 60):
            show(found, epoch=epoch)
            y = run.predict(run.x, epoch=epoch)
            kinds, past = (y.argmax(1) == run.t.argmax(1)).sum(), ((y > 0.5) == (run.t > 0.5)).all(1).sum()
            assert past < kinds, "no difference to be seen"
            caption = found.page.inner_text("figcaption:has(+ #outputs)")
            assert caption == f"Outputs: {kinds} of 60 of the right class; cross: not past the midpoint"


def test_names_in_a_deep_network_do_not_cover_numbers(browser: Any, tmp_path: Path) -> None:
    """All layers have units of one size, and each layer has names only where its units leave room for them."""
    overrides = ("architecture.hidden=[6,5,4,3]", "activation=tanh", "epochs=3", f"root={tmp_path / 'root'}")
    run = xortrain.train(*overrides, "film=none", "advice=none")
    with opened(browser, run.page(tmp_path / "p.html"), 1400, before=WRITTEN) as found:
        texts = found.page.evaluate("written")
        columns = [[y for _, x, y, *_ in texts if abs(x - own) < 9] for _, own, *_ in texts]
        gaps = [np.diff(sorted(column)).min() for column in columns if len(column) > 1]
        assert min(gaps) >= 9
        assert found.said == []


@pytest.mark.parametrize("width", [320, 420, 1500])
def test_no_number_of_a_weight_is_over_the_name_of_a_unit(width: int, browser: Any, tmp_path: Path) -> None:
    table = Path(clouds(tmp_path / "t.csv", 4, 2).partition("=")[2])
    table.write_text(
        re.sub(r",([a-d])$", r",Iris-setosa \1", table.read_text().replace("c0", "petal length"), flags=re.MULTILINE)
    )
    words = (*CSV[:2], f"data.path={table}", *ADAM, "film=none", f"root={tmp_path}", "seed=range(0,8)")
    with opened(browser, xortrain.sweep(*words).page(tmp_path / "p.html"), width, before=WRITTEN) as found:
        for run in range(1, 8):
            found.page.evaluate("() => { written.length = 0; }")
            show(found, run=run)
            texts = [
                (text, x, y - 4 * (baseline == "alphabetic"), wide)
                for text, x, y, wide, align, baseline in found.page.evaluate("written")
                if align == "center"
            ]
            names = [one for one in texts if re.match("[a-zI]", one[0])]
            assert len(names) == 6
            assert len(texts) > 14
            for _, x, y, wide in names:
                near = [one for one in texts if one[2] != y and abs(one[2] - y) < 9]
                assert not [one for one in near if abs(one[1] - x) < (one[3] + wide) / 2 - 1]


WRITTEN = """globalThis.written = [];
const { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...more) {
    const isNew = !written.some((one) => one.slice(0, 3).join() === [text, x, y].join());
    const { width } = this.measureText(text);
    if (this.canvas.id === "diagram" && isNew) written.push([text, x, y, width, this.textAlign, this.textBaseline]);
    return fillText.call(this, text, x, y, ...more);
};"""


def step_of(run: Run) -> int:
    """The largest difference of neighbouring levels in one of red, green and blue."""
    used = get_colours("default", LEVELS, False, MOST_HUES)
    levels = used.shades(0, SHADES) if run.t.shape[1] > 2 else used.levels
    return int(np.abs(np.diff(levels.astype(int), axis=0)).max())


def test_another_epoch_does_not_have_those_colours(browser: Any, tmp_path: Path) -> None:
    """The law above can fail: after ten other epochs most of the field has other colours."""
    with shown(browser, DRAWN["xor"](tmp_path), tmp_path) as (found, run):
        show(found, epoch=60)
        later = field_of(found)
        show(found, epoch=10)
        before = field_of(found)
        assert (np.abs(later - before).max(-1) > step_of(run)).mean() > 0.5


@pytest.mark.parametrize("make", WITH_NUMBERS.values(), ids=WITH_NUMBERS)
def test_numbers_under_the_pointer_and_right_examples_are_those_of_numpy(
    make: Any, browser: Any, tmp_path: Path
) -> None:
    with shown(browser, make(tmp_path), tmp_path) as (found, run):
        for epoch in (0, 10, 60, 20):
            show(found, epoch=epoch)
            check_right(found, run, run.predict(run.x, epoch=epoch))
        box = box_of(found.page, "#field")
        for share in (0.2, 0.45, 0.8):
            inner = [box["width"] - LEFT - RIGHT, box["height"] - TOP - BELOW]
            found.page.mouse.move(box["x"] + LEFT + share * inner[0], box["y"] + TOP + (0.15 + 0.3 * share) * inner[1])
            words = found.page.inner_text("figure:has(#field) figcaption")
            before, after = words.split(" → ")
            x, y = numbers(before), numbers(after)
            computed = run.predict([x], epoch=20)[0]
            wanted = [computed.max()] if len(computed) > 2 else computed
            slope = np.ptp(run.predict(np.array(x) * np.array([[0.999], [1.001]]), epoch=20), axis=0).max()
            np.testing.assert_allclose(y, wanted, rtol=1e-3, atol=2e-3 + slope)


def check_right(found: Opened, run: Run, y: Array) -> None:
    """The page says how many examples are right, or in their class where there are many, and marks the others."""
    right = int(run.task.success.unscaled.right(y[..., None], run.t[..., None]).sum())
    words = found.page.inner_text("figure:has(#outputs) figcaption")
    count = (y.argmax(1) == run.t.argmax(1)).sum() if y.shape[1] > 2 else right
    assert words.startswith(f"Outputs: {count} of {len(run.x)} {'of the right class' if y.shape[1] > 2 else 'right'}")
    assert (";" in words) == (right < len(run.x))


def numbers(words: str) -> list[float]:
    """The numbers of "x1 0.25, x2 -1": the last word of each part."""
    return [float(part.rpartition(" ")[2].replace(",", "")) for part in re.split(r", ", words) if part]


def test_each_cell_has_the_field_of_its_run(browser: Any, tmp_path: Path) -> None:
    """In the middle of a cell is no mark: its colour is that of the output there."""
    sweep = xortrain.sweep("lr=1,3", "seed=range(0,6)", f"root={tmp_path / 'root'}", "film=none", "epochs=80")
    with opened(browser, sweep.page(tmp_path / "p.html")) as found:
        show(found, epoch=80)
        image = image_of(found, "cells")
        for number in range(len(sweep)):
            x, y = found.page.evaluate(MIDDLE, number)
            wanted = colours_of(sweep[number], sweep[number].predict([[0.5, 0.5]]))[0]
            assert np.abs(image[y, x] - wanted).max() < 40, number  # the pixel beside the middle, on steep slopes too
        assert found.said == []


MIDDLE = """(n) => {
    const { width } = document.getElementById("cells");
    const [side, gap, below] = [132, 6, 26];
    const across = Math.floor((width + gap) / (side + gap));
    const row = Math.floor(n / across);
    return [(n % across) * (side + gap) + side / 2, row * (side + gap + below) + side / 2];
}"""


def test_a_plane_beside_the_examples_says_which_it_contradicts(browser: Any, tmp_path: Path) -> None:
    """Of a random network over a plane through many inputs, not all examples have the colour of their outputs."""
    overrides = ("data=encoder", "data.size=6", "architecture.hidden=[3]", "lr=2", "epochs=400")
    with shown(browser, overrides, tmp_path) as (found, run):
        plane = plane_of(run)
        (only,) = plane["slices"]
        origin, across, up = (np.array(only[name]) for name in ("origin", "across", "up"))
        show(found, epoch=400)
        places = [(run.x - origin) @ np.array(only[name]) for name in ("toU", "toV")]
        beside = origin + np.outer(places[0], across) + np.outer(places[1], up)
        differ = int((run.predict(beside).argmax(1) != run.predict(run.x).argmax(1)).sum())
        words = found.page.inner_text("figure:has(#field) figcaption")
        assert words == (
            f"Principal plane: {differ} of {len(run.x)}, off this plane, have another class"
            if differ
            else "Principal plane"
        )
        assert differ
        order = found.page.evaluate(
            "() => ['hidden', 'field'].map((id) => document.getElementById(id).getBoundingClientRect().x)"
        )
        assert order[0] < order[1]  # the hidden space is the main picture


def test_after_divergence_a_picture_says_that_there_is_no_value(browser: Any, tmp_path: Path) -> None:
    overrides = ("lr=1e9", "activation=relu", "output=identity", "loss=mse", "epochs=60")
    with shown(browser, overrides, tmp_path) as (found, run):
        assert run.outcome in ("diverged", "exploded")
        show(found, epoch=60)
        image = field_of(found)
        used = get_colours("default", LEVELS, False, MOST_HUES)
        assert (image == used.no_value).all(-1).mean() > 0.8


def test_runs_with_data_of_their_own_show_their_own_examples(browser: Any, tmp_path: Path) -> None:
    words = ("data=moons", "data.seed=${seed}", "seed=0,1,2", "architecture.hidden=[3]", *ADAM)
    sweep = xortrain.sweep(*words, f"root={tmp_path / 'root'}", "film=none")
    path = write_page(sweep, tmp_path / "p.html")
    with opened(browser, path) as found:
        for number in range(3):
            run = sweep[number]
            show(found, run=number, epoch=60)
            check_right(found, run, run.predict(run.x))
        assert found.said == []
