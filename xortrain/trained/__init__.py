"""Trained runs as data: `run_data` (one run, one population), `opening` (from a record), `sweep_data` (many runs).

`checkpoints` has what is needed to continue their training.
"""
