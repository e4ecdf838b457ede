"""The page: one HTML file of runs that needs no server, network or library, and trains them on in the browser."""
