"""Joins the modules of the page and its data into one HTML file.

The script is stored compressed; the few lines that unpack it stand in the page as they are.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from xortrain.page.arrays import packed
from xortrain.page.javascript import mathematics
from xortrain.page.payload import Payload
from xortrain.training.task import Task

LOADER = ("unpack", "load")
"""The modules that unpack the others."""
MODULES = (
    "text", "special", "network", "training", "page-data", "state", "canvas", "live", "shown", "paint", "statistics",
    "outcomes", "condition", "table", "losses", "settings", "picture", "marks", "raster", "plane-picture", "field",
    "hidden-space", "outputs", "player", "cells", "fork", "fork-panel", "diagram-plan", "diagram", "run-losses",
    "step", "help", "start",
)  # fmt: skip
"""The modules of the page in the order in which they are joined, after the generated mathematics."""
SIGN = b'<meta name="generator" content="xortrain">'
"""What every page has among its first lines."""
_IMPORT = re.compile(r"^import\s[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=async |function|class|const|let)", re.MULTILINE)
_packed_script = lru_cache(1)(lambda app: packed([app.encode()]))  # a page that is too large is made again with less
_PLACE = re.compile(r"%([A-Z]+)%")


def html_parts(payload: Payload) -> list[bytes]:
    """The whole page, in parts."""
    loader, app, style = joined(LOADER), script(payload.tasks), _app("style.css")
    parts = {
        "POLICY": _policy([loader, app], style),
        "TITLE": html.escape(payload.meta["title"]),
        "STYLE": style,
        "META": packed([_json(payload.meta).encode()]),
        "DATA": payload.arrays.packed(),
        "APP": _packed_script(app),
        "LOADER": loader,
    }
    pieces = _PLACE.split(_app("index.html"))  # texts and places in turn, so that a title may contain %DATA%
    return [(parts[piece] if number % 2 else piece).encode() for number, piece in enumerate(pieces)]


def script(tasks: Iterable[Task] = ()) -> str:
    """The whole script of a page but its loader, with the fast steps of some tasks."""
    return f'"use strict";\n{{\n{_plain(mathematics(tasks))}\n{joined(MODULES)}}}\n'


@cache
def joined(names: tuple[str, ...]) -> str:
    """Modules as one script; their imports and exports are not needed in it."""
    return "\n".join(_plain(_app(f"{name}.js")) for name in names)


def _plain(module: str) -> str:
    """A module without its imports and exports."""
    return _EXPORT.sub("", _IMPORT.sub("", module))


def _policy(scripts: list[str], style: str) -> str:
    """The page may load nothing, and run nothing but its own scripts."""
    return (
        f"default-src 'none'; script-src {' '.join(map(_hashed, scripts))}; style-src {_hashed(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def _app(name: str) -> str:
    return (files("xortrain.page") / "app" / name).read_text(encoding="utf-8")
