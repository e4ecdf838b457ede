"""The page: one HTML file that shows runs and can continue their training, without a server, network or library."""

MOST_MB = 20.0
"""The largest size of a page if none is given."""
