"""Finds, chooses and loads the machine's library for this CPU."""

import ctypes
import os
from functools import cache
from pathlib import Path

from xortrain.errors import first_line, unknown
from xortrain.machine.build import FOLDER, SETS, VARIABLE, fingerprint, library_file, sets_of_platform

NOT_BUILT = "no C compiler worked when xortrain was installed: install gcc or clang, then run pip install again"
OTHER_SOURCE = "its C source has changed since xortrain was installed: run pip install again"


def cpu_features() -> list[str]:
    """The SIMD extensions that NumPy uses on this computer, including its baseline."""
    import numpy as np

    extensions = np.show_config(mode="dicts").get("SIMD Extensions", {})
    return [*extensions.get("baseline", []), *extensions.get("found", [])]


def library(name: str | None = None) -> ctypes.CDLL | None:
    """The machine for an instruction set, without a name for the one that `instruction_set` chooses; None if missing.

    Calls of its functions release the GIL.
    """
    name = name or instruction_set()
    opened = _opened(name) if name else None
    return opened if isinstance(opened, ctypes.CDLL) else None


def instruction_set() -> str | None:
    """The fastest instruction set that can run here, or the one that XORTRAIN_MACHINE names; None if there is none."""
    return next(filter(library, _wanted()), None)


def family(name: str) -> str | None:
    """The family of an instruction set, whose members give the same bits; None for an unknown name."""
    return SETS[name].family if name in SETS else None


def same_bits(name: str) -> str | None:
    """The instruction set to use here for the bits of another: one of its family; None if there is none."""
    return next((other for other in _wanted() if family(other) == family(name) and library(other)), None)


def lacking() -> str:
    """Why there is no machine and how to get it, in one line; empty if there is one."""
    if instruction_set():
        return ""
    if os.environ.get(VARIABLE) == "none":
        return f"{VARIABLE}=none"
    if not sets_of_platform():
        return "it is not built for this system"
    return str(_opened(_wanted()[-1]))  # baseline, which every CPU has, or the one that is named


def _wanted() -> list[str]:
    """The instruction sets to try, in order; raises UserError if XORTRAIN_MACHINE names none."""
    name = os.environ.get(VARIABLE) or None
    if name not in (None, "none", *SETS):
        raise unknown(VARIABLE, name, [*SETS, "none"], "instruction set")
    return [] if name == "none" else [name] if name else sets_of_platform()


@cache
def _opened(name: str) -> ctypes.CDLL | str:
    """The library of an instruction set, or why it cannot be used."""
    path, features = FOLDER / library_file(name), set(cpu_features())
    if name not in sets_of_platform() or not any(features.issuperset(group) for group in SETS[name].needs):
        return f"this CPU has no {name}"
    return _opened_file(path) if path.is_file() else NOT_BUILT


def _opened_file(path: Path) -> ctypes.CDLL | str:
    try:
        opened = ctypes.CDLL(str(path))
        opened.source.restype = ctypes.c_char_p
        return opened if opened.source() == fingerprint().encode() else OTHER_SOURCE
    except (OSError, AttributeError) as error:
        return f"{path.name} cannot be loaded: {first_line(error)}"
