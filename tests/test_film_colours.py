"""The colours of films differ for normal and for colour-blind eyes, and on a grey printer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortrain.films.colours import (
    COLOUR_MAPS,
    MOST_COLOURS,
    blend,
    channels,
    composite,
    get_colours,
    get_palette,
    rgba,
)
from xortrain.nets import Array

DEFICIENCIES = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""What linear RGB looks like to an eye without one kind of cone (Machado, Oliveira & Fernandes 2009, severity 1)."""

TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(rgb: Array) -> Array:
    share = rgb / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(light: Array) -> Array:
    """CIE L*a*b* of linear RGB (n, 3)."""
    xyz = np.clip(light, 0, 1) @ TO_XYZ.T / TO_XYZ.sum(1)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_the_two_sides_differ_for_every_eye(name: str, dark: bool) -> None:
    used = get_colours(name, 24, dark)
    for seen in (np.eye(3), *map(np.array, DEFICIENCIES.values())):
        ends = lab(linear(used.levels[[0, -1]]) @ seen.T)
        assert np.linalg.norm(ends[0] - ends[1]) > 25
        points = lab(linear(used.classes[:2]) @ seen.T)
        assert np.linalg.norm(points[0] - points[1]) > 20


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_the_two_sides_differ_in_grey(name: str, dark: bool) -> None:
    lightness = lab(linear(get_colours(name, 24, dark).levels))[:, 0]
    assert abs(lightness[0] - lightness[-1]) > 20
    away = 1 if dark else -1  # on either side lightness goes one way, from the middle on
    assert (np.diff(lightness[12:]) * away > -0.5).all()
    assert (np.diff(lightness[:12]) * -away > -0.5).all()


@pytest.mark.parametrize("name", [*COLOUR_MAPS, "viridis", "RdYlBu", "cividis"])
@pytest.mark.parametrize("levels", [2, 7, 24, 100])
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_a_palette_leaves_room_for_the_transparent_index(name: str, levels: int, classes: int) -> None:
    used = get_palette(name, levels, False, classes)
    assert used.rgb.shape[1:] == (3,)
    assert used.bands < len(used.rgb) <= MOST_COLOURS
    assert used.no_value == used.bands


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_neighbouring_bands_are_different_colours(name: str) -> None:
    assert (np.abs(np.diff(get_colours(name, 24, False).levels.astype(int), axis=0)).sum(1) > 3).all()


@given(st.integers(0, 10**6))
def test_the_nearest_colour_is_the_nearest(seed: int) -> None:
    used = get_palette("default", 24, False, 2)
    wanted = np.random.RandomState(seed).randint(0, 256, (20, 3)).astype(np.uint8)
    chosen = used.rgb[used.nearest(wanted)].astype(float)
    away = np.linalg.norm(chosen - wanted, axis=1)
    best = np.linalg.norm(used.rgb[None].astype(float) - wanted[:, None], axis=2).min(1)
    assert (away <= best + 2 * np.sqrt(3) * 4).all()  # colours are compared by six of their eight bits


def test_the_nearest_colour_to_a_palette_colour_is_itself() -> None:
    used = get_palette("default", 24, False, 2)
    assert (used.rgb[used.nearest(used.rgb[:24])] == used.rgb[:24]).all()


def test_the_nearest_colour_does_not_depend_on_what_was_asked_before() -> None:
    """Two colours may agree in the six bits by which they are compared."""
    wanted = np.random.RandomState(0).randint(0, 256, (20_000, 3)).astype(np.uint8)
    one, other = (get_palette.__wrapped__("default", 24, False, 2) for _ in range(2))
    backwards = other.nearest(wanted[::-1])[::-1]
    assert (one.nearest(wanted) == backwards).all()


@given(st.integers(0, 10**6))
def test_compositing_is_associative(seed: int) -> None:
    """A and then B over a ground equals (B over A) over it."""
    rng = np.random.RandomState(seed)
    ground, a, b = (rng.randint(0, 256, (3, 50)).astype(np.uint8) for _ in range(3))
    share_a, share_b = (rng.choice([0, 1, 60, 128, 254, 255], 50).astype(np.uint32) for _ in range(2))
    clear = np.zeros(50, np.uint32)
    both = composite(composite(clear, rgba(a, share_a << 24)), rgba(b, share_b << 24))
    in_turn = blend(blend(ground, a, share_a), b, share_b)
    at_once = blend(ground, channels(both), both >> 24)
    assert np.abs(in_turn.astype(int) - at_once.astype(int)).max() <= 4
