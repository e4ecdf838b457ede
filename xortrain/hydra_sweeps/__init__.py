"""Hydra's multirun as populations: one configuration for each choice of groups, arrays for the numbers that vary.

Reading order: `axes` (what is swept), `composer` (configurations of jobs), `jobs` (from overrides to a plan), `plugins`
(the sweeper and the launcher that Hydra calls), `private` (everything private of Hydra that we use).
"""
