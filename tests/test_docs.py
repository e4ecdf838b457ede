"""README and docs do what they say: every console block is run, every Python block too."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def commands(block: str) -> list[tuple[str, str]]:
    """Command and expected output, for each line that begins with a dollar sign."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, expected) for command, _, expected in (part.partition("\n") for part in parts)]


def pattern(expected: str) -> str:
    """… stands for anything in a line, a line of it alone for any number of lines."""
    lines = []
    for line in expected.rstrip("\n").split("\n"):
        told = ".*".join(map(re.escape, line.rstrip().split("…"))) + " *\n"
        lines.append("(?:.*\n)*" if line.strip() == "…" else told)
    return "".join(lines)


def run(command: str, folder: Path) -> str:
    here = Path(sys.executable).parent
    path = f"{here}:/usr/local/bin:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(folder), "COLUMNS": "100", "LANG": "C.UTF-8"}
    shell = ["bash", "-c", command]
    done = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem)
def test_a_page_shows_what_happens(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for kind, text in blocks(page):
        if kind == "python":
            exec(compile(text, str(page), "exec"), names)
            continue
        for command, expected in commands(text):
            output = run(command, tmp_path)
            if expected.strip():
                assert re.fullmatch(pattern(expected), output.rstrip("\n") + "\n"), f"$ {command}\n{output}"


def test_an_output_that_differs_is_caught() -> None:
    assert re.fullmatch(pattern("a … c\n…\nend\n"), "a b c\n1\n2\nend\n")
    assert not re.fullmatch(pattern("a … c\n"), "a b d\n")
    assert not re.fullmatch(pattern("a\nend\n"), "a\n1\nend\n")


def test_reading_the_code_lists_the_modules_that_there_are() -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Reading the code")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`(xortrain/[\w/]+(?:\.py|/))`", section))
    rooms = {f"xortrain/{path.name}/" for path in (ROOT / "xortrain").iterdir() if (path / "__init__.py").is_file()}
    modules = {f"xortrain/{path.name}" for path in (ROOT / "xortrain").glob("*.py")} - {"xortrain/__init__.py"}
    assert listed == rooms | modules
