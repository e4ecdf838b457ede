"""What an explanation consists of, before it is laid out: sections of sentences, equations and tables.

In sentences `symbols` stand between backticks.
"""

from dataclasses import dataclass, field

from xortrain.explain.formula import Term
from xortrain.nets import Array


@dataclass(frozen=True)
class Sentences:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Equation:
    """A quantity, the formulas that give it, and its value; ``check`` is its value by finite differences, ``remark``
    what there is to say of the two."""

    name: str
    value: Array
    formulas: tuple[Term, ...] = ()
    check: Array | None = None
    remark: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of texts, arrays and numbers under names; ``hidden`` rows are left out after them."""

    names: tuple[str, ...]
    rows: list[tuple[str | Array, ...]]
    hidden: int = 0


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    heading: str
    blocks: list["Block"] = field(default_factory=list)


Block = Sentences | Equation | Table | Section
