"""Training from Python works wherever it is called, and leaves Hydra and OmegaConf as they were."""

import asyncio
import multiprocessing
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hydra
import pytest
from hydra._internal import defaults_list
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser import overrides_parser
from hydra.core.singleton import Singleton
from omegaconf import OmegaConf, _utils, base

import xortrain
from xortrain.errors import UserError

OURS = ["expanduser", "now", "hydra", "python_version"]


def work(seed: int = 0) -> tuple[float, int]:
    """Train a run and a sweep; a network that had the user's options would fail."""
    run = xortrain.train("epochs=2", f"seed={seed}", "output=sigmoid", "root=${expanduser:a}")
    sweep = xortrain.sweep("epochs=2", f"seed={seed},{seed + 1}", "film=none")
    return float(run.losses[-1]), len(sweep)


def state() -> Any:
    """The parts of Hydra's state that a user may have set."""
    repo = ConfigStore.instance().repo
    resolved = OmegaConf.create({"a": "${now:x} ${expanduser:x}"}).a
    replaced: list[Any] = [GlobalHydra.instance().hydra, overrides_parser.create_functions]
    replaced += [defaults_list._create_interpolation_map, vars(base)["parse"], vars(_utils)["parse"]]
    return dict(Singleton._instances), replaced, sorted(repo), sorted(repo["output"]), resolved


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Configs and resolvers of a user, with the names of ours."""
    monkeypatch.chdir(tmp_path)
    xortrain.train("epochs=0")  # which imports plug-ins, and with them singletons
    GlobalHydra.instance(), HydraConfig.instance()
    store = ConfigStore.instance()
    before = dict(store.repo)
    store.store(group="output", name="sigmoid", node={"name": "mine"})
    store.store(name="config", node={"mine": 1})
    known = {name: OmegaConf.has_resolver(name) for name in OURS}
    for name in OURS:
        OmegaConf.register_new_resolver(name, lambda text: f"my {text}", replace=True)
    yield
    store.repo = before
    for name in (name for name, is_known in known.items() if not is_known):
        OmegaConf.clear_resolver(name)


def works() -> None:
    before = state()
    assert work() == work()
    assert state() == before


def test_on_its_own() -> None:
    works()
    assert OmegaConf.create({"a": "${now:x}"}).a == "my x"


def test_inside_initialize() -> None:
    with hydra.initialize(config_path=None, version_base="1.3"):
        works()
        assert hydra.compose("config") == {"mine": 1}


def test_inside_the_main_of_hydra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[Any]()

    @hydra.main(config_path=str(tmp_path), config_name="config", version_base="1.3")
    def program(config: Any) -> None:
        before = HydraConfig.get().job.name
        works()
        seen.extend([config, HydraConfig.get().job.name == before])

    monkeypatch.setattr(
        sys, "argv", ["program", "hydra.run.dir=.", "hydra.output_subdir=null", "hydra/job_logging=none"]
    )
    program()
    assert seen == [{"mine": 1}, True]


def test_under_a_running_event_loop() -> None:
    async def notebook() -> None:
        works()

    asyncio.run(notebook())


def test_in_threads() -> None:
    alone, found = [work(seed) for seed in range(4)], dict[int, Any]()
    before = state()
    threads = [threading.Thread(target=lambda k=k: found.update({k: work(k)})) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[k] for k in range(4)] == alone
    assert state() == before


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("kind", ["fork", "spawn"])
def test_in_worker_processes(kind: str) -> None:
    with multiprocessing.get_context(kind).Pool(1) as pool:
        assert pool.map(work, [0, 1]) == [work(0), work(1)]


@pytest.mark.parametrize("given", [1, {"lr": 1}, ["lr=1"], None, "lr=1 epochs=3", b"lr=1"], ids=str)
@pytest.mark.parametrize("start", [xortrain.train, xortrain.sweep])
def test_other_than_texts_is_refused_with_what_is_taken(start: Any, given: Any) -> None:
    with pytest.raises(
        UserError, match=rf'^{start.__name__}: takes overrides as texts, .*"lr=1", "epochs=3"'
    ) as raised:
        start(given)
    assert len(str(raised.value)) < 300


def test_a_text_may_have_blanks_and_equals_signs() -> None:
    assert xortrain.train("notes=a b=c", "epochs=0").config["notes"] == "a b=c"


def test_the_public_names_are_listed_before_they_are_imported() -> None:
    assert {name for name in dir(xortrain) if name[0] != "_"} == set(xortrain.__all__)
