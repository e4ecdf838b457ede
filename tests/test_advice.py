"""Advice for an unsolved run is what its trials found: true when pasted, the same each time, and within its budget."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from make_records import a_run
from some_runs import composed, config_with, config_with_options, run_with
from test_tracker_unfinished import interrupt

import xortrain
from xortrain.advice import trials
from xortrain.advice.candidates import FIXES, HELPFUL, NEEDED, SEEDS, Candidate, applied, candidates, written
from xortrain.advice.trials import Advice, Trial, advise, planned, read_advice, train_candidates, work
from xortrain.api import Run
from xortrain.cli import main
from xortrain.config.settings import GROUPS, defaults_of
from xortrain.errors import UserError
from xortrain.records.groups import wilson
from xortrain.runner.interrupts import Terminated
from xortrain.runner.train import train_in_memory, train_run, train_under
from xortrain.setup.own_arrays import array_data
from xortrain.setup.population import Population, populations
from xortrain.setup.run_setup import Setup
from xortrain.trained.run_data import SUCCESSES, RunData

STUCK = ("activation=relu", "seed=3")
BASES: list[tuple[str, ...]] = [
    STUCK,
    ("activation=identity", "lr=0.1", "epochs=40"),
    ("init=zeros", "schedule=cosine", "epochs=30", "seed=4294967290"),
    ("init.scale=0", "architecture.bias=false", "epochs=20"),
    ("data=xor", "data.low=1", "data.high=4", "loss=mse", "output=tanh", "init=uniform", "init.low=-1", "epochs=25"),
    ("optimizer=rmsprop", "optimizer.momentum=0.5", "lr=1.5", "loss=half_sse", "output=sigmoid", "epochs=20"),
    ("batch_size=1", "lr=0.005", "stop=loss", "stop.below=0.001", "epochs=20", "dtype=float32"),
    ("architecture.hidden=[2,3]", "architecture.activations=[identity,identity]", "freeze=[W1,b1,W2,b2,W3,b3]"),
    ("activation=leaky_relu", "activation.slope=0.3", "optimizer.weight_decay=0.2", "lr=3e-5", "epochs=20"),
    ("data=circle", "data.examples=24", "data.test=0.25", "architecture.hidden=[]", "epochs=12"),
    ("data=circle", "data.examples=24", "loss=half_sse", "loss.reduction=sum", "epochs=12"),
    ("data=sine", "data.examples=24", "lr=0.01", "epochs=12"),
    ("experiment=rumelhart_1986", "epochs=10"),
    ("data=moons", "data.examples=301", "optimizer.momentum=0.5", "lr=1e-6", "epochs=5", "loss=mae", "output=sigmoid"),
    ("init.scale=100", "dtype=float32", "epochs=20"),
    ("data=encoder", "data.size=3", "loss=cross_entropy", "output=sigmoid", "epochs=10", "init=constant"),
]


def run_of(*overrides: str) -> Run:
    return run_with("film=none", *overrides)


@cache
def found_for(*overrides: str) -> list[Candidate]:
    return candidates(run_of(*overrides).own_setup)


TABLES = {
    "large": ("500,87000\n1500,245000\n2500,395000\n", ["success.within=20000"]),
    "large targets of a bounded output": ("0,0\n1,140\n2,10\n3,140\n", ["success.within=20", "output=tanh"]),
    "uneven": ("2.5,900,0.1\n3.5,400,-0.6\n3.1,1300,0.9\n2.2,700,-0.2\n", ["success.within=0.2"]),
}


@pytest.mark.parametrize(("rows", "words"), TABLES.values(), ids=TABLES)
def test_for_columns_of_different_sizes_scaling_is_necessary_and_helps(
    rows: str, words: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(rows, encoding="utf-8")
    base = ["data=csv", f"data.path={path}", "loss=mse", "activation=relu", "success=tolerance", "lr=1e-5", *words]
    run = run_of(*base)
    found = candidates(run.own_setup)
    assert found[0].overrides == ("data.scale=standard",)
    both = [candidate for candidate in found if candidate.overrides != ("output=auto",)]
    assert all("data.scale=standard" in candidate.overrides for candidate in both)
    assert all("output=auto" in candidate.overrides for candidate in both[1:] if "output=tanh" in words)
    for candidate, trained in train_candidates(run.own_setup, found[:4]):
        alone = train_run(config_with("film=none", *base, *candidate.overrides))
        np.testing.assert_array_equal(trained.array("parameters")[-1][:, 0], alone.parameters[-1])
        assert trained.rows["outcome"][0] == alone.trained.rows["outcome"][0]
    best = run.advice.best[0]
    assert best.own
    assert solves(run_of(*base, *best.overrides))


@pytest.mark.parametrize("scale", [100, 0.001, 1e30])
def test_a_start_of_another_scale_is_tried_at_its_own_which_the_recipe_has_too(scale: float) -> None:
    advice = run_of(f"init.scale={scale}").advice
    assert advice.best[1].overrides == ("init.scale=1",)
    for trial in advice.best[:2]:
        assert trial.own
        assert solves(run_of(f"init.scale={scale}", *trial.overrides))


def solves(run: Any) -> bool:
    return run.outcome in SUCCESSES


@pytest.mark.parametrize("base", BASES, ids=" ".join)
def test_a_candidate_has_the_config_that_its_overrides_compose(base: tuple[str, ...]) -> None:
    found = found_for(*base)
    for candidate in found:
        assert candidate.setup.population.config == setup_of("film=none", *base, *candidate.overrides).population.config
    configs = [candidate.setup.population.config for candidate in found]
    assert all(config not in configs[:k] for k, config in enumerate([*configs, run_of(*base).config]))


def test_every_row_has_a_base_for_which_it_gives_candidates() -> None:
    given = set()
    for base in BASES:
        setup = run_of(*base).own_setup
        config, task = dict(setup.population.config), setup.task()
        given |= {row for row in (*FIXES, *NEEDED, *HELPFUL) for _ in row(config, task)}
    absent = {getattr(row, "__name__", "") for row in {*FIXES, *NEEDED, *HELPFUL} - given}
    assert absent == {"_scaled_data"}  # which needs a table, as in the test of columns of different sizes


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in GROUPS for name in GROUPS[group]])
def test_the_defaults_of_an_option_are_those_that_hydra_composes(group: str, name: str) -> None:
    config = config_with_options(list(GROUPS[group]).index(name))
    data = config["data"]["name"] if group == "loss" else None
    assert {"name": name, **defaults_of(group, name, data)} == config[group]


@pytest.mark.parametrize("base", [BASES[k] for k in (0, 2, 5, 6, 9)], ids=" ".join)
def test_each_trial_has_the_bits_of_the_run_that_its_overrides_compose(base: tuple[str, ...]) -> None:
    """The parameters at the end, and so everything that follows from them, for the first seed and the last."""
    own, found = run_of(*base).own_setup, found_for(*base)
    some = [candidate for candidate in found if candidate.setup.population.epochs <= 300]
    seen = 0
    for candidate, trained in train_candidates(own, some):
        assert len(trained.rows) == len(candidate.seeds)
        for place in (0, -1):
            seed = f"seed={candidate.seeds[place]}"
            alone = train_run(config_with("film=none", *base, *candidate.overrides, seed))
            np.testing.assert_array_equal(trained.array("parameters")[-1][:, place], alone.parameters[-1])
            for name in ("outcome", "reasons", "final_loss", "best_loss", "accuracy", "test_loss", "solved_at"):
                np.testing.assert_array_equal(trained.rows[name][place], alone.trained.rows[name][0], err_msg=name)
        seen += 1
    assert seen == len(some)


FIXED: dict[tuple[str, ...], tuple[str, ...]] = {
    ("loss=mse", "output=tanh", "data.low=1", "data.high=4"): ("output=auto",),
    ("loss=bce", "output=identity"): ("output=auto",),
    ("loss=cross_entropy", "output=sigmoid"): ("output=auto",),
    ("loss=atanh_error", "output=sigmoid", "data.low=1", "data.high=4"): ("output=identity",),
    ("init=zeros",): ("init=xavier_uniform",),
    ("init.scale=0",): ("init.scale=1",),
    ("activation=identity",): ("activation=tanh",),
    ("architecture.hidden=[]",): ("architecture.hidden=[4]", "activation=tanh"),
    ("architecture=skip", "architecture.activations=[identity]"): ("architecture.activations=null", "activation=tanh"),
    ("freeze=[W1,b1,W2,b2]",): ("freeze=[]",),
}


@pytest.mark.parametrize(("base", "fix"), FIXED.items(), ids=map(" ".join, FIXED))
def test_what_the_settings_make_necessary_is_first_and_in_every_candidate(
    base: tuple[str, ...], fix: tuple[str, ...]
) -> None:
    first, *others = found_for("epochs=3", *base)
    assert first.overrides == fix
    for candidate in others:
        config, task = dict(candidate.setup.population.config), candidate.setup.task()
        assert [changes for row in FIXES for changes in row(config, task)] == []


@pytest.mark.parametrize("base", [("lr=0.1",), ("loss=mse", "output=sigmoid"), ("architecture.hidden=[]", "data=or")])
def test_settings_that_could_do_are_not_called_impossible(base: tuple[str, ...]) -> None:
    names = {override.partition("=")[0] for candidate in found_for(*base)[:1] for override in candidate.overrides}
    assert not names & {"output", "init", "freeze", "data.scale"}


def test_an_option_whose_settings_the_run_has_changed_is_offered_only_where_hydra_would_take_it() -> None:
    slope = [
        candidate.overrides for candidate in found_for("activation=leaky_relu", "activation.slope=0.3", "epochs=2")
    ]
    assert not any("activation=tanh" in overrides for overrides in slope)
    config = composed("optimizer=rmsprop", "optimizer.momentum=0.5", "optimizer.weight_decay=0.1")
    assert applied(config, {"optimizer": "sgd", "lr": 1.0})["optimizer"]["momentum"] == 0.5
    with pytest.raises(UserError, match="momentum"):
        applied(config, {"optimizer": "adam", "lr": 0.01})


@pytest.mark.parametrize("value", [0.05, 1e-7, 3e20, 16.7, 2, 4_000_000, None, True, "tanh", [3], [16, 4096], []])
def test_a_change_is_written_as_hydra_reads_it(value: Any) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    assert OverridesParser.create().parse_override(written("key", value)).value() == value


def test_user_arrays_stay_with_merged_populations() -> None:
    own = array_data((np.eye(3), np.array([0.0, 1, 1])))
    parts = [Population({**composed(), "lr": float(k)}, numbers=np.array([k]), own=own) for k in (1, 2)]
    (merged,) = populations(parts)
    assert merged.own is own
    assert merged.values("lr").tolist() == [1, 2]


def setup_of(*overrides: str) -> Setup:
    return Setup.of(Population(config_with(*overrides)))


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("epochs=100", "epochs=101"),
        ("architecture.hidden=[2]", "architecture.hidden=[3]"),
        ("architecture.hidden=[4]", "architecture.hidden=[4,4]"),
        ("batch_size=null", "batch_size=1"),
        ("data=parity", "data=circle"),
    ],
)
def test_work_grows_with_epochs_layers_units_batches_examples_and_runs(less: str, more: str) -> None:
    for runs in (1, 16, 300):
        assert work(setup_of(less), runs) < work(setup_of(more), runs)
        assert work(setup_of(less), runs) < work(setup_of(less), runs + 1)


def total(chosen: list[Candidate]) -> float:
    """The work of candidates, those of equal shape side by side."""
    alike = populations(Population(c.setup.population.config, {"seed": c.seeds}, c.seeds) for c in chosen)
    return sum(work(chosen[0].setup.adapted(population), population.runs) for population in alike)


@pytest.mark.parametrize("budget", [0.0, 0.01, 0.05, 0.2, 1.0, 20.0])
def test_the_planned_trials_fit_the_budget_and_the_cheapest_of_the_needed_come_first(budget: float) -> None:
    found = found_for("data=circle", "data.examples=100", "init=zeros", "epochs=60")
    chosen = planned(found, budget)
    assert not chosen or total(chosen) <= budget * (1 + 1e-9)
    if len(chosen) < len(found):
        left = [c for c in found if all(c.overrides != taken.overrides for taken in chosen)]
        assert all(total([*chosen, c]) > budget - total(chosen) * 1e-9 for c in left if not chosen or c.is_first)
    assert {len(candidate.seeds) for candidate in chosen} <= {1, SEEDS}
    assert chosen == sorted(chosen, key=lambda candidate: not candidate.is_first)


def test_a_candidate_too_large_for_sixteen_seeds_is_tried_with_one_and_a_larger_one_is_skipped() -> None:
    found = found_for("data=circle", "data.examples=100", "epochs=60")
    costs = {c.overrides: (work(c.setup, 1), work(c.setup, SEEDS)) for c in found}
    budget = min(cost for _, cost in costs.values()) * 0.9
    chosen = planned([min(found, key=lambda c: costs[c.overrides][1])], budget)
    assert [len(candidate.seeds) for candidate in chosen] == [1]
    assert planned(found, min(cost for cost, _ in costs.values()) * 0.9) == []


@pytest.mark.parametrize("epochs", [2, 1000, 100_000, 10_000_000])
def test_the_budget_is_eight_times_the_work_of_the_run_between_half_a_second_and_twenty(
    epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[float]()

    def plan(found: Sequence[Candidate], budget: float) -> list[Candidate]:
        seen.append(budget)
        return []

    run = Run(run_of(*STUCK).trained)
    setup = setup_of(f"epochs={epochs}")
    monkeypatch.setattr(Run, "own_setup", setup)
    monkeypatch.setattr(trials, "planned", plan)
    advice = advise(run)
    assert seen == [min(20.0, max(0.5, 8 * work(setup, 1)))]
    assert len(advice.skipped) > 10
    assert not advice.tried


def test_advice_is_the_same_each_time_and_from_the_record(tmp_path: Path) -> None:
    assert main([*STUCK, "film=none", f"root={tmp_path}"]) == 0
    (file,) = tmp_path.rglob("advice.json")
    run = xortrain.load(file.parent)
    assert isinstance(run, Run)
    assert run.advice == advise(run) == advise(run_of(*STUCK)) == read_advice(file.parent)


@pytest.mark.parametrize(
    "base",
    [
        STUCK,
        ("lr=50",),
        ("init=zeros", "epochs=50"),
        ("loss=mse", "output=identity", "lr=20"),
        ("activation=tanh", "seed=3"),
    ],
    ids=" ".join,
)
def test_pasted_advice_does_what_it_says(base: tuple[str, ...]) -> None:
    """As it stands with the own seed, and for as many of the 16 seeds as it says."""
    advice = run_of(*base).advice
    assert 1 <= len(advice.best) <= 3
    for trial in advice.best:
        config = config_with("film=none", *base, *trial.overrides)
        first = run_of(*base).config["seed"] + 1 if trial.overrides[-1].startswith("seed=") else config["seed"]
        seeds = first + np.arange(SEEDS)
        trained = train_in_memory(Setup.of(Population(config, {"seed": seeds}, seeds)))
        assert (sum(map(solves, map(partial(RunData, trained), range(SEEDS)))), SEEDS) == (trial.solved, trial.seeds)
        assert solves(train_run(config)) == trial.own
        assert trial.low == wilson(np.array([trial.solved]), np.array([16]))[0][0]


def test_the_own_seed_comes_first_then_the_surest_then_the_order_of_need() -> None:
    tried = (
        Trial(("epochs=560",), False, 16, 16),
        Trial(("lr=3",), True, 2, 16),
        Trial(("lr=10",), True, 9, 16),
        Trial(("lr=30",), True, 9, 16),
        Trial(("seed=5",), True, 11, 16),
        Trial(("output=auto",), False, 0, 16),
        Trial(("batch_size=null",), True, 1, 1),
    )
    best = Advice(tried).best
    assert [trial.overrides[0] for trial in best] == ["seed=5", "lr=10", "lr=30"]
    assert best[0].low == pytest.approx(0.444, abs=1e-3)  # Wilson's interval of 11 of 16
    assert Advice(tried[5:6]).best == ()


def test_every_trial_is_named_once_and_with_what_came_of_it() -> None:
    tried = (
        Trial(("init=xavier_uniform", "architecture.hidden=[3]"), True, 15, 16),
        Trial(("seed=5",), True, 11, 16),
        Trial(("lr=3",), False, 9, 16),
        Trial(("lr=10",), True, 1, 1),
        Trial(("epochs=560",), False, 2, 16),
        Trial(("lr=100",), False, 0, 16),
        Trial(("activation=tanh",), False, 0, 1),
    )
    assert str(Advice(tried, (("optimizer=adam", "lr=0.05"),))) == (
        "Tried: init=xavier_uniform 'architecture.hidden=[3]' solves it (15 of 16 seeds);\n"
        "seed=5 solves it (11 of 16 other seeds do); lr=10 solves it; also lr=3 (9),\n"
        "epochs=560 (2); lr=100, activation=tanh: no. Not tried: optimizer=adam lr=0.05."
    )
    assert str(Advice(tried[2:3])) == "Tried: lr=3 solves 9 of 16 seeds, not this one."
    assert str(Advice((Trial(("seed=1",), False, 0, 16),))) == "Tried: 16 other seeds: no."
    assert str(Advice((Trial(("seed=1",), False, 0, 1),))) == "Tried: seed=1: no."
    assert str(Trial(("init=randn", "seed=1"), False, 0, 16)) == "init=randn with 16 other seeds: no"
    assert [str(tried[0]), str(tried[5])] == [
        "init=xavier_uniform 'architecture.hidden=[3]' solves it (15 of 16 seeds)",
        "lr=100: no",
    ]
    assert str(Advice((), (("lr=3",),))) == "Not tried: lr=3."
    assert str(Advice()) == ""


@pytest.mark.parametrize("base", [STUCK, BASES[1], BASES[2], BASES[4]], ids=" ".join)
def test_the_text_is_wrapped_between_trials_and_its_overrides_survive_a_shell(base: tuple[str, ...]) -> None:
    advice = run_of(*base).advice
    text = str(advice)
    assert all(len(line) <= 80 or re.fullmatch(r"\S+( \S+=\S+)*[,;.]?", line) for line in text.splitlines())
    joined = " ".join(text.split())
    for trial in advice.best:
        pasted = " ".join(map(shlex.quote, trial.overrides))
        assert f"{pasted} solves" in joined
        assert tuple(shlex.split(pasted)) == trial.overrides


@pytest.fixture
def stuck(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, str]:
    """The folder of a record with advice, and what was printed."""
    assert main([*STUCK, "film=none", f"root={tmp_path}"]) == 0
    (file,) = tmp_path.rglob("advice.json")
    return file.parent, capsys.readouterr().out


def test_the_advice_is_printed_last_kept_with_the_run_and_shown(
    stuck: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, printed = stuck
    advice = read_advice(folder)
    assert advice
    assert advice.best
    assert printed.endswith(f"\n\nrecord  {folder}\n\n{advice}\n")
    assert main(["show", str(folder)]) == 0
    assert f"\n{advice}\nstarted " in capsys.readouterr().out
    assert main(["show", str(folder), "--json"]) == 0
    (line,) = json.loads(capsys.readouterr().out)
    assert line["trials"] == json.loads((folder / "advice.json").read_text())
    assert line["advice"] == "auto"
    assert [tuple(trial["overrides"]) for trial in line["trials"]["tried"]] == [t.overrides for t in advice.tried]


def never(*_: Any, **__: Any) -> Any:
    raise AssertionError("trials are trained")


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "activation=relu", "seed=3,4"],
        ["-m", *STUCK],
        ["-m", "activation=relu", "seed=3,4", "hydra/launcher=basic"],
        ["lr=1"],
        [*STUCK, "epochs=1"],
        [*STUCK, "epochs=0"],
        [*STUCK, "advice=none"],
        [*STUCK, "dry_run=true"],
    ],
    ids=" ".join,
)
def test_nothing_is_tried_in_sweeps_for_solved_or_untrained_runs_and_on_request(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "advise", never)
    assert main([*words, "film=none", f"root={tmp_path}"]) == 0
    assert not list(tmp_path.rglob("advice.json"))


def test_a_solved_run_imports_nothing_of_it() -> None:
    code = "import sys; from xortrain.cli import main; main(['lr=1', 'film=none', 'root={}'])"
    ask = "print([name for name in sys.modules if name.startswith('xortrain.advice')])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code.format('/dev/null/x')}; {ask}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def interrupted_after(count: int, error: type[BaseException]) -> Callable[..., Any]:
    """Trains this many populations, then raises."""
    left = iter(range(count))

    def under(*arguments: Any) -> Any:
        if next(left, None) is None:
            raise error
        return train_under(*arguments)

    return under


def test_ctrl_c_ends_only_the_trials_and_keeps_what_has_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = run_of(*STUCK).advice
    monkeypatch.setattr(trials, "train_under", interrupted_after(3, KeyboardInterrupt))
    assert main([*STUCK, "film=none", f"root={tmp_path}"]) == 0
    out, err = capsys.readouterr()
    (file,) = tmp_path.rglob("advice.json")
    kept = read_advice(file.parent)
    assert kept
    assert err == ""
    assert out.endswith(f"\n\n{kept}\n")
    assert kept.tried
    assert set(kept.tried) < set(whole.tried)
    assert {trial.overrides for trial in whole.tried} - {trial.overrides for trial in kept.tried} >= set(
        kept.skipped[:1]
    )
    assert len(kept.tried) + len(kept.skipped) == len(whole.tried)
    assert xortrain.load(file.parent).summary().endswith(str(kept))  # type: ignore[union-attr]


def test_sigterm_ends_the_program_and_leaves_a_complete_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trials, "train_under", interrupted_after(1, Terminated))
    assert main([*STUCK, "film=none", f"root={tmp_path}"]) == 143
    assert capsys.readouterr().out.endswith(f"record  {next(tmp_path.rglob('record.json')).parent}\n")
    metadata = json.loads(next(tmp_path.rglob("record.json")).read_text())
    assert metadata["status"] == "finished"
    assert not list(tmp_path.rglob("advice.json"))


def test_in_python_ctrl_c_is_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "train_under", interrupted_after(1, KeyboardInterrupt))
    run = xortrain.train(*STUCK)
    with pytest.raises(KeyboardInterrupt):
        print(run.advice)


TRIAL = {"overrides": ["lr=3"], "own": True, "solved": 3, "seeds": 16}
HOSTILE: dict[str, Any] = {
    "no object": [],
    "a text": "lr=3",
    "nothing": None,
    "no lists": {"tried": {}, "skipped": {}},
    "no skipped": {"tried": []},
    "no overrides": {"tried": [{**TRIAL, "overrides": []}], "skipped": []},
    "numbers for overrides": {"tried": [{**TRIAL, "overrides": [3]}], "skipped": []},
    "no assignment": {"tried": [], "skipped": [["rm"]]},
    "a long text": {"tried": [{**TRIAL, "overrides": ["lr=" + "3" * 1000]}], "skipped": []},
    "many": {"tried": [TRIAL] * 1000, "skipped": []},
    "many skipped": {"tried": [], "skipped": [["lr=3"]] * 1000},
    "more solved than seeds": {"tried": [{**TRIAL, "solved": 17}], "skipped": []},
    "no seeds": {"tried": [{**TRIAL, "solved": 0, "seeds": 0}], "skipped": []},
    "negative": {"tried": [{**TRIAL, "solved": -1}], "skipped": []},
    "huge": {"tried": [{**TRIAL, "seeds": 10**30}], "skipped": []},
    "a fraction": {"tried": [{**TRIAL, "seeds": 16.5}], "skipped": []},
    "a number for a flag": {"tried": [{**TRIAL, "own": 1}], "skipped": []},
    "no trial": {"tried": [7], "skipped": []},
}


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 30)


BROKEN: dict[str, Callable[[Path], object]] = {
    **{name: partial(lambda content, path: path.write_text(content), json.dumps(of)) for name, of in HOSTILE.items()},
    "no JSON": lambda path: path.write_bytes(b"\xff{"),
    "deep": lambda path: path.write_text("[" * 100_000),
    "a gigabyte": huge,
    "a link": lambda path: path.symlink_to("/etc/passwd"),
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_hostile_advice_is_one_line(
    broken: Callable[[Path], object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = a_run(tmp_path)
    broken(folder / "advice.json")
    with pytest.raises(UserError) as raised:
        read_advice(folder)
    assert "\n" not in str(raised.value)
    assert main(["show", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert not err
    assert [line for line in out.splitlines() if line.startswith("unreadable: ")] == [f"unreadable: {raised.value}"]
    assert main(["show", str(folder), "--json"]) == 0
    assert "trials" not in json.loads(capsys.readouterr().out)[0]


def test_control_characters_and_commands_in_advice_do_no_harm(tmp_path: Path) -> None:
    folder = a_run(tmp_path)
    texts = ["lr=\x1b[2J\u202e3", "name=$(touch sprung); rm -rf ~"]
    (folder / "advice.json").write_text(json.dumps({"tried": [{**TRIAL, "overrides": texts}], "skipped": []}))
    shown = str(read_advice(folder))
    assert all(line.isprintable() for line in shown.splitlines())
    assert "'name=$(touch sprung); rm -rf ~'" in shown


def test_python_tries_on_first_use_only(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = list[RunData]()

    def counted(run: RunData) -> Advice:
        tried.append(run)
        return advise(run)

    monkeypatch.setattr(trials, "advise", counted)
    run = xortrain.train(*STUCK)
    assert "Tried" not in run.summary()
    assert not tried
    assert run.advice is run.advice
    assert tried == [run]
    assert run.summary().endswith(f"\n\n{run.advice}")
    assert xortrain.train("lr=1").advice == Advice()


def test_a_run_of_a_sweep_is_advised_like_the_same_run_alone(tmp_path: Path) -> None:
    words = ["activation=relu", "data=gauss", "data.examples=12", "data.noise=0.4", "epochs=5", "lr=0.01"]
    sweep = xortrain.sweep(*words, "data.seed=1,2", f"root={tmp_path}", "film=none")
    alone = xortrain.train(*words, "data.seed=2")
    assert sweep[1].advice.tried == alone.advice.tried
    assert len(alone.advice.tried) > 5
    assert not list(tmp_path.rglob("advice.json"))


def test_own_data_are_used_from_arrays_and_from_the_record(tmp_path: Path) -> None:
    x = np.random.RandomState(0).uniform(-1, 1, (20, 2))
    t = (x[:, 0] * x[:, 1] < 0).astype(float)
    table = tmp_path / "table.csv"
    np.savetxt(table, np.column_stack([x, t]), "%.17g", ",", header="a,b,y", comments="")
    words = ["epochs=30", "lr=0.2", "film=none"]
    assert main([*words, "data=csv", f"data.path={table}", f"root={tmp_path / 'root'}", "advice=none"]) == 0
    table.unlink()
    (entry,) = xortrain.runs(tmp_path / "root")
    from_record, from_arrays = entry.advice, xortrain.train(*words, data=(x, t)).advice
    assert from_record == from_arrays
    assert from_record.best


def test_a_resumed_and_a_repeated_run_are_advised(stuck: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    recorded, printed = stuck
    kept = (recorded / "advice.json").read_bytes()
    (recorded / "advice.json").unlink()
    interrupt(recorded, slice(0, 1), 30)
    assert main(["resume", str(recorded)]) == 0
    assert capsys.readouterr().out == f"1 run trained\n\n{printed}"
    assert (recorded / "advice.json").read_bytes() == kept
    assert main(["resume", str(recorded)]) == 0
    assert "Tried" not in capsys.readouterr().out
    root = recorded.parents[1]
    assert main(["rerun", str(recorded), "--root", str(root)]) == 0
    assert capsys.readouterr().out.partition("\n\nTried")[2] == printed.partition("\n\nTried")[2]
    assert main(["rerun", str(recorded), "--root", str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["trials"] == json.loads(kept)
    assert sorted(path.read_bytes() for path in root.rglob("advice.json")) == [kept] * 3


def test_a_full_disk_after_the_trials_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(folder: Path, _: Advice) -> None:
        raise OSError(28, "No space left on device", str(folder / "advice.json"))

    monkeypatch.setattr(trials, "keep_advice", full)
    assert main([*STUCK, "film=none", f"root={tmp_path}"]) == 1
    out, err = capsys.readouterr()
    assert "\n\nTried:" in out
    assert err.endswith("advice.json: No space left on device\n")
    assert err.count("\n") == 1
