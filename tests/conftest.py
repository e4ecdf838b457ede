"""What holds for all tests: an example of a property may be slow, on a busy machine or where it composes first."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from some_pages import chromium
from some_runs import quickly_composed

settings.register_profile("xortrain", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("xortrain")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays, modules and tests, which costs an eighth of the time of a composition."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def quick_composition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose each choice of options only once, where tests are not about that; test_config_precedence compares."""
    monkeypatch.setattr("xortrain.config.compose.composed", quickly_composed)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests of a process that need it."""
    with chromium() as found:
        yield found
