"""Training runs and sweeps, in memory and into records.

Reading order: `train` (one run, one block), `plan` (a sweep before it starts), `sweep`, `engines` (processes and
clusters), `continuation` (continues runs), `windows` (a zoom into a map), `progress`, `interrupts` (Ctrl-C), `verify`
(trains runs again and compares).
"""
