"""The configs of a sweep are those that Hydra itself composes, in value and type, job by job."""

import itertools
import json
from typing import Any

import numpy as np
import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf, open_dict

from xortrain.config.check import check
from xortrain.config.compose import plain
from xortrain.errors import UserError
from xortrain.hydra_sweeps.composer import Composer
from xortrain.hydra_sweeps.jobs import composing, of_grid, of_lists, read_grid
from xortrain.setup.population import Population, populations


def by_hydra(composer: Composer, texts: list[str], number: int) -> dict[str, Any]:
    """The whole composition of one job, as Hydra's basic launcher makes it."""
    config = composer.loader.load_sweep_config(composer.master, list(texts))
    with open_dict(config):
        config.hydra.job.id = config.hydra.job.num = number
    before = HydraConfig.instance().cfg
    HydraConfig.instance().set_config(config)
    try:
        return plain(config) | {"experiment": config.hydra.runtime.choices.experiment}
    finally:
        HydraConfig.instance().cfg = before


def by_hydras_sweeper(composer: Composer) -> list[list[str]]:
    """The jobs as Hydra's own sweeper splits them."""
    Plugins.instance()  # which reads the sweeper's module anew
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    hydra: Any = OmegaConf.to_container(composer.master.hydra, resolve=False)
    own = [f"{key}={value}" for key, value in (hydra["sweeper"]["params"] or {}).items()]
    parser = OverridesParser.create(config_loader=composer.loader)
    (jobs,) = BasicSweeper.split_arguments(parser.parse_overrides([*own, *hydra["overrides"]["task"]]), None)
    return [list(job) for job in jobs]


def by_job(variants: list[Population]) -> dict[int, str]:
    """The config of every job by its number, as JSON, which distinguishes 1 from 1.0."""
    found = {}
    for population in populations(variants):
        for run, number in enumerate(population.numbers.tolist()):
            found[number] = json.dumps(population.config_of(run))
    return found


SWEEPS = [
    ["lr=0.1,1,10", "seed=range(0,4)"],
    ["lr=1,2e-1,.5", "optimizer.momentum=0,0.5", "seed=choice(7,3)"],
    ["seed=range(10,0,-3)", "lr=range(0.5,2,0.25)", "epochs=5,6"],
    ["activation=leaky_relu", "++activation.slope=0.1,0.2", "seed=3"],
    ["activation=glob(l*)", "lr=1"],
    ["data=xor,xor_cloud", "seed=1,2", "optimizer=adam"],
    ["data=xor,circle,sine", "seed=1,2"],
    ["loss=mse,half_sse", "data=encoder,sine", "loss.reduction=sum"],
    ["data=xor_cloud", "data.seed=${seed}", "seed=range(0,3)", "data.noise=0,0.25"],
    ["lr=${seed}", "seed=range(1,4)"],
    ["notes='seed ${seed} of ${hydra:job.num}'", "seed=range(0,3)"],
    ["name=n${hydra:job.num}", "++track.frames=3,4", "notes=\\${lr}", "seed=1"],
    ["track={losses:7,frames:3}", "seed=1,2"],
    ["optimizer={momentum:0.25}", "optimizer.momentum=0.5,0.75"],
    ["optimizer.nesterov=true,false", "optimizer.momentum=0.5"],
    ["architecture.hidden=[2],[3,3],[]", "seed=range(0,2)"],
    ["experiment=notebook_000,notebook_001", "seed=0,1"],
    ["lr=2", "lr=3,4", "seed=0,1", "lr=5,6"],
    ["name=a,1e3,true", "tags=[a],[b,c]", "seed=1"],
    ["schedule=step", "schedule.every=range(1,4)", "schedule.gamma=1,0.5"],
    ["seed=shuffle(range(0,5))", "lr=sort(3,1,2)"],
    ["lr=sort(range(1,4),reverse=true)", "seed=tag(x,y,choice(5,2))", "lr=float(choice(1,2))"],
    ["hydra.sweeper.params={seed:'1,2',activation:'relu,tanh'}", "lr=1,2", "activation=glob([r*,t*],exclude=relu6)"],
    ["lr=geomspace(0.5,2,3)", "seed=linspace(0,10,3)", "epochs=linspace(4,6,2)"],
    ["seed=shuffle(linspace(3,1,3))", "hydra.sweeper.params={init.scale:'linspace(0,1,3)'}"],
    ["lr=range(2,0.5,-0.5)", "name='a,b',\"it's\",null", "batch_size=null,2", "freeze=[],[b1]"],
    [],
]


@pytest.mark.parametrize("texts", SWEEPS, ids=" ".join)
def test_grids_and_lists_give_the_configs_that_hydra_composes(texts: list[str]) -> None:
    with composing(texts) as composer:
        grid = read_grid(composer)
        jobs = by_hydras_sweeper(composer)
        assert len(jobs) == len(grid)
        assert list(map(sorted, jobs)) == list(map(sorted, grid)) or any("shuffle" in text for text in texts)
        found = by_job(list(of_grid(grid, composer)))
        last = len(grid) - 1  # one is enough: Hydra takes 0.1 s for each
        assert found[last] == json.dumps(check(by_hydra(composer, grid.texts(last), last)))
        assert len(found) == len(grid)
        if not any("hydra:" in text or "shuffle" in text for text in texts):
            assert by_job(list(of_lists(list(grid), composer))) == found


SOME = {
    "numbers": [
        "lr=0.1",
        "lr=1",
        "lr=1e-3",
        "seed=7",
        "optimizer.momentum=0",
        "optimizer.weight_decay=.5",
        "init.scale=2",
    ],
    "ranges": ["seed=range(3)", "lr=range(1,4)", "init.scale=range(0.5,2,0.5)", "optimizer.momentum=0,.25,.5"],
    "shapes": ["architecture.hidden=[3]", "architecture.hidden=[2],[2,2]", "epochs=3,4", "batch_size=null,2"],
    "choices": ["activation=tanh", "activation=relu,leaky_relu", "optimizer=sgd", "loss=mse,bce", "data=glob(n?r)"],
    "texts": ["name=a b", "name=1e3,on", "notes='${lr}'", "tags=[x,y]", "root=elsewhere"],
    "nodes": ["track={losses:5}", "++track.frames=3,4", "success={name:midpoint}", "loss.reduction=sum,mean"],
    "references": ["data.high=${lr}", "seed=${epochs}", "init.scale=${optimizer.momentum}"],
}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.lists(st.sampled_from(list(itertools.chain(*SOME.values()))), max_size=5))
def test_random_sweeps_have_the_configs_that_hydra_composes(texts: list[str]) -> None:
    with composing(texts) as composer:
        grid = read_grid(composer)
        jobs = list(grid)[-1:]
        composed = [composer.plain(job, 0) for job in jobs]
        assert [json.dumps(config) for config in composed] == [json.dumps(by_hydra(composer, job, 0)) for job in jobs]
        try:
            found = by_job(list(of_grid(grid, composer)))
        except UserError:
            return
        for job, config in zip(jobs, composed, strict=True):
            assert found[list(grid).index(job)] == json.dumps(check(config))


def test_jobs_are_numbered_with_the_last_axis_fastest() -> None:
    with composing(["lr=1,2", "epochs=3,4", "seed=range(0,3)"]) as composer:
        grid = read_grid(composer)
        assert list(grid)[4] == ["lr=1", "epochs=4", "seed=1"]
        found = populations(of_grid(grid, composer))
    assert [p.shared("epochs") for p in found] == [3, 4]
    assert found[1].numbers.tolist() == [3, 4, 5, 9, 10, 11]
    assert found[1].varying["lr"].tolist() == [1, 1, 1, 2, 2, 2]
    assert found[1].varying["seed"].tolist() == [0, 1, 2, 0, 1, 2]


def test_a_million_seeds_stay_a_range() -> None:
    with composing(["seed=range(0,1000000)", "optimizer.momentum=${seed}"][:1]) as composer:
        grid = read_grid(composer)
        assert isinstance(grid.axes[0].values, range)
        (population,) = populations(of_grid(grid, composer))
    assert population.runs == 1_000_000
    assert (population.varying["seed"] == np.arange(1_000_000)).all()


def test_a_setting_that_repeats_a_number_varies_with_it() -> None:
    with composing(["data=xor_cloud", "data.seed=${seed}", "seed=range(5,100005)"]) as composer:
        grid = read_grid(composer)
        (population,) = populations(of_grid(grid, composer))
    assert (population.varying["data.seed"] == population.varying["seed"]).all()


def test_the_params_of_an_experiment_come_before_the_overrides() -> None:
    with composing(["hydra.sweeper.params={seed:'1,2',lr:'3,4'}", "lr=5,6"]) as composer:
        grid = read_grid(composer)
        assert list(grid) == [["seed=1", "lr=5"], ["seed=1", "lr=6"], ["seed=2", "lr=5"], ["seed=2", "lr=6"]]


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (["lr=1,-1", "seed=0,1"], "job 2: lr=-1: must be a number greater than 0"),
        (["lr=1,2", "seed=range(-2,3)"], "job 0 (lr=1 seed=-2): seed=-2: must be a whole number from 0 to 4294967295"),
        (["seed=range(0,3)", "epochs=5,x"], "job 1 (seed=0 epochs=x): epochs=x: must be a whole number"),
        (["lr=interval(0,1)"], "lr=interval(0,1): an interval has infinitely many values; write a choice or a range"),
        (["seed=range(3,0)"], "seed=range(3,0): there is nothing to run"),
        (["activation=relu,tahn"], "job 1: activation=tahn: no such choice. Did you mean 'tanh'?"),
        (
            ["optimizer=adam,sgd", "optimizer.beta1=0.5"],
            "job 1 (optimizer=sgd): optimizer.beta1=0.5: is a setting of optimizer=adam, adamw, adamax, nadam, ",
        ),
    ],
)
def test_errors_name_the_invalid_job(texts: list[str], line: str) -> None:
    with pytest.raises(UserError) as error, composing(texts) as composer:
        list(of_grid(read_grid(composer), composer))
    assert str(error.value).startswith(line)
