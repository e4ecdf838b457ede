"""The page: runs in one HTML file that needs no server, network or library, and trains them on in the browser."""
