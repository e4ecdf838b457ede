"""README and docs do what they say: every console block is run, every Python block too."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from xortrain.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COLUMNS = "100"
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


def is_plain(command: str) -> bool:
    """Whether a command is ours and asks nothing of a shell: no pipe, no variable, no pattern outside quotes."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", command)
    return command.startswith("xortrain ") and not re.search(r"[|&;<>$`*?\\]", bare)


def run_here(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints, without the start of a process."""
    words = shlex.split(command)
    monkeypatch.setattr("sys.argv", words)
    main(words[1:])
    return "".join(capsys.readouterr())


def run_in_shell(command: str, folder: Path) -> str:
    here = Path(sys.executable).parent
    path = f"{here}:/usr/local/bin:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(folder), "COLUMNS": COLUMNS, "LANG": "C.UTF-8"}
    shell = ["bash", "-c", command]
    done = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem)
def test_a_page_shows_what_happens(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """README's commands are typed into a shell, as a reader types them; other pages start it where they need one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", COLUMNS)
    capsys.readouterr()
    names: dict[str, object] = {}
    for kind, text in blocks(page):
        if kind == "python":
            exec(compile(text, str(page), "exec"), names)
            continue
        for command, expected in commands(text):
            if page.stem != "README" and is_plain(command):
                output = run_here(command, monkeypatch, capsys)
            else:
                output = run_in_shell(command, tmp_path)
            if expected.strip():
                assert re.fullmatch(pattern(expected), output.rstrip("\n") + "\n"), f"$ {command}\n{output}"


def test_only_a_command_that_needs_no_shell_is_run_without_one() -> None:
    assert is_plain("""xortrain ls --where "lr >= 1 and outcome = 'solved'" --sort solved_at""")
    assert is_plain("xortrain -m lr=0.5,1 'seed=range(0,9)' film=none")
    for command in ("ls outputs", "xortrain ls | head", "xortrain show $id", "xortrain lr=1 & wait", "xortrain ls > a"):
        assert not is_plain(command)


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


def test_the_tables_of_the_mathematics_are_those_of_the_rows() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "docs" / "tables.py"), "--check"], check=False)
    assert done.returncode == 0, "docs/maths.md is not what `python docs/tables.py` writes"
