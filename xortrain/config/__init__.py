"""From what a user writes to checked settings: the choices there are, their keys, types and ranges.

Only this room, `sweeps` and `cli` know Hydra and OmegaConf; what leaves it is plain values.
"""
