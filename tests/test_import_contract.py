"""Who asks for little waits for little: heavy libraries are imported only where they are used."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "hydra", "omegaconf", "matplotlib", "imageio", "PIL", "pandas", "joblib", "distributed", "tqdm")


def imported(code: str) -> set[str]:
    """Which of the heavy libraries a process has imported when it has run some code."""
    ask = f"import sys\n{code}\nprint(*({HEAVY!r} & sys.modules.keys()))".replace(f"({HEAVY!r}", f"(set({HEAVY!r})")
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import xortrain", set()),
        ("from xortrain.cli import main; main(['--version'])", set()),
        ("from xortrain.cli import main; main(['nonsense'])", set()),
        ("from xortrain.cli import main; main(['--help'])", set()),
        ("import xortrain.nets.network, xortrain.training.loop", {"numpy"}),
        ("import xortrain.records.reader", {"numpy"}),
        ("import xortrain; xortrain.train('lr=1', 'epochs=2')", {"numpy", "hydra", "omegaconf"}),
    ],
)
def test_a_question_imports_no_more_than_its_answer_needs(code: str, allowed: set[str]) -> None:
    assert imported(code) <= allowed
