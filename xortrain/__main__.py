"""`python -m xortrain` is the command `xortrain`."""

import sys


def start() -> int:
    """The command line, and Ctrl-C in a line even before it has been read."""
    try:
        from xortrain.cli import main
    except KeyboardInterrupt:
        print("xortrain: interrupted", file=sys.stderr)
        return 130
    return main()


if __name__ == "__main__":
    sys.exit(start())
