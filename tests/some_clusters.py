"""A Dask scheduler with workers, for as long as a test needs it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def some_cluster(workers: int) -> Iterator[Any]:
    """Every port is free: without an address, Dask's page of information would want 8787, which another may have."""
    from distributed import LocalCluster

    options = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with LocalCluster(n_workers=workers, **options) as cluster:  # type: ignore[no-untyped-call]
            yield cluster
