"""Runs on disk: a folder of NumPy arrays beside a small JSON, written while training goes on.

docs/record.md describes the format; NumPy and the standard library are enough to read it.
"""
