"""The page: runs in one HTML file that needs no server, network or library, and trains them on in the browser."""

MOST_MB = 20.0
"""The largest size of a page if none is given."""
