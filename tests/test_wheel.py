"""The wheel contains the package, its type information and conf/, and works from an empty folder."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from xortrain import __version__

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_contains_every_module_and_every_config(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "xortrain").rglob("*.py")}
    configs = {f"xortrain/{path.relative_to(ROOT)}" for path in (ROOT / "conf").rglob("*.yaml")}
    assert modules | configs | {"xortrain/py.typed"} <= names
    assert {name.partition("/")[0] for name in names} == {"xortrain", f"xortrain-{__version__}.dist-info"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_machine_in_the_wheel_is_small(wheel: Path) -> None:
    """All instruction sets together have at most 300 kB."""
    libraries = [each for each in zipfile.ZipFile(wheel).infolist() if "machine/machine_" in each.filename]
    assert sum(each.file_size for each in libraries) <= 300_000


def test_the_wheel_trains_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """The process imports the unpacked wheel, not the checkout; CI tests a real installation."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    (tmp_path / "empty").mkdir()
    code = "import sys, xortrain.cli; print(xortrain.__file__); sys.exit(xortrain.cli.main(['film=none', 'epochs=1']))"
    python = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {code}"]
    done = subprocess.run(python, cwd=tmp_path / "empty", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(str(tmp_path / "site"))
    assert len(list((tmp_path / "empty").rglob("record.json"))) == 1
