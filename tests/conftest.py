"""What holds for all tests: an example of a property may be slow, on a busy machine or where it composes first."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from make_records import four_records
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


@pytest.fixture(scope="module")
def in_own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make a folder of all tests of a module the current one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("own"))
        yield


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make four records in outputs/ of a folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    four_records(tmp_path / "outputs", {}, {})
    return tmp_path
