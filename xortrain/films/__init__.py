"""Decision values to pictures to files: films of how networks learn, and still pictures of what they learned.

What a film needs to know is a `Subject`, how it looks are `FilmSettings`; `write` makes the file.
"""

from xortrain.films.checks import check
from xortrain.films.film import poster, write
from xortrain.films.lockstep import Ends, Lockstep, common_epochs
from xortrain.films.moments import choose_epochs
from xortrain.films.subject import FilmSettings, Subject

__all__ = [
    "Ends", "FilmSettings", "Lockstep", "Subject", "check", "choose_epochs", "common_epochs", "poster", "write",
]  # fmt: skip
