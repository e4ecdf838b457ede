"""What holds for all tests: an example of a property may be slow, on a busy machine or where it composes first."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run beside each other; set before NumPy is imported

import pytest
from hypothesis import HealthCheck, settings
from make_records import four_records
from some_pages import Opened, chromium, opened
from some_runs import quickly_composed

from xortrain.api import Run
from xortrain.records.naming import VARIABLE

settings.register_profile("xortrain", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("xortrain")

for name in (VARIABLE, "COLUMNS"):  # a developer's own records and terminal are no part of a test
    os.environ.pop(name, None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only the first case of each test, while you work")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out all cases of a test but its first one if that is asked for."""
    if config.getoption("quick"):
        first = {item.nodeid.partition("[")[0]: item for item in reversed(items)}
        kept = set(first.values())
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = reversed(first.values())


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays, modules and tests, and look for garbage rarely: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000)


@pytest.fixture(autouse=True)
def _no_own_rows() -> Iterator[None]:
    """Take options of a user's own out of the tables after each test that has added some."""
    yield
    if own_rows := sys.modules.get("xortrain.config.own_rows"):
        for file in [*own_rows.FILES.values()]:
            own_rows.forget(file)


@pytest.fixture
def quick_composition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose quickly, where tests are not about that; test_config_precedence and test_config_tables compare."""
    monkeypatch.setattr("xortrain.config.compose.composed", quickly_composed)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests of a process that need it."""
    with chromium() as found:
        yield found


@pytest.fixture
def found(page: Path, browser: Any) -> Iterator[Opened]:
    """The page of a module, opened; it must not complain."""
    with opened(browser, page) as shown:
        yield shown
        assert shown.said == []


@pytest.fixture
def page_of(browser: Any, tmp_path: Path) -> Iterator[Callable[[Run], Any]]:
    """Return a function that opens the page of a run, where nothing moves by itself; it must not complain."""
    with ExitStack() as stack:
        tabs = list[Opened]()

        def open_page(run: Run) -> Any:
            tabs.append(stack.enter_context(opened(browser, run.page(tmp_path / f"{len(tabs)}.html"))))
            tabs[-1].page.emulate_media(reduced_motion="reduce")
            return tabs[-1].page

        yield open_page
        assert [tab.said for tab in tabs] == [[]] * len(tabs)


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
