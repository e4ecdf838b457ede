"""`python -m xortrain` is the command `xortrain`."""

import sys


def start() -> int:
    """Run the command line; Ctrl-C prints one line, even during the imports."""
    try:
        from xortrain.cli import main
    except KeyboardInterrupt:
        print("xortrain: interrupted", file=sys.stderr)
        return 130
    return main()


if __name__ == "__main__":
    sys.exit(start())
