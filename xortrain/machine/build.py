"""Compiles the machine once for each instruction set of this platform.

Needs the standard library alone: `hatch_build.py` loads this file by its path before NumPy is installed.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent
VARIABLE = "XORTRAIN_MACHINE"
COMPILERS = ("cc", "gcc", "clang")
LONGEST_COMPILATION = 300  # seconds
# fmt: off
FLAGS = (
    "-O2", "-std=gnu11", "-fPIC", "-shared", "-Wno-psabi",
    "-ffp-contract=off",  # the source says where a product and a sum are fused: the bits do not depend on the compiler
    "-fno-math-errno", "-fno-trapping-math", "-fno-asynchronous-unwind-tables",
)
# fmt: on


@dataclass(frozen=True)
class InstructionSet:
    """What a library is compiled for.  All libraries of one ``family`` give the same bits."""

    family: str
    """fma: a product and a sum are rounded once; plain: rounded twice."""
    flags: tuple[str, ...] = ()
    needs: tuple[tuple[str, ...], ...] = ((),)
    """What the CPU must have, by NumPy's names: all of one of these groups (NumPy 2.4 has names for whole levels)."""
    machines: tuple[str, ...] = ()
    """Values of `platform.machine()`; empty: any."""


# fmt: off
SETS = {
    "avx512": InstructionSet(
        "fma", ("-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma", "-mprefer-vector-width=512"),
        (("X86_V4",), ("AVX512_SKX", "AVX2", "FMA3")), ("x86_64", "AMD64")),
    "avx2": InstructionSet("fma", ("-mavx2", "-mfma"), (("X86_V3",), ("AVX2", "FMA3")), ("x86_64", "AMD64")),
    "neon": InstructionSet("fma", machines=("aarch64", "arm64")),
    "baseline": InstructionSet("plain", machines=("x86_64", "AMD64")),
}
# fmt: on
"""Instruction sets by name, the fastest first."""


def sets_of_platform() -> list[str]:
    """The names of the instruction sets that libraries are compiled for here, if there are any."""
    if sys.platform == "win32":
        return []
    return [name for name, row in SETS.items() if not row.machines or platform.machine() in row.machines]


def library_file(name: str) -> str:
    """The file name of an instruction set's library."""
    return f"machine_{name}.{'dylib' if sys.platform == 'darwin' else 'so'}"


def fingerprint(folder: Path | None = None) -> str:
    """SHA-256 of all C sources and flags; a library has it compiled in and is not used with other ones."""
    folder, digest = folder or FOLDER, sha256(repr((FLAGS, SETS)).encode())
    for path in [folder / "machine.c", *sorted(folder.glob("*.h"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def compile_sets(into: Path, report: Callable[[str], object], more_flags: Iterable[str] = ("-s",)) -> list[Path]:
    """Compile the libraries of this platform into a folder; those that cannot be compiled are missing.

    ``report`` takes one line for each problem of a compiler; nothing is raised for it.  Earlier
    libraries in the folder are removed.
    """
    from concurrent.futures import ThreadPoolExecutor

    for name in SETS:
        (into / library_file(name)).unlink(missing_ok=True)
    if os.environ.get(VARIABLE) == "none":
        return []
    names, compiler = sets_of_platform(), _compiler()
    if not names:
        report("The machine is not built for this system: NumPy does everything")
    elif compiler is None:
        report(f"No C compiler is found (CC, {', '.join(COMPILERS)}): NumPy does everything")
    else:
        with ThreadPoolExecutor() as pool:
            problems = pool.map(partial(_compile, compiler, into, tuple(more_flags)), names)
            for problem in filter(None, problems):
                report(problem)
    return [path for name in names if (path := into / library_file(name)).is_file()]


def _compiler() -> list[str] | None:
    """The command of the compiler: the environment's CC, and no other, or the first that is found."""
    import shlex
    import shutil

    commands = [shlex.split(os.environ["CC"])] if os.environ.get("CC") else [[name] for name in COMPILERS]
    return next((command for command in commands if command and shutil.which(command[0])), None)


def _compile(compiler: list[str], into: Path, more_flags: tuple[str, ...], name: str) -> str:
    """Compile one library; the problem in one line, or nothing.

    The file appears in one step: a process that has an earlier one open keeps it whole.
    """
    import subprocess
    from tempfile import TemporaryFile

    row, made = SETS[name], into / f".{os.getpid()}-{library_file(name)}"
    source = f'-DSOURCE="{fingerprint()}"'
    command = [*compiler, *FLAGS, *row.flags, *more_flags, source, str(FOLDER / "machine.c"), "-o", str(made), "-lm"]
    with TemporaryFile() as errors:  # a pipe would be waited for until the children of a stopped compiler end
        try:
            subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, timeout=LONGEST_COMPILATION, check=True
            )
            made.replace(into / library_file(name))
            return ""
        except (OSError, subprocess.SubprocessError) as error:
            made.unlink(missing_ok=True)
            errors.seek(0)
            lines = errors.read().decode(errors="replace").splitlines()
            reason = next((line for line in lines if "error" in line), type(error).__name__)
    return f"The machine for {name} is not built: {reason}"
