"""A temporary local Dask cluster."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def some_cluster(workers: int) -> Iterator[Any]:
    """Start a cluster on free ports; by default, Dask's dashboard needs port 8787, which may be in use."""
    from distributed import LocalCluster

    options = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with LocalCluster(n_workers=workers, **options) as cluster:
            yield cluster
