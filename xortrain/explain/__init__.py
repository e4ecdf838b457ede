"""A worked example of any step of training, and gradient checks: every number shown beside its formula.

`explain(step_at(task, epoch))` is the text; `check_network` and `check_gradients` hold gradients against differences.
"""

from xortrain.explain.comparison import Check
from xortrain.explain.gradients import check_gradients, check_network
from xortrain.explain.page import explain
from xortrain.explain.step import Step, step_at, take_step

__all__ = ["Check", "Step", "check_gradients", "check_network", "explain", "step_at", "take_step"]
