"""What a run is called in a few words: its data, its network, and the settings a viewer asks for first.

Films, tables and summaries take their names from here.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xortrain.experiment.build import Build

SPOKEN = {"xor": "XOR", "and": "AND", "or": "OR", "nand": "NAND", "nor": "NOR", "xnor": "XNOR", "csv": "table"}


def title(build: "Build") -> str:
    """As in "XOR   2-2-1 sigmoid   lr 1"; without the rate where it differs between the runs shown."""
    p = build.population
    name = "own data" if p.arrays else p.shared("data.name")
    parts = [p.shared("name") or SPOKEN.get(name, name.replace("_", " ")), str(build.shape)]
    if p.runs == 1 or "lr" not in p.varying:
        parts.append(f"lr {p.values('lr')[0]:g}")
    return "   ".join(parts)


def typed(path: Path | None) -> str:
    """A path as one would type it from here."""
    absolute = Path(path or ".").absolute()
    try:
        return str(absolute.relative_to(Path.cwd()))
    except ValueError:
        return str(absolute)
