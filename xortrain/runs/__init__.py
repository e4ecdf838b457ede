"""Trained runs as data."""
