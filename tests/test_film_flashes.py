"""Flashes are counted as WCAG 2.3.1 does, pixel by pixel, and a film that would flash is slowed until it does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortrain.films.colours import luminance
from xortrain.films.flashes import (
    SLOW,
    FlashMeter,
    calmed,
    flashing_frames,
    saturated_red,
    turning_points,
)
from xortrain.nets import Array

BLACK, WHITE, GREY, RED, PALE = (0, 0, 0), (255, 255, 255), (127, 127, 127), (255, 0, 0), (240, 240, 240)
PALETTE = np.array([BLACK, WHITE, GREY, RED, PALE, (200, 30, 40), (90, 120, 30), (20, 60, 160), (80, 80, 80)])
MOST = 6  # transitions of a pixel in a second, which are three flashes

Levels = list[float]


def light_of(colour: Array) -> float:
    """Relative luminance by the formula of WCAG, in plain Python."""
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in (float(c) / 255 for c in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def redness_of(colour: Array) -> float:
    red, green, blue = (light_of(np.where(np.arange(3) == part, colour, 0)) for part in range(3))
    red, green, blue = red / 0.2126, green / 0.7152, blue / 0.0722
    return float(red + green + blue > 0 and red / (red + green + blue) >= 0.8)


def transitions(values: Levels, step: float, light: float) -> list[int]:
    """The frames at which a value has gone by ``step`` from an extreme, the other way than the last time."""
    found, last, way = list[int](), 0, 0
    for frame, value in enumerate(values):
        since = values[last : frame + 1]
        rises = way <= 0 and value - min(since) >= step and min(since) < light
        falls = way >= 0 and max(since) - value >= step and value < light
        if rises or falls:
            found.append(frame)
            last, way = frame, 1 if rises else -1
    return found


def most_transitions(values: Levels, step: float) -> int:
    """The largest number of rises and falls by ``step`` in turn, over all choices of extremes."""
    best = [{1: 0, -1: 0} for _ in values]  # of those that end at a frame, by a rise or by a fall
    for frame, value in enumerate(values):
        for before in range(frame):
            for way in (1, -1):
                if way * (value - values[before]) >= step:
                    best[frame][way] = max(best[frame][way], best[before][-way] + 1)
    return max(count for one in best for count in one.values())


def flashing(films: list[list[Levels]], seconds: Levels, most: float, rounds: int) -> list[bool]:
    """Which frames are in a second in which more than a share ``most`` of the pixels has more than three flashes.

    ``films`` has for each kind of flash the values of each pixel over one round.
    """
    frames, bounds = len(seconds), [(0.1, 0.8), (0.5, np.inf)]
    starts = [sum(seconds) * turn + sum(seconds[:frame]) for turn in range(rounds) for frame in range(frames)]
    found = [False] * frames
    for pixels, bound in zip(films, bounds, strict=True):
        times = [[starts[frame] for frame in transitions(one * rounds, *bound)] for one in pixels]
        for start in starts:
            often = [sum(start <= time < start + 1 - 1e-9 for time in one) > MOST for one in times]
            if sum(often) > most * len(often):
                for number, time in enumerate(starts):
                    found[number % frames] |= start <= time < start + 1 - 1e-9
    return found


def film_of(levels: list[int] | Array) -> Array:
    """A film (frames, 2, 2) of which all pixels have these palette indices."""
    return np.asarray(levels, np.uint8)[:, None, None].repeat(2, axis=1).repeat(2, axis=2)


def metered(film: Array, palette: Array = PALETTE) -> tuple[Array, Array]:
    meter = FlashMeter(palette, len(film), *film.shape[:0:-1])
    for frame in film:
        meter.add(frame)
    return meter.transitions(np.zeros(len(film)))  # of two rounds


def plain(film: Array, palette: Array = PALETTE) -> list[list[Levels]]:
    """The luminances and the reds of the pixels: for each kind a list of pixels over the frames."""
    return [
        [[of(palette[index]) for index in pixel] for pixel in film.reshape(len(film), -1).T.tolist()]
        for of in (light_of, redness_of)
    ]


def test_luminance_and_saturated_red_are_those_of_wcag() -> None:
    colours = np.random.RandomState(0).randint(0, 256, (400, 3))
    np.testing.assert_allclose(luminance(colours), [light_of(one) for one in colours])
    np.testing.assert_array_equal(saturated_red(colours), [redness_of(one) for one in colours])
    assert saturated_red(np.array([BLACK, WHITE, RED, (255, 100, 0)])).tolist() == [0, 0, 1, 1]


values = st.lists(st.integers(0, 20), min_size=1, max_size=25)


@given(levels=values, light=st.sampled_from([0.8, np.inf]))
def test_a_transition_is_a_rise_or_a_fall_from_an_extreme(levels: list[int], light: float) -> None:
    series = [level / 20 + 0.001 * level for level in levels]  # no difference is 0.1 but for rounding
    found = np.flatnonzero(turning_points(np.array(series)[:, None], 0.1, light)[:, 0]).tolist()
    assert found == transitions(series, 0.1, light)
    if light == np.inf:
        assert len(found) == most_transitions(series, 0.1)


@given(
    seed=st.integers(0, 10**6), frames=st.integers(1, 14), colours=st.integers(2, len(PALETTE)),
    quickest=st.sampled_from([0.02, 0.1, 0.3]),
)  # fmt: skip
def test_flashing_frames_are_those_of_a_count_for_each_pixel(
    seed: int, frames: int, colours: int, quickest: float
) -> None:
    rng = np.random.RandomState(seed)
    film = rng.randint(0, colours, (frames, 2, 3)).astype(np.uint8)
    film[:, 0, rng.randint(3)] = 0  # not all pixels flash
    seconds = rng.uniform(quickest, 2 * quickest, frames)
    found, kinds = metered(film), plain(film)
    for one, pixels, bound in zip(found, kinds, ((0.1, 0.8), (0.5, np.inf)), strict=True):
        marked = [np.flatnonzero(column).tolist() for column in one.T]
        assert marked == [transitions(pixel * 2, *bound) for pixel in pixels]
    for most in (0.25, 0.5):
        assert flashing_frames(found, seconds, most).tolist() == flashing(kinds, seconds.tolist(), most, 2)


@given(seed=st.integers(0, 10**6), frames=st.integers(2, 20), colours=st.integers(2, len(PALETTE)))
def test_a_calmed_film_never_flashes(seed: int, frames: int, colours: int) -> None:
    rng = np.random.RandomState(seed)
    film = rng.randint(0, colours, (frames, 2, 3)).astype(np.uint8)
    seconds = rng.uniform(0.02, 0.12, frames)
    seconds[[0, -1]] += 1.0, 1.5 * rng.randint(2)  # as films are held
    calm = calmed(metered(film), seconds)
    assert not any(flashing(plain(film), calm.tolist(), 0.25, 4))
    assert ((calm == seconds) | (calm == SLOW)).all()
    assert (calm >= seconds).all()
    is_flashing = flashing(plain(film), seconds.tolist(), 0.25, 2)
    assert any(is_flashing) or (calm == seconds).all()


def blinks(times: int) -> list[int]:
    """Black, then ``times`` flashes of white in a second at 16 frames a second, then two seconds of black."""
    return [0] * 4 + [1, 0] * times + [0] * (16 - 2 * times) + [0] * 28


FILMS = {
    "four blinks in a second": (blinks(4), 16, True),
    "three blinks in a second": (blinks(3), 16, False),
    "many blinks, but slow": ([0, 1] * 20, 5, False),
    "at seven frames a second": ([0, 1] * 20, 7, True),
    "bright enough to be no flash": ([1, 4] * 40, 20, False),
    "too slight": ([0, 8] * 40, 20, False),
    "red beside a grey of the same luminance": ([2, 3] * 40, 20, True),
    "the same, three times": ([2] * 16 + [3, 2] * 3 + [2] * 26, 16, False),
    "two blinks at the end, two at the start": ([1, 0, 1, 0] + [0] * 28 + [0, 1, 0, 1, 0], 16, True),
    "only the seam": ([1] * 16 + [0] * 16, 16, False),
}  # fmt: skip
"""Palette indices of the frames, frames per second, and whether the film flashes."""


@pytest.mark.parametrize("name", FILMS)
def test_films_made_by_hand_flash_or_do_not(name: str) -> None:
    levels, rate, flashes = FILMS[name]
    film, seconds = film_of(levels), np.full(len(levels), 1 / rate)
    assert flashing_frames(metered(film), seconds).any() == flashes
    assert any(flashing(plain(film), seconds.tolist(), 0.25, 2)) == flashes
    assert (calmed(metered(film), seconds) > seconds).any() == flashes


def test_the_seam_counts() -> None:
    levels, rate, _ = FILMS["two blinks at the end, two at the start"]
    longer = levels + [0] * 16  # the same, but a second of black before the film begins again
    for shown, flashes in ((levels, True), (longer, False)):
        assert flashing_frames(metered(film_of(shown)), np.full(len(shown), 1 / rate)).any() == flashes


@pytest.mark.parametrize("steps", [20, 256])
def test_a_slow_drift_is_no_flash_however_far_it_goes(steps: int) -> None:
    greys = np.repeat(np.arange(256)[:, None], 3, axis=1)
    up = np.linspace(0, 255, steps).astype(int)
    film = film_of(np.concatenate([up, up[::-1]]))
    assert metered(film, greys)[0].sum(axis=0).max() <= 4  # two rounds: up, down, up, down
    assert not flashing_frames(metered(film, greys), np.full(len(film), 0.02)).any()


@pytest.mark.parametrize(("share", "flashes"), [(0.2, False), (0.25, False), (0.3, True)])
def test_a_quarter_of_the_pixels_may_flash(share: float, flashes: bool) -> None:
    film = np.zeros((40, 10, 10), np.uint8)
    film.reshape(40, 100)[::2, : round(100 * share)] = 1
    assert flashing_frames(metered(film), np.full(40, 0.05)).any() == flashes


def test_only_the_flashing_part_is_slowed() -> None:
    levels = [0] * 40 + [0, 1] * 8 + [0] * 40
    calm = calmed(metered(film_of(levels)), np.full(len(levels), 0.05))
    assert (calm[:20] == 0.05).all()
    assert (calm[-20:] == 0.05).all()
    assert (calm[41:56] == SLOW).all()


def test_a_meter_of_a_long_film_sees_one_pixel_of_each_square() -> None:
    film = np.random.RandomState(0).randint(0, len(PALETTE), (9, 20, 30)).astype(np.uint8)
    meter = FlashMeter(PALETTE, 28_000, 30, 20)
    assert meter.stride == 4
    for frame in film:
        meter.add(frame)
    whole = metered(film)[0].reshape(18, 20, 30)
    np.testing.assert_array_equal(meter.transitions(np.zeros(9))[0], whole[:, 2::4, 2::4].reshape(18, -1))
