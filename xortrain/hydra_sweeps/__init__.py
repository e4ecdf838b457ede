"""Hydra's multirun as populations: every combination is composed once for each choice, numbers become arrays.

Reading order: `axes` (what is swept), `composer` (one configuration for each choice), `jobs` (populations and their
plan), `planning` (from overrides to a plan), `plugins` (the sweeper and the launcher that Hydra calls), `private`
(what we use of Hydra that is not public).
"""
