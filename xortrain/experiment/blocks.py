"""The blocks of a sweep: some runs of a population that are trained side by side, and what comes of it.

A block that fails costs its runs and no others; a disk that is full ends the sweep.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xortrain.experiment.build import Build
from xortrain.experiment.progress import Progress
from xortrain.experiment.train import history_of, train_block
from xortrain.nets import Array
from xortrain.records.writer import Record


@dataclass(frozen=True)
class Block:
    """A block of a record, by its number, and the build of the whole population."""

    record: Record
    build: Build
    number: int

    @property
    def runs(self) -> slice:
        return self.record.blocks.runs_of(self.number)

    def __len__(self) -> int:
        return int(self.runs.stop - self.runs.start)


@dataclass(frozen=True)
class Failure:
    """Why a block has no rows."""

    reason: str

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """The failure that an exception is, in one line."""
        text = (str(error).splitlines() or [""])[0]
        return cls(f"{type(error).__name__}: {text}" if text else type(error).__name__)


Result = Array | Failure


def train_here(blocks: Sequence[Block], shown: Progress) -> Iterator[tuple[Block, Result]]:
    """Train one block after the other in this process."""
    for block in blocks:
        yield block, _trained(block, shown)


def _trained(block: Block, shown: Progress) -> Result:
    history = history_of(block.build, block.record.block(block.number))
    try:
        return shown.through(train_block(block.build, block.runs, history), block.build.population.epochs, len(block))
    except OSError:
        raise
    except Exception as error:
        return Failure.of(error)
