"""The commands that a page shows: as they were typed, without the folders of the computer they were typed on."""

import re
import shlex
from collections.abc import Sequence

from xortrain.errors import cut, printable

LONGEST, MOST_WORDS = 300, 100
_FOLDERS = re.compile(r"(?:^|(?<=[\s=:,'\"\[(]))(?:~\w*|\.{1,2}|[A-Za-z]:)?[/\\](?=\S)(?:[^\s/\\'\",]*[/\\])*")
"""What a path from the root, home, or here begins with, up to its last name."""
_OF_PLACES = ("root=", "--root", "--output", "--to", "hydra.")


def typed(words: object) -> str:
    """A command line from its words, as a record states them; empty if they are not texts."""
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        return ""
    return command_line(words[1:])


def command_line(words: Sequence[str]) -> str:
    """A command of xortrain as one pastes it into a shell, without folders, and without settings that name places."""
    kept = list[str]()
    for before, word in zip(["", *words], words[:MOST_WORDS], strict=False):
        if not word.startswith(_OF_PLACES) and before not in ("--root", "--output", "--to"):
            kept.append(shlex.quote(_FOLDERS.sub("", printable(word))))
    return cut(" ".join(["xortrain", *kept]), LONGEST)
