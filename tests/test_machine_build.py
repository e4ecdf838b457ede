"""Wheels and editable installs have the machine where there is a C compiler, and do without it where there is none."""

import os
import platform
import shutil
import stat
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from ctypes import CDLL
from pathlib import Path

import pytest
from hatchling.build import build_editable, build_sdist, build_wheel

from xortrain.errors import UserError
from xortrain.machine import build, library
from xortrain.machine.build import SETS, VARIABLE, compile_sets, fingerprint, library_file, sets_of_platform

ROOT = Path(__file__).parents[1]
SMALL = "const char *source(void) { return SOURCE; }\n"
"""A machine that is quickly compiled."""
needs_compiler = pytest.mark.skipif(not (build._compiler() and sets_of_platform()), reason="has no C compiler")


@pytest.fixture(autouse=True)
def _usual_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(VARIABLE, raising=False)
    yield
    library._opened.cache_clear()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a small copy of the repository: what a build needs, and a small machine."""
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore", "conf/config.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    with open(tmp_path / "pyproject.toml", "a") as file:  # another way of installing in place needs one more package
        file.write('[tool.hatch.build]\ndev-mode-dirs = ["."]\n')
    machine = tmp_path / "xortrain/machine"
    machine.mkdir(parents=True)
    shutil.copy(ROOT / "xortrain/__init__.py", tmp_path / "xortrain")
    for source in (ROOT / "xortrain/machine").glob("*.[ph]*"):
        shutil.copy(source, machine)
    (machine / "machine.c").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_wheel(name: str) -> set[str]:
    """The libraries in a wheel of dist/."""
    return {Path(each).name for each in zipfile.ZipFile(Path("dist", name)).namelist() if "machine/machine_" in each}


def libraries_of_platform() -> set[str]:
    """The libraries that a usual compiler makes here: what it does not know, it skips."""
    return {library_file(name) for name in sets_of_platform()}


def a_compiler(folder: Path, script: str) -> str:
    """The path of a compiler that does what a script of the shell says."""
    path = folder / "compiler"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return str(path)


@needs_compiler
def test_a_wheel_has_every_library_and_is_for_this_platform_alone(project: Path) -> None:
    name = build_wheel("dist")
    assert in_wheel(name) == libraries_of_platform()
    assert name.split("-")[2:4] == ["py3", "none"]
    assert platform.machine().lower() in name
    assert "manylinux" not in name
    assert not list(project.glob("xortrain/machine/machine_*"))  # a build leaves the source folder as it was


@needs_compiler
def test_the_source_distribution_builds_the_same_wheel(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_editable("dist")  # whose libraries are no part of it
    sdist = Path("dist", build_sdist("dist"))
    with tarfile.open(sdist) as packed:
        packed.extraction_filter = getattr(tarfile, "data_filter", None)  # Python has it from 3.11.4 on
        packed.extractall("unpacked")
    (unpacked,) = Path("unpacked").iterdir()
    assert not list(unpacked.rglob("machine_*"))
    monkeypatch.chdir(unpacked)
    assert in_wheel(build_wheel("dist")) == libraries_of_platform()


@pytest.mark.parametrize("environment", [{"CC": "/nonexistent"}, {"CC": "", "PATH": ""}, {VARIABLE: "none"}])
def test_without_a_compiler_the_wheel_is_for_any_platform(
    environment: dict[str, str], project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    build_editable("dist")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    name = build_wheel("dist")
    assert name.endswith("-py3-none-any.whl")
    assert not in_wheel(name)
    build_editable("dist")
    assert not list(project.glob("xortrain/machine/machine_*"))
    said = "".join(capfd.readouterr())
    assert said.count("No C compiler is found") == (0 if VARIABLE in environment else 2)


def test_an_environment_that_cannot_be_read_does_not_end_the_build(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "gcc 'without its end")
    assert not in_wheel(build_wheel("dist"))
    assert "The machine is not built" in "".join(capfd.readouterr())


@needs_compiler
def test_an_instruction_set_that_the_compiler_does_not_know_is_skipped_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = sets_of_platform()[0]
    refuse = f"case $* in *machine_{unknown}.*) echo 'cc: error: unrecognized option' >&2; exit 1; esac"
    compiler = os.environ.get("CC") or next(filter(shutil.which, build.COMPILERS))
    monkeypatch.setenv("CC", a_compiler(tmp_path, f'{refuse}\nexec {compiler} "$@"'))
    said: list[str] = []
    monkeypatch.setattr(build, "FOLDER", small_machine(tmp_path / "source"))
    made = compile_sets(tmp_path, said.append)
    assert {path.name for path in made} == libraries_of_platform() - {library_file(unknown)}
    assert said == [f"The machine for {unknown} is not built: cc: error: unrecognized option"]


@pytest.mark.skipif(not sets_of_platform(), reason="nothing is built here")
@pytest.mark.parametrize("script", ["kill $$", "exit 3", "sleep 60", "echo $'\\377 error' >&2; exit 1", "\0"])
def test_no_failure_of_a_compiler_ends_the_installation(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", a_compiler(tmp_path, script))
    monkeypatch.setattr(build, "LONGEST_COMPILATION", 0.3)
    said: list[str] = []
    assert compile_sets(tmp_path, said.append) == []
    assert len(said) == len(sets_of_platform())
    assert {path.name for path in tmp_path.iterdir()} == {"compiler"}


def small_machine(folder: Path, text: str = SMALL) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "machine.c").write_text(text)
    return folder


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a small machine and its libraries, in which they are searched for."""
    for module in (build, library):
        monkeypatch.setattr(module, "FOLDER", small_machine(tmp_path))
    compile_sets(tmp_path, lambda _: None)
    return tmp_path


@needs_compiler
def test_a_library_of_another_source_is_refused_until_it_is_compiled_again(
    compiled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = library.instruction_set()
    assert chosen
    (compiled / "more.h").write_text("/* the header changes as well */\n")
    library._opened.cache_clear()
    assert library.instruction_set() is None
    assert library.library() is None
    assert library.lacking() == library.OTHER_SOURCE
    again = compiled / "again"  # a process opens a path only once
    shutil.copytree(compiled, again)
    monkeypatch.setattr(library, "FOLDER", again)
    compile_sets(again, lambda _: None)
    library._opened.cache_clear()
    assert library.instruction_set() == chosen
    assert library.lacking() == ""


@needs_compiler
def test_the_environment_chooses_among_the_sets_of_this_cpu(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = [name for name in SETS if library.library(name)]
    assert here[0] == library.instruction_set()
    for name in here:
        monkeypatch.setenv(VARIABLE, name)
        assert library.instruction_set() == name
        assert isinstance(library.library(), CDLL)
    monkeypatch.setenv(VARIABLE, "none")
    assert library.instruction_set() is None
    assert library.lacking() == f"{VARIABLE}=none"
    monkeypatch.setenv(VARIABLE, "avx3")
    with pytest.raises(UserError, match=f"{VARIABLE}=avx3: no such instruction set. Did you mean 'avx2'?"):
        library.library()


@needs_compiler
def test_a_cpu_without_extensions_has_what_needs_none(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "cpu_features", list)
    library._opened.cache_clear()
    assert library.instruction_set() == next(name for name in sets_of_platform() if () in SETS[name].needs)
    lacking = next(name for name, row in SETS.items() if () not in row.needs)
    monkeypatch.setenv(VARIABLE, lacking)
    assert library.instruction_set() is None
    assert library.lacking() == f"this CPU has no {lacking}"


@needs_compiler
def test_the_bits_of_a_set_come_from_any_set_of_its_family(compiled: Path) -> None:
    here = [name for name in SETS if library.library(name)]
    for name in SETS:
        same = library.same_bits(name)
        assert same == next((other for other in here if SETS[other].family == SETS[name].family), None)
    assert library.same_bits("of a later version") is None


def test_what_is_no_library_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (build, library):
        monkeypatch.setattr(module, "FOLDER", small_machine(tmp_path))
    library._opened.cache_clear()
    assert sys.platform == "win32" or library.lacking() == library.NOT_BUILT
    for name in sets_of_platform():
        (tmp_path / library_file(name)).write_text("no library")
    library._opened.cache_clear()
    assert library.instruction_set() is None
    assert sys.platform == "win32" or "cannot be loaded" in library.lacking()
    assert "\n" not in library.lacking()


def test_every_source_counts(tmp_path: Path) -> None:
    seen = set()
    for name in ("machine.c", "lanes.h", "draws.h"):
        (tmp_path / "machine.c").touch()
        (tmp_path / name).write_text(name)
        seen.add(fingerprint(tmp_path))
    assert len(seen) == 3
