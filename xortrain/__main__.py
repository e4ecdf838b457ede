"""The command `xortrain`, and `python -m xortrain`, which is the same."""

import os
import sys


def start() -> int:
    """Run the command line; Ctrl-C ends it without a traceback, even during the imports."""
    try:
        from xortrain.startup import leave_at_once

        leave_at_once()
        from xortrain.cli import main
    except KeyboardInterrupt:
        os._exit(130)
    return main()


if __name__ == "__main__":
    if not sys.flags.safe_path and sys.path[0] != os.path.dirname(os.path.dirname(__file__)):
        del sys.path[0]  # the current folder, whose files are not modules of this program
    sys.exit(start())
