"""Joins the modules of the page and its data into one HTML file."""

import base64
import hashlib
import html
import json
import re
from importlib.resources import files
from typing import Any

from xortrain.page.arrays import packed
from xortrain.page.javascript import mathematics
from xortrain.page.payload import Payload

MODULES = (
    "text", "unpack", "network", "page-data", "state", "canvas", "paint", "axis", "density", "statistics", "outcomes", "measures",
    "condition", "table",
    "losses", "settings", "help", "start",
)  # fmt: skip
"""The modules of the page in the order in which they are joined, after the generated mathematics."""
_IMPORT = re.compile(r"^import\s[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=async |function|class|const|let)", re.MULTILINE)
_PLACE = re.compile(r"%([A-Z]+)%")


def page(payload: Payload) -> str:
    """The whole page as text."""
    script, style = _script(), _app("style.css")
    parts = {
        "POLICY": _policy(script, style),
        "TITLE": html.escape(payload.meta["title"]),
        "STYLE": style,
        "META": packed(_json(payload.meta).encode()),
        "DATA": payload.arrays.packed(),
        "SCRIPT": script,
    }
    return _PLACE.sub(lambda found: parts[found[1]], _app("index.html"))  # in one pass: a title may contain %DATA%


def _script() -> str:
    """One script of all modules; their imports and exports are not needed in it."""
    sources = [mathematics(), *(_app(f"{name}.js") for name in MODULES)]
    joined = "\n".join(_EXPORT.sub("", _IMPORT.sub("", source)) for source in sources)
    return f'"use strict";\n{{\n{joined}}}\n'


def _policy(script: str, style: str) -> str:
    """The page may load nothing, and run nothing but its own script."""
    return (
        f"default-src 'none'; script-src {_hashed(script)}; style-src {_hashed(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


def _app(name: str) -> str:
    return (files("xortrain.page") / "app" / name).read_text(encoding="utf-8")
