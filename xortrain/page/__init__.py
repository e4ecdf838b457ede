"""The page: runs in one HTML file that needs no server, no network and no library, and trains them on in the browser."""
