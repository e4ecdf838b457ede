"""`python -m xortrain` is the command `xortrain`."""

import sys

from xortrain.cli import main

if __name__ == "__main__":
    sys.exit(main())
