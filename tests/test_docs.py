"""All console and Python blocks in README and docs run and print what they show."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from xortrain.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COLUMNS = "120"
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def commands(block: str) -> list[tuple[str, str]]:
    """Return (command, expected output) for each line that starts with a dollar sign."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, expected) for command, _, expected in (part.partition("\n") for part in parts)]


def pattern(expected: str) -> str:
    """Return a regular expression; … matches any text in a line, and a line of only … any number of lines."""
    lines = []
    for line in expected.rstrip("\n").split("\n"):
        matched = ".*".join(map(re.escape, line.rstrip().split("…"))) + " *\n"
        lines.append("(?:.*\n)*" if line.strip() == "…" else matched)
    return "".join(lines)


def is_plain(command: str) -> bool:
    """Return whether a command calls xortrain without a pipe, a variable or another feature of the shell."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", command)
    return command.startswith("xortrain ") and not re.search(r"[|&;<>$`*?\\]", bare)


def run_here(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command in this process and return its output."""
    words = shlex.split(command)
    monkeypatch.setattr("sys.argv", words)
    main(words[1:])
    return "".join(capsys.readouterr())


def run_in_shell(command: str, folder: Path) -> str:
    here = Path(sys.executable).parent
    path = f"{here}:/usr/local/bin:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(folder), "COLUMNS": COLUMNS, "LANG": "C.UTF-8"}
    environment |= {name: os.environ[name] for name in ("XORTRAIN_MACHINE", "OMP_NUM_THREADS") if name in os.environ}
    shell = ["bash", "-c", command]
    done = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem)
def test_a_page_shows_real_output(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first command of the README runs in a shell, as readers type it; others only if they need one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", COLUMNS)
    capsys.readouterr()
    names: dict[str, object] = {}
    is_first = page.stem == "README"
    for kind, text in blocks(page):
        if kind == "python":
            exec(compile(text, str(page), "exec"), names)
            continue
        for command, expected in commands(text):
            if is_plain(command) and not is_first:
                output = run_here(command, monkeypatch, capsys)
            else:
                output = run_in_shell(command, tmp_path)
            is_first = False
            if expected.strip():
                assert re.fullmatch(pattern(expected), output.rstrip("\n") + "\n"), f"$ {command}\n{output}"


def test_commands_that_need_a_shell_are_recognised() -> None:
    assert is_plain("""xortrain ls --where "lr >= 1 and outcome = 'solved'" --sort solved_at""")
    assert is_plain("xortrain -m lr=0.5,1 'seed=range(0,9)' film=none")
    for command in ("ls outputs", "xortrain ls | head", "xortrain show $id", "xortrain lr=1 & wait", "xortrain ls > a"):
        assert not is_plain(command)


def test_a_wrong_output_is_caught() -> None:
    assert re.fullmatch(pattern("a … c\n…\nend\n"), "a b c\n1\n2\nend\n")
    assert not re.fullmatch(pattern("a … c\n"), "a b d\n")
    assert not re.fullmatch(pattern("a\nend\n"), "a\n1\nend\n")


def test_reading_the_code_lists_all_packages_and_modules() -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Reading the code")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`(xortrain/[\w/]+(?:\.py|/))`", section))
    packages = {f"xortrain/{path.name}/" for path in (ROOT / "xortrain").iterdir() if (path / "__init__.py").is_file()}
    modules = {f"xortrain/{path.name}" for path in (ROOT / "xortrain").glob("*.py")} - {"xortrain/__init__.py"}
    assert listed == packages | modules


def test_the_site_has_every_page_once() -> None:
    """Its start page is README, and CONTRIBUTING is a page."""
    nav = (ROOT / ".mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    listed = re.findall(r"^ +- [^:\n]+: (\S+)$", nav, re.MULTILINE)
    assert sorted(listed) == sorted(["index.md", "CONTRIBUTING.md", *(page.name for page in PAGES[1:])])


def test_the_tables_of_formulas_and_bounds_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "docs" / "tables.py"), "--check"], check=False)
    assert done.returncode == 0, "docs/maths.md and docs/engine.md are not what `python docs/tables.py` writes"
