"""Sweeps: Hydra's multirun handed to `experiment` as populations."""


def register() -> None:
    """Make the sweeper and the launcher known to Hydra."""
