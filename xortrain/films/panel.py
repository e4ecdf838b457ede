"""Panels, the parts of a frame such as the field or the loss curve, and what all layouts of one run share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from xortrain.films.canvas import Box, Canvas, make_canvas
from xortrain.films.colour_scale import ColourScale, colour_scale
from xortrain.films.colours import get_palette, mix
from xortrain.films.data import FilmData, Frame, RunFrames
from xortrain.films.film_settings import FilmSettings
from xortrain.films.pacing import Timing, even_timing, without_flips
from xortrain.films.projection import Projection, format_distinct, most_slices, project
from xortrain.nets import Array

NOT_FINITE = "not finite"
HEADING, LEAST_TITLE, NAME = 13, 10, 10  # sizes of letters; long titles have smaller ones
MOST_JOINED = 2  # names of examples in the same place
MOST_NAMED_EXAMPLES = 8  # whose names are written beside their marks
FEW_EXAMPLES = 16  # up to which their marks are large
NAME_START = 4  # letters of an axis name that are always written


@dataclass(frozen=True)
class PanelContext:
    """The arguments of a panel's constructor."""

    canvas: Canvas
    box: Box
    run_frames: RunFrames
    scale: ColourScale
    projection: Projection  # of the inputs, or of the path of the parameters
    chosen: Array  # the numbers of the snapshots in the film
    title_y: float = 0  # the baseline of the panel's title in pixels
    title: str = ""
    names_classes: bool = False  # whether it names the classes, because no other panel has room for their names


class Panel:
    """One part of a frame; a panel overrides the methods that it needs."""

    lacks_names = False
    """Whether there are classes without a name in it that it should name."""

    def __init__(self, context: PanelContext) -> None:
        self.canvas, self.box, self.title, self.title_y = context.canvas, context.box, context.title, context.title_y
        self.run_frames, self.scale, self.projection = context.run_frames, context.scale, context.projection

    def still(self) -> None:
        """Draw what all frames share."""

    def paste(self, frame: Frame) -> None:
        """Paste fields, below everything that is drawn."""

    def draw(self, frame: Frame) -> None:
        """Draw lines, marks and words."""

    def write_title(self, own: str = "") -> None:
        """Write the title above the box."""
        words = self.canvas.shorten(self.title or own, self.box.width, 10)
        self.canvas.text(self.box.x, self.title_y, words, 10, self.canvas.colours.label)

    def write_contradictions(self, shown: Array, y: Array) -> None:
        """Say how many examples are off the plane that is shown, where its outputs are of another class.

        ``shown`` and ``y`` (outputs, examples) are the outputs of the plane and those of the examples.
        """
        scale, canvas = self.scale, self.canvas
        count = int((scale.leading_class(shown) != scale.leading_class(y)).sum()) if scale.classes else 0
        if count:
            room = self.box.width - canvas.text_width(self.title, 10) - 6 * canvas.unit
            variants = (
                f"{count} of {y.shape[1]}, off this plane, have another class",
                f"{count} of {y.shape[1]} off this plane",
                f"{count} off it",
            )
            words = canvas.first_fitting(variants, max(room, canvas.text_width(variants[-1], 9)), 9)
            x = self.box.x + self.box.width
            canvas.text(x, self.title_y, words, 9, align="right", halo=canvas.colours.paper)

    def banner(self, size: float, words: str, height: float = 0.5) -> None:
        """Write bold words, if any, across the box at a fraction of its height."""
        if not words:
            return
        size, box = min(size, (size - 1) * self.box.width / self.canvas.text_width(words, size, "bold")), self.box
        x, y = box.x + box.width / 2, box.y + box.height * height
        self.canvas.text(x, y, words, size, None, "bold", "centre", halo=self.canvas.colours.paper)


class RunLayout(ABC):
    """A film of one run; subclasses arrange the panels and write the text around them."""

    designs: Sequence[tuple[int, int]]
    """Width and height of each design; the one that fits the canvas at the largest scale is used."""
    usual: tuple[int, int] | None = None  # width and height in pixels, if not those of the first design
    classes: int | None = None  # how many the palette has colours for; None for as many as the targets have
    side: int  # of the field in pixels
    heading: "Heading"

    def __init__(self, data: FilmData, settings: FilmSettings, run: int) -> None:
        self.data, self.run_frames = data, RunFrames(data, run)
        self.scale = colour_scale(data, settings.levels)
        width, height = size = settings.size or self.usual or self.designs[0]
        self.design = max(self.designs, key=lambda design: min(width / design[0], height / design[1]))
        palette = get_palette(settings.colours, settings.levels, settings.dark, self.classes or self.scale.classes)
        self.canvas = make_canvas(replace(settings, size=size), palette, self.design)
        timing = self.timing(settings)
        self.chosen, self.seconds = timing.chosen, timing.seconds
        self.data = data.with_losses(self.chosen, run)
        self.run_frames = RunFrames(self.data, run)
        self.panels = self.arrange()
        for panel in self.panels:
            panel.still()
        self.label()
        self.canvas.set_background()

    def timing(self, settings: FilmSettings) -> Timing:
        """Which snapshots are shown, and for how long."""
        data = self.data
        every = np.arange(len(data.frame_epochs))
        steps = without_flips(data) if settings.spacing == "progress" else every
        steps = every if len(steps) < (settings.frames or 0) else steps
        if len(steps) < len(every):
            data = replace(data, parameters=np.asarray(data.parameters[steps]), frame_epochs=data.frame_epochs[steps])
        timing = even_timing(settings, partial(data.choose, run=self.run_frames.run))
        return Timing(steps[timing.chosen], timing.seconds)

    @abstractmethod
    def arrange(self) -> list[Panel]:
        """Place the heading and return the panels in the order in which they are drawn."""

    @abstractmethod
    def label(self) -> None:
        """Write titles and legends."""

    @cached_property
    def projection(self) -> Projection:
        """The part of the input space that the field shows."""
        return project(self.run_frames.x, self.run_frames.t, *self.data.axes, most_slices(self.side))

    def context(self, box: Box, title_y: float = 0, title: str = "") -> PanelContext:
        frames, scale = self.run_frames, self.scale
        return PanelContext(self.canvas, box, frames, scale, self.projection, self.chosen, title_y, title)

    def write_heading(self, x: float, y: float, width: float) -> None:
        """Write the title in one line, in smaller letters if it is long; words that do not fit are left out."""
        canvas, title, size = self.canvas, self.data.title, float(HEADING)
        while size > LEAST_TITLE and canvas.text_width(title, size, "bold") > width:
            size -= 0.5
        canvas.text(x, y, canvas.shorten(title, width, size, "bold"), size, face="bold")

    def frame(self, number: int) -> Array:
        """The palette indices (height, width) of a snapshot."""
        frame = self.run_frames.at(number)
        for panel in self.panels:
            panel.paste(frame)
        for panel in self.panels:
            panel.draw(frame)
        self.heading.draw(frame)
        return self.canvas.finish()


class Heading:
    """The epoch and the loss: the words stay, the numbers change.

    If the numbers need more room than from ``left`` to ``right``, it is taken on the right first, then on the left.
    """

    def __init__(self, canvas: Canvas, left: float, right: float, y: float, last: int) -> None:
        self.canvas, self.low, size = canvas, round(y), HEADING
        s, small, low, label = canvas.unit, size - 1, round(y), canvas.colours.label
        words = canvas.text_width("loss", small) + round(6 * s), canvas.text_width("epoch", small) + round(14 * s)
        numbers = (
            max(canvas.text_width(widest, size, "bold") for widest in ("0.00e+00", NOT_FINITE)) + 1,  # or 4.89e+24
            canvas.text_width("0" * len(str(last)), size, "bold"),
        )
        top, height, needed = low - round(1.2 * size * s) + round(3 * s), round(1.2 * size * s), sum(words + numbers)
        right = min(max(round(right), round(left) + needed), canvas.width - 2)
        self.left = max(0, min(round(left), right - needed))
        self.loss = Box(self.left + words[0], top, numbers[0], height)
        self.epoch = Box(right - numbers[1], top, numbers[1], height)
        self._shown: dict[Box, str] = {}
        canvas.text(self.left, y, "loss", small, label)
        canvas.text(self.epoch.x - 6 * s, y, "epoch", small, label, align="right")

    def draw(self, frame: Frame) -> None:
        loss = "-" if frame.is_unknown and not np.isfinite(frame.loss) else format_loss(frame.loss)
        numbers = (self.epoch, str(frame.epoch), "right"), (self.loss, loss, "left")
        for box, words, align in numbers:
            if self._shown.get(box) != words:
                self.canvas.number(box, self.low, words, HEADING, align)
                self._shown[box] = words


def format_loss(loss: float) -> str:
    """Four digits; fewer for very large and very small losses."""
    if not np.isfinite(loss):
        return NOT_FINITE
    if loss >= 1e100 or 0 < loss < 1e-99:
        return f"{loss:.0e}"
    if 1e3 <= loss < 1e5:
        return f"{loss:.0f}"
    return f"{loss:.4f}" if 1e-3 <= loss < 10 else f"{loss:.4g}" if 10 <= loss < 1e5 else f"{loss:.2e}"


def format_short(value: float, decimals: float = 9.995, whole: float = 9999) -> str:
    """Two decimals below ``decimals``, none below ``whole``, else one digit and an exponent."""
    if abs(value) < decimals:
        return f"{value:.2f}"
    return f"{value:.0f}" if abs(value) < whole else f"{value:.0e}".replace("e+", "e")


def label_axes(canvas: Canvas, box: Box, projection: Projection, size: float = 10) -> None:
    """Write axis names along the lower and left edges of a box, and the tick values that leave room for them."""
    s, label, (x, y) = canvas.unit, canvas.colours.label, box.at(np.array([0.5, 0.5]))
    low, words = box.y + box.height + (size + 2) * s, format_distinct(projection.ticks[0])
    places = box.x + (projection.ticks[0] - projection.left) / (projection.right - projection.left) * box.width
    room = 2 * abs(places - x) - [canvas.text_width(word, size) + 6 * s for word in words]
    name, shown, width = _fit_axis(canvas, projection.names[0], words, room, size, box.width)
    for at, word in zip(places[shown], np.array(words)[shown], strict=True):
        canvas.text(at, low, word, size, label, align="centre")
    if canvas.text_width(name, size) > width:
        name = name.removesuffix(" of the spread")
    canvas.text(x, low, canvas.shorten(name, width, size), size, label, align="centre")

    words = format_distinct(projection.ticks[1])
    places = box.y + (projection.top - projection.ticks[1]) / (projection.top - projection.bottom) * box.height
    room = 2 * abs(places - y) - (size + 4) * s
    name, shown, height = _fit_axis(canvas, projection.names[1], words, room, size, box.height)
    for at, word in zip(places[shown], np.array(words)[shown], strict=True):
        small = size * min(1, 33 * s / canvas.text_width(word, size))
        canvas.text(box.x - 4 * s, at + 0.36 * small * s, word, small, label, align="right")
    canvas.text(box.x - size * s, y, canvas.shorten(name, height, size), size, label, align="centre", vertical=True)


def _fit_axis(
    canvas: Canvas, name: str, words: list[str], room: Array, size: float, length: float
) -> tuple[str, Array, float]:
    """The name of an axis, which values fit beside it, and its room; a single value that does not fit joins it."""
    first = name.split(" ")[0]
    start = name if first == name else f"{first} …"
    if canvas.text_width(start, size) > length:  # then the word is cut, at the earliest after a few letters
        start = name if len(name) <= NAME_START else f"{name[:NAME_START]}…"
    shown = np.asarray(room >= canvas.text_width(start, size))
    if len(words) == 1 and not shown.any():
        name = f"{name} = {words[0]}"
    return name, shown, min(room[shown], default=length)


class ExampleMarks:
    """The marks of a set of examples: shape and colour show the target; a cross marks a wrong example."""

    def __init__(self, canvas: Canvas, scale: ColourScale, t: Array, size: float = 1, beside: int = 0) -> None:
        """Targets t (examples, outputs); size 1 is that in the large field; held-out ones: ``beside`` many others."""
        self.canvas, kinds, count = canvas, scale.target_classes(t), max(len(t), beside)
        self.plain = count > FEW_EXAMPLES or size < 0.7
        self.is_valued, self.faint = not scale.classes, beside > 0
        self.radius = size * (8.0 if count <= FEW_EXAMPLES else max(2.4, 4.6 - count / 150))
        fills = canvas.palette.rgb[scale.bands(t.T.astype(float))]
        if scale.classes:
            fills = canvas.colours.of_classes(kinds)
        if self.faint:
            fills = mix(fills, canvas.colours.paper, 0.55)
        looks = np.concatenate([kinds[:, None], fills], axis=1)
        self.looks, self._look = np.unique(looks, axis=0, return_inverse=True)

    def draw(self, places: Array, right: Array) -> None:
        """Mark all examples at places (examples, 2), and cross out those that are not right."""
        self.marks(places)
        self.crosses(places[~right])

    def marks(self, places: Array, members: Array | slice = slice(None)) -> None:
        """Mark all examples, or those numbered ``members``, at places (members, 2); skip places that are not finite."""
        finite, looks = np.isfinite(places).all(1), self._look[members]
        for number, (kind, *fill) in enumerate(self.looks):
            chosen = finite & (looks == number)
            if chosen.any():
                self._marks(places[chosen], kind, np.array(fill))

    def _marks(self, places: Array, kind: int, colour: Array) -> None:
        canvas, paper, ink = self.canvas, self.canvas.colours.paper, self.canvas.colours.ink
        if self.faint:
            canvas.marks(places, kind, self.radius * 0.85, colour, canvas.colours.label, 0.8)
        elif self.is_valued:
            canvas.marks(places, kind, self.radius, colour, paper, 2.6)
            canvas.marks(places, kind, self.radius, colour, ink, 1.0)
        elif self.plain:
            canvas.marks(places, kind, self.radius, paper)
            canvas.marks(places, kind, self.radius * 0.8, colour, ink, 0.7)
        else:
            canvas.marks(places, kind, self.radius, paper, ink, 0.8)
            canvas.marks(places, kind, self.radius * 0.66, colour, ink, 0.8)

    def crosses(self, places: Array) -> None:
        """Crosses at places (n, 2): ink with an edge of paper, so that one of both shows on every colour."""
        places = places[np.isfinite(places).all(1)]
        if not len(places):
            return
        canvas, reach = self.canvas, self.radius * self.canvas.unit * (0.75 if self.faint else 0.95)
        ends = np.array([[-1, -1], [1, 1], [np.nan, np.nan], [-1, 1], [1, -1], [np.nan, np.nan]]) * reach
        strokes = (places[:, None] + ends).reshape(-1, 2)
        pixel = 1 / canvas.unit  # strokes and edges that are thinner than a pixel have too little contrast
        width = max(self.radius / 4.5, 1.2 * pixel)
        canvas.line(strokes, canvas.colours.paper, width + max(0.9 if self.plain else 1.7, 1.8 * pixel))
        canvas.line(strokes, canvas.colours.label if self.faint else canvas.colours.ink, width)


SIDES = np.array([(1, -1), (-1, -1), (1, 1), (-1, 1), (1, 0), (-1, 0), (0, -1), (0, 1)])
"""Where a name may be beside its mark, across and down, best first."""

PASSES = 3
"""How often names are placed anew while one of them is not clear of the others."""

FURTHER = np.array([0.0, 1.1])
"""How much further away it may be, as shares of its height."""


class ExampleNames:
    """Names beside the marks of a few examples; of those in the same place, joined: (0, 1) = (1, 0)."""

    sides = SIDES
    reach = 7  # of a mark that is to be kept clear
    joint = " = "

    def __init__(self, canvas: Canvas, box: Box, names: Sequence[str]) -> None:
        self.canvas, self.box, self.names = canvas, box, names
        self.size = max(NAME, 9 / canvas.unit)  # below 9 pixels letters and their halos run into each other
        self._found = dict[tuple[int, bytes], list[tuple[str, int, Array]]]()  # by epoch and places of examples

    def follow(self, path: Mapping[int, Array]) -> None:
        """Place the names in a film of places (examples, 2) by epoch, so that few of them change sides."""
        sides: dict[str, int] = {}
        for epoch, places in path.items():
            self._found[epoch, places.tobytes()] = placed = self._placed(places, sides)
            sides |= {name: side for name, side, _ in placed}

    def draw(self, places: Array, epoch: int = 0) -> Array:
        """Write the names beside places (examples, 2) after an epoch, clear of marks and other names.

        Returns the boxes of the names: (names, 4), left, top, right and lower edges.
        """
        key = epoch, places.tobytes()
        placed = self._found[key] = self._found.get(key) or self._placed(places, {})
        for name, _, box in placed:
            self.canvas.text(box[0], box[3] - 3 * self.canvas.unit, name, self.size, halo=self.canvas.colours.paper)
        return np.array([box for _, _, box in placed]).reshape(-1, 4)

    def _placed(self, places: Array, sides: Mapping[str, int]) -> list[tuple[str, int, Array]]:
        """The names with their sides and boxes; a name stays on the side that it has in ``sides`` if it can."""
        places, s = self.named(places), self.canvas.unit
        groups, found = self._groups(places), dict[int, tuple[str, int, Array]]()
        finite = places[np.isfinite(places).all(axis=1)]
        marks = np.concatenate([finite - self.reach * s, finite + self.reach * s], axis=1)
        centres = np.array([places[group].mean(axis=0) for group in groups]).reshape(-1, 2)
        names = [self._name(group) for group in groups]
        sizes = np.array([(self.canvas.text_width(name, self.size), (self.size + 2) * s) for name in names])
        options = self._options(centres, sizes.reshape(-1, 2))
        misplaced = _nearer_to_another(options, places, groups)
        for _ in range(PASSES):
            is_clear = True
            for number, name in enumerate(names):
                others = [box[None] for other, (_, _, box) in found.items() if other != number]
                costs = _overlaps(options[number], np.concatenate([marks, *others]))
                costs += misplaced[number] * sizes[number].prod()
                side = found[number][1] if number in found else sides.get(name, 0)
                side = side if costs[side] == costs.min() else int(costs.argmin())
                found[number], is_clear = (name, side, options[number, side]), is_clear and costs[side] == 0
            if is_clear:
                break
        kept: list[tuple[str, int, Array]] = []
        for number, one in found.items():  # a name that has no room near its mark is left out
            touched = any(_overlaps(one[2][None] + (1, 1, -1, -1), box[None])[0] for *_, box in kept)
            kept += [one] * (not touched and not misplaced[number, one[1]])
        return kept

    def named(self, places: Array) -> Array:
        """Where the things with names are, (names, 2), from the places of the examples."""
        return places

    def _name(self, group: Sequence[int]) -> str:
        """The name of examples in one place; equal ones are named once."""
        names = list(dict.fromkeys(self.names[one] for one in group))
        each = ((names[:count], len(names) - count) for count in (MOST_JOINED, 1))
        variants = [self.joint.join(some) + f" + {rest} more" * (rest > 0) for some, rest in each]
        return self.canvas.first_fitting(variants, self.box.width - 4, self.size)

    def _groups(self, places: Array) -> list[list[int]]:
        """The numbers of the examples whose marks are in the same place."""
        groups: list[list[int]] = []
        for number in np.flatnonzero(np.isfinite(places).all(axis=1)).tolist():
            near = (g for g in groups if np.abs(places[g[0]] - places[number]).max() < 4 * self.canvas.unit)
            if (group := next(near, None)) is None:
                groups.append(group := [])
            group.append(number)
        return groups

    def _options(self, places: Array, sizes: Array) -> Array:
        """The boxes (n, options, 4) that names of sizes (n, 2) may have beside places (n, 2), inside the panel."""
        box, gap, sizes = self.box, 10 * self.canvas.unit, sizes[:, None]
        gaps = np.array([gap, 0.9 * gap]) + FURTHER[:, None, None] * sizes[..., 1:, None]
        away = self.sides * gaps + (self.sides * sizes / 2)[:, None]
        middle = places[:, None] + away.reshape(len(places), len(FURTHER) * len(self.sides), 2)
        low, high = np.array([[box.x + 2, box.y + 2], [box.x + box.width - 2, box.y + box.height - 2]])
        corner = np.clip(middle - sizes / 2, low, np.maximum(low, high - sizes))
        return np.concatenate([corner, corner + sizes], axis=2)


class ClassNames(ExampleNames):
    """A name for each class, at the middle of its examples."""

    sides = np.concatenate([[(0, 0)], SIDES])
    reach = 0
    joint = ", "

    def __init__(self, context: PanelContext) -> None:
        canvas, box, run = context.canvas, context.box, context.run_frames
        self.kinds = context.scale.target_classes(run.t)
        super().__init__(canvas, box, canvas.shorten_apart(run.data.outputs, 0.25 * box.width, 10))

    def named(self, places: Array) -> Array:
        """The middle of the examples of each class; nan for a class without any."""
        found = np.full((len(self.names), 2), np.nan)
        for kind in np.unique(self.kinds).tolist():
            found[kind] = np.median(places[self.kinds == kind], axis=0)
        return found


def _nearer_to_another(boxes: Array, places: Array, groups: Sequence[Sequence[int]]) -> Array:
    """Which boxes (groups, boxes, 4) are nearer to one of places (n, 2) than to all those of their own group."""
    beyond = np.maximum(boxes[:, :, None, :2] - places, places - boxes[:, :, None, 2:])
    distance = np.hypot(*np.moveaxis(np.maximum(beyond, 0), -1, 0))
    own = [away[:, group].min(axis=1) for away, group in zip(distance, groups, strict=True)]
    return np.asarray((distance < np.reshape(own, (*distance.shape[:2], 1))).any(axis=2))


def _overlaps(boxes: Array, others: Array) -> Array:
    """The area (boxes,) of each box (boxes, 4) that others (others, 4) cover."""
    low, high = np.maximum(boxes[:, None, :2], others[:, :2]), np.minimum(boxes[:, None, 2:], others[:, 2:])
    return np.asarray(np.maximum(high - low, 0).prod(-1).sum(-1))
