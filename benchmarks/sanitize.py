"""Runs tests in a copy of the project whose machine is compiled with AddressSanitizer and UndefinedBehaviorSanitizer.

`python benchmarks/sanitize.py tests/test_machine_draws.py` exits with the code of pytest, and with 0 where gcc or its
sanitizers are not there.  A read or write out of bounds, an overflow or a wrong shift in C ends the tests.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from xortrain.machine.build import compile_sets

REPO = Path(__file__).resolve().parents[1]
COPIED = ("xortrain", "conf", "tests", "pyproject.toml")
FLAGS = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
RUNTIMES = ("libasan.so", "libubsan.so")


def runtimes() -> list[Path]:
    """The sanitizers' libraries, which are loaded before Python; those that gcc does not have are missing."""
    if not shutil.which("gcc"):
        return []
    asked = [["gcc", f"-print-file-name={name}"] for name in RUNTIMES]
    answers = [subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() for words in asked]
    return [Path(answer).resolve() for answer in answers if Path(answer).is_absolute()]


def main() -> int:
    preloaded = runtimes()
    if len(preloaded) < len(RUNTIMES):
        print(f"gcc or one of {', '.join(RUNTIMES)} is not here: nothing is tested")
        return 0
    os.environ["CC"] = "gcc"
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            copy = shutil.copytree if (REPO / name).is_dir() else shutil.copy
            copy(REPO / name, Path(folder, name))
        built = compile_sets(Path(folder, "xortrain/machine"), print, FLAGS)
        if not built:
            return 1
        environment = os.environ | {
            "LD_PRELOAD": " ".join(map(str, preloaded)),
            "ASAN_OPTIONS": "detect_leaks=0",  # Python leaves much to the end of the process
            "PYTHONPATH": folder,
        }
        options = ["-o", "addopts=-q --strict-markers --capture=sys", "-p", "no:cacheprovider", *sys.argv[1:]]
        command = [sys.executable, "-m", "pytest", *options]
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
