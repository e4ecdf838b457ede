"""Heavy libraries are imported only where they are used, and public names are no modules."""

import subprocess
import sys
from pathlib import Path

import pytest

import xortrain

HEAVY = ("numpy", "hydra", "omegaconf", "matplotlib", "imageio", "PIL", "pandas", "joblib", "distributed", "tqdm")


def imported(code: str) -> set[str]:
    """The heavy libraries that a process has imported after running some code."""
    ask = f"import sys\n{code}\nprint(*({HEAVY!r} & sys.modules.keys()))".replace(f"({HEAVY!r}", f"(set({HEAVY!r})")
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import xortrain", set()),
        ("from xortrain.cli import main; main(['--version'])", set()),
        ("from xortrain.cli import main; main(['nonsense'])", set()),
        ("from xortrain.cli import main; main(['ls', '--root', '.'])", set()),
        ("from xortrain.cli import main; main(['--help'])", set()),
        ("import xortrain.nets.network, xortrain.training.loop", {"numpy"}),
        ("import xortrain.records.reader", {"numpy"}),
        ("import xortrain; xortrain.train('lr=1', 'epochs=2')", {"numpy", "hydra", "omegaconf"}),
    ],
)
def test_a_command_imports_only_what_it_needs(code: str, allowed: set[str]) -> None:
    assert imported(code) <= allowed


def test_no_module_hides_a_public_function() -> None:
    """The import of a package xortrain.runs would replace the function of that name."""
    names = {path.stem for path in Path(xortrain.__file__).parent.iterdir()}
    assert not names & set(xortrain.__all__)
