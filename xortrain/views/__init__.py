"""Texts and films of trained runs.

Reading order: `summary` (printed at the end of a run or a sweep), `verdict` (why a run ended so), `group_table`,
`run_film`, `map_film`, `sweep_film`.
"""
