"""From a checked configuration to trained networks: built, run, kept, and run again.

`Run` and `Sweep` are what a Python user holds.
"""
