"""The layout that shows the decision field alone, as large as it gets."""

from xortrain.films.captions import Heading, key, lines_of, scale_room, upright_scale
from xortrain.films.field import Field
from xortrain.films.moments import Course, choose_epochs
from xortrain.films.plane import plane_of
from xortrain.films.reading import reading
from xortrain.films.shapes import Box
from xortrain.films.sheet import sheet_for
from xortrain.films.subject import FilmSettings, Subject
from xortrain.nets import Array


class FieldLayout:
    """One run: epoch and loss over the field, beside it what it is and what the marks mean."""

    def __init__(self, subject: Subject, settings: FilmSettings, run: int) -> None:
        self.course, self.chosen = Course(subject, run), choose_epochs(subject, settings, run)
        read = reading(subject, settings)
        self.sheet = sheet = sheet_for(settings, read.classes, (432, 288))
        s = sheet.scale
        side = min(sheet.height - round(68 * s), sheet.width - round(186 * s))
        box = Box(round(38 * s), round(38 * s), side, side)
        plane = plane_of(self.course.x, self.course.t, subject, side)
        self.field = Field(sheet, box, self.course, plane, read, lines=0)
        self.field.still()
        self.heading = Heading(sheet, box.x, box.x + side, 27 * s, int(subject.frame_epochs[-1]), 13)
        strip = Box(box.x + side + round(12 * s), box.y, round(9 * s), side)
        upright_scale(sheet, strip, read)
        room = scale_room(sheet, read)
        left = strip.x + strip.width + room + round(12 * s) if room else strip.x + round(4 * s)
        under = self._title(left, subject.title.split("   "))
        key(sheet, left, under, box.y + box.height, read, subject)
        sheet.keep()

    def _title(self, left: float, parts: list[str]) -> float:
        """What the run is; gives the height at which its lines end."""
        sheet, heading = self.sheet, self.heading.epoch
        y = (48 if heading.x + heading.width > left - 4 else 42) * sheet.scale
        for part, words in enumerate(parts):
            face, size = ("", 11) if part else ("bold", 13)
            for line in lines_of(sheet, words, sheet.width - left - 4, size, face):
                sheet.text(left, y, line, size, face=face)
                y += 17 * sheet.scale
        return y - 17 * sheet.scale

    def picture(self, number: int) -> Array:
        now = self.course.at(number)
        self.field.paste(now)
        self.field.draw(now)
        self.heading.draw(now)
        return self.sheet.finish()
