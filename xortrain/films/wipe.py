"""A diagram uncovered from left to right: pale to begin with, in full colour as far as the film has come."""

from collections.abc import Callable

from xortrain.films.shapes import Box
from xortrain.films.sheet import Sheet


class Wipe:
    """Both versions are drawn once; a picture takes its columns from the one or the other."""

    def __init__(self, sheet: Sheet, box: Box, pale: Callable[[], None], full: Callable[[], None]) -> None:
        self.sheet, self.box, self._room = sheet, box, Box(box.x, box.y - 3, box.width + 3, box.height + 6)
        pale()
        sheet.keep()
        self._pale = sheet.finish()[self._room.pixels]
        full()
        self._full = sheet.finish()[self._room.pixels]

    def uncover(self, share: float) -> None:
        """Show so much of the full version."""
        part, columns = self._pale.copy(), round(share * self.box.width) + 1
        part[:, :columns] = self._full[:, :columns]
        self.sheet.paste(self._room, part)
