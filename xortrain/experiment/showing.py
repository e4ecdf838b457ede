"""`xortrain show`: the tracker's page of a run or a sweep, and why a run ended as it did.

The reasons are worked out from the record when they are asked for; a record that cannot be trained is shown without.
"""

from pathlib import Path

from xortrain.errors import UserError
from xortrain.experiment.runs import open_record
from xortrain.experiment.trained import Run
from xortrain.tracker import showing


def show(arguments: list[str]) -> str:
    """xortrain show RUN."""
    from xortrain.experiment.summary import explained

    asked = showing.asked(arguments)
    text = showing.show(arguments)
    if asked.json:
        return text
    try:
        found = open_record(asked.run, Path(asked.root))
        reasons = explained(found) if isinstance(found, Run) else []
    except UserError:
        return text
    head, _, rest = text.partition("\n")
    return "\n".join([head, *reasons, rest])
