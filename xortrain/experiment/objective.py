"""What a sweeper that searches is told of a run: the number that it is to make small.

The last loss of a run that diverged is no good news, however small it was.
"""

import math


def objective(final_loss: float, outcome: str) -> float:
    """The final loss; infinite where the run diverged."""
    return math.inf if outcome == "diverged" else final_loss
