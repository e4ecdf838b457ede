"""Makes the site of docs/ whole: pages from outside the folder join it, and links that leave the folder lead to them.

README is its start page, CONTRIBUTING a page as it is, and a source file that a page links to a page with its text.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

REPO = Path(__file__).resolve().parents[2]
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md"}
"""Pages from outside docs/, and their names in the site."""
LINK = re.compile(r"(?<=\]\()([^)\s#]+)(#[^)\s]*)?(?=\))")
BLOCK = re.compile(r"^( *)(```+).*?^\1\2 *$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add what pages link to outside docs/."""
    for name, site_name in PAGES.items():
        files.append(File.generated(config, site_name, content=(REPO / name).read_text(encoding="utf-8")))
    linked = set[str]()
    for file in files.documentation_pages():
        linked.update(_in_repo(file, target) for target in _targets(file.content_string))
    for name in sorted(linked):
        path = REPO / name
        if path.is_file() and path.suffix != ".md" and not name.startswith(("docs/", "..")):
            page = File.generated(config, _source_page(name), content=_listing(path, name))
            page.inclusion = InclusionLevel.NOT_IN_NAV
            files.append(page)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Rewrite the links of a page that leave docs/."""

    def rewritten(target: str) -> str:
        name = _in_repo(page.file, target)
        inside = PAGES.get(name) or (name.removeprefix("docs/") if name.startswith("docs/") else _source_page(name))
        return os.path.relpath(inside, os.path.dirname(page.file.src_uri)) if (REPO / name).exists() else target

    return _with_links(markdown, rewritten) if not page.file.src_uri.startswith("source/") else markdown


def _targets(markdown: str) -> list[str]:
    return [link[1] for link in LINK.finditer(BLOCK.sub("", markdown)) if "://" not in link[1]]


def _with_links(markdown: str, change: Callable[[str], str]) -> str:
    """A text with each relative link changed; code stays as it is."""
    parts, end = list[str](), 0
    for code in [*BLOCK.finditer(markdown), None]:
        start = code.start() if code else len(markdown)
        parts.append(LINK.sub(lambda link: _changed(link, change), markdown[end:start]))
        if code:
            parts.append(code[0])
            end = code.end()
    return "".join(parts)


def _changed(link: re.Match[str], change: Callable[[str], str]) -> str:
    return link[0] if "://" in link[1] else change(link[1]) + (link[2] or "")


def _in_repo(file: File, target: str) -> str:
    """The path of a link's target from the repository's folder."""
    place = {site_name: name for name, site_name in PAGES.items()}.get(file.src_uri, f"docs/{file.src_uri}")
    return os.path.normpath(os.path.join(os.path.dirname(place), target))


def _source_page(name: str) -> str:
    return f"source/{name}.md"


def _listing(path: Path, name: str) -> str:
    text = path.read_text(encoding="utf-8").rstrip("\n")
    return f"# {name}\n\n````{path.suffix.removeprefix('.')}\n{text}\n````\n"
