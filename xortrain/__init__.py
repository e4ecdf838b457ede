"""Train small networks by the thousand, keep every number of their training, and watch them learn."""

__version__ = "0.1.0"
