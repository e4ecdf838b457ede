"""Hydra's multirun as populations: one configuration for each choice of groups, arrays for the numbers that vary.

Reading order: `axes` (swept values), `composer` (configurations of jobs), `jobs` (from overrides to a plan), `plugins`
(the sweeper and the launcher that Hydra calls).
"""
