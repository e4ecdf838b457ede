"""Every user error gives one line of text and exit code 2, and writes nothing to disk."""

import re
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from some_runs import QUIET, composed

from xortrain.cli import main
from xortrain.commands import COMMANDS
from xortrain.config.check import check
from xortrain.config.settings import GROUPS, PLAIN_GROUPS, TOP, defaults_of, dotted_keys
from xortrain.errors import LONGEST, SYNONYMS, UserError, cut, nearest
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup

ErrorOf = Callable[..., str]

WRONG: dict[str, list[str]] = {
    # an unknown key, with the nearest match
    "lrr=1": ["lrr=1", "'lr'"],
    "Seed=3": ["Seed=3", "'seed'"],
    "optimizer.momentun=0.9": ["optimizer.momentun", "'optimizer.momentum'"],
    "track.lossses=7": ["track.lossses", "'track.losses'"],
    "data.bits=3": ["data.bits", "data=xor"],
    "activation.slope=0.5": ["activation.slope", "activation=sigmoid"],
    "activation=relu activation.slope=0.5": ["activation.slope", "activation=relu"],
    "+foo=1": ["foo"],
    "++foo.bar=1": ["foo"],
    "~lr": ["lr"],
    "+lr=2": ["lr"],
    "foo/bar=1": ["foo/bar"],
    "data@other=xor": ["data@other"],
    "lerning_rate=1": ["'lr'"],
    "hidden=3": ["'architecture.hidden'"],
    "-m lrr=1,2": ["job 0: lrr=1: no such setting. Did you mean 'lr'?"],
    "film=none film.nonsense=1": ["no such setting of film=none. There are none"],
    # a key that other options have
    "data.path=a.csv": ["data.path=a.csv: is a setting of data=csv, not of data=xor; choose data=csv"],
    "data=circle data.path=a.csv": ["not of data=circle; choose data=csv"],
    "loss.delta=1": ["loss.delta=1: is a setting of loss=huber, not of loss=bce; choose loss=huber"],
    "film=none film.hold=1": ["film.hold=1: is a setting of film=story, field, ", "not of film=none"],
    "optimizer.beta1=0.5": [
        "optimizer.beta1=0.5: is a setting of optimizer=adam, adamw, adamax, nadam, radam, not of optimizer=sgd"
    ],
    # a value of a key in place of a choice
    "film=mp4": ["film=mp4: no such choice; write film.format=mp4"],
    "film=me/a.gif": ["write film.format=gif"],
    "-m film=mp4 seed=1,2": ["write film.format=mp4"],
    "loss=sum": ["write loss.reduction=sum"],
    # a name for a place in a list
    "freeze.W1=true": ["freeze.W1=true: freeze is a list; write freeze=[…]"],
    "seed=1 architecture.hidden.first=3": ["architecture.hidden.first=3: architecture.hidden is a list"],
    "++tags.mine=a": ["tags is a list"],
    "~tags.mine": ["~tags.mine: tags is a list; write tags=[…]"],
    "~freeze.0": ["~freeze.0: freeze is a list"],
    # what an override adds or deletes
    "+optimizer=adam": ["+optimizer=adam: exists already; write it without the +"],
    "++loss=mse": ["++loss=mse: exists already; write it without the +"],
    "seed=1 film=none +film=field": ["+film=field: exists already"],
    "~optimizer.momentun": ["optimizer.momentun: no such setting of optimizer=sgd. Did you mean 'optimizer.momentum'?"],
    "~seed=3": ["~seed=3: cannot be deleted; give it another value"],
    "~optimizer=adam": ["~optimizer=adam: cannot be deleted"],
    "~architecture.hidden.0": ["architecture.hidden is a list"],
    "~lrr": ["lrr: no such setting. Did you mean 'lr'?"],
    "~lr.x": ["lr.x: no such setting. Did you mean 'lr'?"],
    "data=csv data.inputs.x=1": ["data.inputs.x=1: data.inputs is a list"],
    # names of other libraries
    "activation=swish": ["no such choice. Did you mean 'silu'?"],
    "loss=BCELoss": ["no such choice. Did you mean 'bce'?"],
    "init=glorot_uniform": ["no such choice. Did you mean 'xavier_uniform'?"],
    "optimizer=momentum": ["write optimizer.momentum=…"],
    "data=a.csv": ["data=a.csv: no such choice; write data=csv data.path=a.csv"],
    "data=~/me/a.csv": ["write data=csv data.path=~/me/a.csv"],
    "-m data=xor,a.csv": ["job 1: data=a.csv: no such choice; write data=csv data.path=a.csv"],
    "architecture=3": ["write architecture.hidden=[3]"],
    "architecture=[3,2]": ["takes one choice, not a list; write architecture.hidden=[3,2]"],
    # an override in several words
    "lr = 0.1": ["lr = 0.1: write lr=0.1, without spaces"],
    "lr 1": ["lr 1: write lr=1, without spaces"],
    "seed=1 lr =2": ["lr =2: write lr=2, without spaces"],
    "lr= 0.1 seed=1": ["lr= 0.1: write lr=0.1, without spaces"],
    "-m lr=0.1, 1": ["lr=0.1, 1: write lr=0.1,1, without spaces"],
    "-m lr=0.1 , 1 seed=1": ["lr=0.1 , 1: write lr=0.1,1, without spaces"],
    "architecture.hidden=[2, 3 ]": ["write architecture.hidden=[2,3], without spaces"],
    "--cfg job data.low = -1": ["write data.low=-1, without spaces"],
    "explain lr = 1": ["write lr=1, without spaces"],
    # words that are no command
    "train lr=1": ["train: leave it out; overrides alone train"],
    "fit -m lr=1,2": ["fit: leave it out"],
    "run latest": ["run: no such command. Did you mean 'rerun'?"],
    "remove latest": ["'rm'"],
    # an unknown name, with the nearest match
    "activation=relux": ["activation=relux", "'relu'", "leaky_relu"],
    "activation=tahn": ["activation=tahn", "'tanh'"],
    "loss=bcee": ["loss=bcee", "'bce'"],
    "optimizer=Adam": ["optimizer=Adam", "'adam'"],
    "experiment=notebook_2": ["experiment=notebook_2", "notebook_002"],
    "dtype=float16": ["dtype=float16", "float32"],
    "track.spacing=linear": ["track.spacing=linear", "even"],
    "freeze=[b9]": ["freeze=b9", "b1"],
    "architecture.activations=[rely]": ["architecture.activations[0]=rely", "'relu'"],
    "architecture.activations=[{name:[1]}]": ["architecture.activations[0]"],
    "++activation.name=[1]": ["activation"],
    "activation=1": ["activation=1"],
    "data=": ["data="],
    "loss=null": ["loss=null"],
    # several values where one is required
    "activation=[relu,tanh]": ["activation=[relu,tanh]", "-m"],
    "optimizer=[sgd]": ["optimizer=[sgd]"],
    "seed=range(0,10)": ["seed=range(0,10)"],
    "lr=interval(0,1)": ["lr=interval(0,1)"],
    "activation=relu,tanh": ["activation=relu,tanh", "-m"],
    "lr=1,2": ["lr=1,2", "-m"],
    "seed=range(0,3)": ["seed=range(0,3)", "-m"],
    "architecture.hidden=2,3": ["-m", "architecture.hidden=[2,3] for a list"],
    "explain lr=1,2": ["lr=1,2: several values; one is needed here"],
    # a wrong type
    "lr=abc": ["lr=abc", "number"],
    "--cfg job lr=abc": ["lr=abc", "number"],
    "lr=-1 -c job -p optimizer": ["lr=-1", "number"],
    "root=": ["root=: must be a path"],
    "lr=1_000": ["lr=1_000: write 1000"],
    "-m seed=range(0,1_0)": ["seed=range(0,1_0): write 10"],
    "architecture.hidden=[2,1_0]": ["write 10"],
    "lr=true": ["lr=true", "number"],
    "lr=[1]": ["lr=[1]", "number"],
    "lr=": ["lr", "number"],
    "lr=null": ["lr=null", "number"],
    "seed=1.5": ["seed=1.5", "whole"],
    "epochs=many": ["epochs=many", "whole"],
    "shuffle=1": ["shuffle=1", "true or false"],
    "architecture.bias=yes_please": ["architecture.bias", "true or false"],
    "architecture.hidden=2": ["architecture.hidden=2", "list"],
    "architecture.hidden=[2.5]": ["architecture.hidden=[2.5]"],
    "architecture.hidden=[true]": ["architecture.hidden=[true]"],
    "architecture.activations=relu": ["architecture.activations=relu", "list"],
    "freeze={b1:1}": ["freeze"],
    "track=5": ["track=5", "track.losses"],
    "lr=${foo}": ["lr", "foo"],
    "name=${": ["name"],
    # out of range
    "lr=nan": ["lr=nan"],
    "lr=inf": ["lr=inf"],
    "lr=-1": ["lr=-1"],
    "lr=0": ["lr=0"],
    "seed=-1": ["seed=-1"],
    "seed=4294967296": ["seed=4294967296"],
    "epochs=-1": ["epochs=-1"],
    "epochs=1e20": ["epochs=1e+20"],
    "batch_size=0": ["batch_size=0"],
    "architecture.hidden=[0]": ["architecture.hidden=[0]", "at least 1|from 1"],
    "architecture.hidden=[2,-1]": ["architecture.hidden=[2,-1]"],
    "optimizer.momentum=1": ["optimizer.momentum=1", "less than 1"],
    "optimizer=adam optimizer.beta2=-0.1": ["optimizer.beta2=-0.1"],
    "track.frames=1": ["track.frames=1"],
    "data=parity data.bits=40": ["data.bits=40"],
    "data=spiral data.test=1": ["data.test=1"],
    "data=spiral data.noise=-1": ["data.noise=-1"],
    "film.fps=0": ["film.fps=0"],
    "stop=loss stop.below=0": ["stop.below=0", "greater than 0"],
    "film.size=[1,1]": ["film.size=[1,1]"],
    # contradictions
    "output=softmax": ["output=softmax: is constant over one unit, always 1; needs at least two units"],
    "activation=softmax architecture.hidden=[1]": ["activation=softmax"],
    "architecture.activations=[softmax] architecture.hidden=[1]": ["architecture.activations[0]=softmax"],
    "loss=hinge": ["loss=hinge", "data.low=-1"],
    "loss=soft_margin data.low=0.1 data.high=0.9": ["loss=soft_margin"],
    "loss=bce data.low=-1": ["loss=bce", "from 0 to 1"],
    "loss=cross_entropy data.low=0.1": ["loss=cross_entropy"],
    "data=encoder data.size=3 loss=cross_entropy data.high=2": ["loss=cross_entropy"],
    "data.low=1": ["data.low", "data.high", "differ"],
    "activation=step": ["activation=step", "epochs=0"],
    "output=step loss=mse": ["output=step", "epochs=0"],
    "optimizer=rprop batch_size=1": ["rprop", "batch_size"],
    "optimizer.nesterov=true": ["optimizer.nesterov=true", "optimizer.momentum"],
    "-m optimizer.nesterov=false,true optimizer.momentum=0.5,0": ["job 3 (", "optimizer.nesterov=true"],
    "architecture=skip architecture.hidden=[]": ["architecture.hidden=[]", "skip"],
    "architecture.hidden=[2,2] architecture.activations=[relu]": ["architecture.activations", "2 hidden layers"],
    "data=moons data.examples=4 data.test=0.9": ["data.test=0.9"],
    "data=moons data.test=0.001": ["data.test=0.001"],
    # given weights
    "layer_lr.W3=1": ["layer_lr", "W3", "W1, W2, b1, b2"],
    "layer_lr.W1=0": ["layer_lr.W1=0: must be a number greater than 0"],
    "layer_lr.W1=x": ["layer_lr.W1=x: must be a number greater than 0"],
    "layer_lr.W1.0.0=1": ["layer_lr.W1: must be one number"],
    "layer_lr=1": ["layer_lr=1", "layer_lr.W1=0.1"],
    "layer_lr.b1=1 architecture.bias=false": ["layer_lr", "b1", "Known: W1, W2"],
    "init.set.W9.0.0=1": ["init.set", "W9", "W1, W2, b1, b2"],
    "init.set.W1.0.2=1": ["init.set.W1.0.2", "W1[0, 2] does not exist", "W1[1, 1]"],
    "W1[0,2]=1": ["init.set.W1.0.2", "W1[0, 2] does not exist"],
    "init.set.W1.0=1": ["init.set.W1.0", "W1[0] does not exist"],
    "init.set.W1=1": ["init.set.W1=1", "[2, 2]", "init.set.W1.0.0="],
    "init.set.W1.a.b=1": ["W1[a, b] does not exist"],
    "init.set.b1.0=1 architecture.bias=false": ["init.set", "b1", "Known: W1, W2"],
    "init.set.W1.0.1=x": ["init.set.W1.0.1=x: must be a number"],
    "init.set.W1.0.1=nan": ["init.set.W1.0.1=nan: must be a number"],
    "init.set.W1.0.1=true": ["init.set.W1.0.1=true: must be a number"],
    "init.set.W1.0.1=[1,2]": ["init.set.W1.0.1=[1,2]: must be a number"],
    "init.set.W1.0.1=": ["init.set.W1.0.1=: must be a number"],
    "init.set=5": ["init.set=5", "init.set.W1.0.1=2"],
    "init.set=null": ["init.set=null", "init.set.W1.0.1=2"],
    "init.set={W1:{-1:{0:2}}}": ["init.set.W1.-1: no such place"],
    "init.set.W1.0.1=1,2": ["init.set.W1.0.1=1,2: several values", "-m"],
    "-m init.set.W1.0.1=1,x": ["job 1: init.set.W1.0.1=x"],
    "-m init.set.W1.0.9=1,2": ["job 0 (init.set.W1.0.9=1)", "W1[0, 9] does not exist"],
    "init=explicit": ["init.weights", "W1 [2, 2]"],
    "init=explicit init.weights=5": ["init.weights"],
    "experiment=notebook_001 init.weights.W1=[1,2]": ["init.weights.W1", "[2, 2]"],
    "experiment=notebook_001 init.weights.W1=[[1,2],[3]]": ["init.weights.W1"],
    "experiment=notebook_001 init.weights.W1=[[1,2],[3,nan]]": ["init.weights.W1", "finite"],
    "experiment=notebook_001 init.weights.b1=[x,y]": ["init.weights.b1"],
    "experiment=notebook_001 ~init.weights.b1": ["init.weights.b1", "missing"],
    "experiment=notebook_001 +init.weights.b3=[1]": ["b3"],
    "experiment=notebook_001 architecture.hidden=[3]": ["init.weights"],
    # tables
    "data=csv": ["data.path"],
    "data.scale=standard": ["data.scale=standard", "not of data=xor"],
    "data=circle data.scale=standart": ["data.scale=standart", "one of none, standard, minmax"],
    "data=csv data.path=nowhere.csv": ["data.path=nowhere.csv", "no such file"],
    # arguments that are not overrides
    "nonsense": ["nonsense", "command"],
    "lr=1 seed": ["seed"],
    "lr": ["lr: is a setting; write lr=VALUE"],
    "5": ["5"],
    "=1": ["=1"],
    "+=1": ["+=1"],
    "lr=1=2 lr='": ["lr="],
    "name='a": ["name='a"],
    "--nonsense": ["--nonsense"],
    "--resolve": ["--resolve"],
    "--cfg nothing": ["nothing"],
    "--cfg job -m": ["cfg"],
    "--config-name nothing": ["nothing"],
    "hydra.nonsense=1": ["hydra.nonsense"],
    "hydra/launcher=nothing": ["hydra/launcher=nothing", "Known: basic, population"],
    "hydra/launcher=joblib": ["hydra/launcher=joblib", "pip install hydra-joblib-launcher", "basic, population"],
    "-m hydra/sweeper=population_": ["hydra/sweeper=population_", "'population'", "basic"],
    "-m hydra/sweeper=nevergrad": ["hydra/sweeper=nevergrad", "pip install hydra-nevergrad-sweeper"],
    "-m hydra.launcher.enigne=loky": ["hydra.launcher.enigne", "'hydra.launcher.engine'", "hydra.launcher.workers"],
    "-m hydra.launcher.workers=0 dry_run=true": ["hydra.launcher.workers=0", "from 1"],
    "-m hydra.launcher.engine=lokky dry_run=true": ["hydra.launcher.engine=lokky", "'loky'"],
    "-m hydra/launcher=basic lr=1,-1 film=none": ["job 1: lr=-1: must be"],
    # Hydra settings that xortrain does not support
    "-m hydra.sweeper.params=5": ["hydra.sweeper.params=5", "must be a mapping"],
    "-m hydra.sweeper.params=[a]": ["hydra.sweeper.params=['a']", "must be a mapping"],
    "-m hydra.launcher=5 seed=1,2": ["hydra.launcher=5", "hydra/launcher="],
    "-m hydra.launcher=null": ["hydra.launcher=null", "hydra/launcher="],
    "-m hydra.sweeper=5": ["hydra.sweeper=5", "hydra/sweeper="],
    "-m ~hydra.launcher.engine": ["~hydra.launcher.engine", "cannot be deleted"],
    "-m lr=linspace(1,3,2),5": ["lr=linspace(1,3,2),5", "write all values out"],
    "lr=linspace(1,3,2)": ["lr=linspace(1,3,2)", "-m"],
    "-m lr=logspace(-2,1,5)": ["lr=logspace(-2,1,5)", "geomspace"],
    "-m lr=geomspac(1,3,5)": ["lr=geomspac", "Did you mean 'geomspace'"],
    "-m lr=linspace(0,1,3)": ["job 0: lr=0.0", "greater than 0"],
    "-m seed=linspace(0,1,3)": ["job 1: seed=0.5", "whole number"],
    "-m lr=linspace(1,3)": ["lr=linspace(1,3)", "linspace(1,10,5)"],
    "-m lr=linspace(1,3,2,4)": ["lr=linspace(1,3,2,4)", "linspace(1,10,5)"],
    "-m lr=linspace(1,3,2,num=2)": ["lr=linspace(1,3,2,num=2)", "linspace(1,10,5)"],
    "-m lr=linspace(1,3,2.5)": ["lr=linspace(1,3,2.5): 2.5 values", "whole"],
    "-m lr=linspace(1,3,0)": ["lr=linspace(1,3,0): 0 values", "from 1"],
    "-m lr=linspace(1,3,-1)": ["lr=linspace(1,3,-1): -1 values", "from 1"],
    "-m lr=linspace(1,3,true)": ["lr=linspace(1,3,true)", "whole"],
    "-m lr=geomspace(1,3,1000001)": ["1,000,001 values", "to 1,000,000"],
    "-m lr=linspace(1,nan,3)": ["lr=linspace(1,nan,3): nan", "finite"],
    "-m lr=linspace(-inf,1,3)": ["lr=linspace(-inf,1,3): -inf", "finite"],
    "-m lr=linspace(1,x,3)": ["lr=linspace(1,x,3): x", "finite"],
    "-m lr=linspace(-1e308,1e308,3)": ["leaves the range"],
    "-m lr=geomspace(0,1,3)": ["geomspace(0,1,3)", "passes 0"],
    "-m lr=geomspace(-1,1,3)": ["geomspace(-1,1,3)", "passes 0"],
    "-m lr=range(1,3),5": ["lr=range(1,3),5", "write all values out"],
    "-m lr='0.1',1": ["lr='0.1': must be a number"],
    "lr='0.1'": ["lr='0.1': must be a number"],
    "-m +optimizer.momentum=0.1,0.2": ["+optimizer.momentum: exists already", "without the +"],
    "+optimizer.momentum=0.1": ["+optimizer.momentum: exists already", "without the +"],
    "-m hydra.sweeper.params.seed='range(0,3)'": ["write seed='range(0,3)' by itself", "+hydra.sweeper.params.seed='"],
    "-m seed=glob(*)": ["seed=glob(*): there is nothing to run; seed has no choice that matches"],
    "-m lr=5,range(1,3)": ["lr=5,range(1,3)", "write all values out"],
    "hydra.run.dir=elsewhere": ["hydra.run.dir=elsewhere", "root=elsewhere"],
    "-m hydra.sweep.dir=elsewhere seed=1,2": ["hydra.sweep.dir=elsewhere", "root=elsewhere"],
    "-m hydra/sweeper=population hydra.sweep.dir=elsewhere seed=1,2": ["hydra.sweep.dir=elsewhere", "root=elsewhere"],
    "-m hydra.sweep.subdir=x seed=1,2": ["hydra.sweep.subdir=x", "root"],
}


@pytest.fixture
def error_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> ErrorOf:
    """Return a function that runs an invalid command line and returns its error line."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        before = sorted(tmp_path.rglob("*"))
        assert main(words) == 2
        out, err = capsys.readouterr()
        assert not out
        assert err.startswith("xortrain: error: ")
        assert err.endswith("\n")
        assert err.count("\n") == 1
        assert len(err) <= LONGEST + 1
        assert sorted(tmp_path.rglob("*")) == before
        return err

    return run


@pytest.mark.parametrize("words", WRONG)
def test_an_error_line_names_the_setting_and_the_reason(words: str, error_of: ErrorOf) -> None:
    line = error_of(*words.split(" "))
    for part in WRONG[words]:
        assert any(either in line for either in part.split("|")), line


@pytest.mark.parametrize(
    ("hydra", "words"),
    [
        ("{sweeper: {params: 'seed=1,2'}}", "hydra.sweeper.params=seed=1,2: must be a mapping"),
        ("{sweeper: {params: [seed]}}", "hydra.sweeper.params=['seed']: must be a mapping"),
        ("{launcher: 5}", "hydra.launcher=5: must be chosen by hydra/launcher="),
        ("{sweeper: 5}", "hydra.sweeper=5: must be chosen by hydra/sweeper="),
    ],
)
def test_a_malformed_sweep_in_an_experiment_is_an_error(
    hydra: str, words: str, tmp_path: Path, error_of: ErrorOf
) -> None:
    folder = tmp_path / "conf" / "experiment"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(f"# @package _global_\nhydra: {hydra}\n")
    assert words in error_of("--config-dir", str(folder.parent), "-m", "experiment=mine", "film=none")


GLOBAL = "# @package _global_\n"
WRONG_FILES = {
    "lr: 0.5\n": ["experiment=mine: its file needs the first line '# @package _global_'"],
    GLOBAL + "optimizer: adam\n": ["optimizer: in a file, choose it under defaults", "- override /optimizer: adam"],
    GLOBAL + "film: none\n": ["- override /film: none"],
    GLOBAL + "defaults:\n- optimizer: adam\n": ["- override /optimizer: adam"],
    GLOBAL + "defaults:\n- /optimizer: adam\n": ["- override /optimizer: adam"],
    GLOBAL + "defaults:\n- override optimizer: adam\n": ["- override /optimizer: NAME"],
    GLOBAL + "defaults:\n- override /optimizer: adamm\n": ["optimizer=adamm: no such choice. Did you mean 'adam'?"],
    GLOBAL + "lr: 1\nlr: 2\n": ["mine.yaml: line 3: found duplicate key lr"],
    GLOBAL + "lr: 1\n\tseed: 2\n": ["mine.yaml: line 3: "],
    GLOBAL + "seed: 2\nlr:1\n": ["mine.yaml: line 4: could not find expected ':'", "in line 3"],
    GLOBAL + "lr: [1\n": ["mine.yaml: line 3: ", "in line 2"],
    GLOBAL + "seed: ${oc.env:SOME_SEED}\n": [
        "seed='4': must be a whole number",
        "write no quotes, or in a file ${oc.decode:…}",
    ],
}
"""The content of an experiment's file, and parts of the line that says what is wrong with it."""


@pytest.mark.parametrize("option", [[], ["-m"]], ids=["a run", "a sweep"])
@pytest.mark.parametrize("content", WRONG_FILES)
def test_a_mistake_in_a_file_of_configs_is_an_error_that_says_what_to_write(
    content: str, option: list[str], tmp_path: Path, error_of: ErrorOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_SEED", "4")
    folder = tmp_path / "conf" / "experiment"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(content)
    line = error_of("--config-dir", str(folder.parent), "experiment=mine", "lr=2", *option)
    for part in WRONG_FILES[content]:
        assert part in line
    for remedy in re.findall("- override /.*: [a-z]+$", line):
        (folder / "mine.yaml").write_text(f"{GLOBAL}defaults:\n{remedy}\n")
        assert main(["--config-dir", str(folder.parent), *QUIET, "epochs=1", "experiment=mine", *option]) == 0


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["experiment=optimizer"], "experiment=optimizer: no such choice."),
        (["experiment=data/minee"], "experiment=data/minee: no such choice."),
        (["+experiment.x=1"], "experiment={x:1}: an experiment has no settings of its own"),
        (["lr='0.5'"], "lr='0.5': must be a number greater than 0; write no quotes"),
    ],
)
def test_a_mistake_in_what_was_typed_is_not_blamed_on_a_file(words: list[str], wanted: str, error_of: ErrorOf) -> None:
    assert wanted in error_of(*words, "film=none")


def test_a_number_in_a_variable_of_the_environment_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOME_RATE", "0.25")
    assert main(["lr='${oc.decode:${oc.env:SOME_RATE}}'", *QUIET, "epochs=1"]) == 0
    capsys.readouterr()
    assert main(["ls", "--columns", "lr", "--json"]) == 0
    assert '"lr": 0.25' in capsys.readouterr().out


def write_experiment_with_sweep(tmp_path: Path) -> list[str]:
    """Write an experiment with a sweep to a user's config folder, and return the arguments to use it."""
    folder = tmp_path / "conf" / "experiment"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("# @package _global_\nhydra: {sweeper: {params: {seed: 'range(0,3)'}}}\n")
    return ["--config-dir", str(folder.parent), *QUIET, "epochs=1"]


def test_one_of_several_experiments_cannot_have_a_sweep(
    tmp_path: Path, error_of: ErrorOf, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*write_experiment_with_sweep(tmp_path), "-m", "experiment=mine,notebook_002"]
    line = error_of(*words)
    assert "job 0 (experiment=mine): has a sweep of its own, {seed:range(0,3)}" in line
    assert main([*words, line.split()[-1]]) == 0  # the remedy in the error line works
    assert not capsys.readouterr().err


@pytest.mark.parametrize("words", [["experiment=mine"], ["+hydra.sweeper.params.seed='range(0,3)'"]], ids=" ".join)
def test_without_m_a_sweep_is_ignored_with_a_warning(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [*write_experiment_with_sweep(tmp_path), *words]
    assert main(words) == 0
    assert capsys.readouterr().err == "xortrain: the sweep over seed is ignored; add -m to run it\n"
    assert main([*words, "-m"]) == 0
    out, err = capsys.readouterr()
    assert re.search(r"^ *3 ", out, re.MULTILINE)
    assert not err


def test_an_empty_argument_is_an_error(error_of: ErrorOf) -> None:
    assert "''" in error_of("lr=1", "")


def test_control_characters_in_an_error_line_are_escaped(error_of: ErrorOf) -> None:
    line = error_of('freeze=["a\nb\x1b[31m"]')
    assert r"a\nb\x1b[31m" in line


def test_too_long_or_too_deeply_nested_values_are_errors(error_of: ErrorOf) -> None:
    assert "cannot be read" in error_of("lr=" + 5000 * "9")
    assert "cannot be read" in error_of("lr=" + 3000 * "[" + 3000 * "]")


@pytest.mark.parametrize(
    "key", ["lr", "lrr", "data.path", "optimizer", "film", "seed", "optimizer.beta1", "init.weights"]
)
def test_of_a_long_value_an_error_shows_both_ends(key: str, error_of: ErrorOf) -> None:
    line = error_of(f"{key}=a{500 * 'x'}z")
    assert f"{key}=a" in line
    assert "xxz" in line


@given(word=st.text(), most=st.integers(1, 20))
def test_a_cut_text_keeps_its_ends_and_has_the_length_asked_for(word: str, most: int) -> None:
    shown = cut(word, most)
    assert len(shown) == min(len(word), most)
    first, _, last = shown.partition("…") if shown != word else (word, "", "")
    assert word.startswith(first)
    assert word.endswith(last)


KNOWN = {*TOP, *GROUPS, *PLAIN_GROUPS, *dotted_keys(), *COMMANDS}
PLACES = [KNOWN, *(rows.keys() for rows in GROUPS.values())]  # within each, no two things have the same name


@pytest.mark.parametrize("name", SYNONYMS)
def test_what_people_call_a_setting_an_option_or_a_command_leads_to_its_name(name: str) -> None:
    places = [known for known in PLACES if name in known]
    assert places
    for known, other in product(places, SYNONYMS[name]):
        assert other not in known
        assert nearest(other, sorted(known)) == [name]


@pytest.mark.parametrize("text", ["a b", "a_b", "1_000", "lr = 1", "v1_0", "2024, 25"])
def test_texts_may_have_blanks_and_underscores(text: str) -> None:
    assert composed(f"notes={text}", f"name={text}")["notes"] == text


def test_an_invalid_unicode_character_is_an_error(error_of: ErrorOf) -> None:
    assert "name=\\udcff: is not UTF-8" in error_of("name=\udcff")


def test_the_root_must_be_a_writable_folder(tmp_path: Path, error_of: ErrorOf) -> None:
    (tmp_path / "taken").write_text("a file")
    assert "root=taken" in error_of("root=taken")
    assert "root=/dev/null/records" in error_of("root=/dev/null/records")
    for words in ([], ["-m", "seed=1,2"]):
        line = error_of(*words, "root=/proc/records", "film=none")  # it has 0 bytes, but is not a full disk
        assert line.startswith("xortrain: error: root=/proc/records: cannot be written to (")
    assert "root=taken" in error_of("-m", "root=taken/records", "dry_run=true")


def test_invalid_film_settings_are_reported_before_training(error_of: ErrorOf) -> None:
    assert "film.colours=nonsense" in error_of("film.colours=nonsense")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | st.sampled_from(["relu", "W1", "b1", "-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
EVERY_KEY = [(key, "") for key in [*TOP, *PLAIN_GROUPS, *GROUPS]] + [
    (group, key) for group, table in GROUPS.items() for row in table.values() for key in ("name", *row.settings)
]


@settings(max_examples=200)
@given(key=st.sampled_from(sorted(set(EVERY_KEY))), value=VALUES, k=st.integers(0, 22))
def test_any_value_of_any_key_is_accepted_or_a_user_error(key: tuple[str, str], value: Any, k: int) -> None:
    """A valid configuration also makes a valid setup, unless settings contradict each other."""
    group, name = key
    names = {of: list(options)[k % len(options)] for of, options in GROUPS.items()}
    chosen = {of: {"name": option, **defaults_of(of, option, names["data"])} for of, option in names.items()}
    config: dict[str, Any] = {**composed(), **chosen}
    config[group] = {**config[group], name: value} if name else value
    with suppress(UserError):
        assert Setup.of(Population(check(config))).block_size >= 64


KEYS = st.sampled_from([*TOP, *GROUPS, *(f"{group}.{key}" for group, key in EVERY_KEY if key)]).filter(
    lambda key: key != "root"
)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
SMALL = st.sampled_from(
    ["1", "0.5", "-3", "null", "true", "[1]", "[relu]", "{a:1}", "nan", "${lr}", "'", "a b", "1,2", "$", "\\"]
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(key=KEYS | TEXTS, value=SMALL | TEXTS, sign=st.sampled_from(["", "", "", "+", "++", "~"]))
def test_any_argument_gives_a_run_or_an_error(
    key: str, value: str, sign: str, error_of: ErrorOf, capsys: pytest.CaptureFixture[str]
) -> None:
    word = f"{sign}{key}={value}"
    if word.startswith("-") or "hydra" in word:
        return
    code = main(["epochs=1", *QUIET, word])
    out, err = capsys.readouterr()
    assert (code, bool(out), err.count("\n")) in ((0, True, 0), (2, False, 1)), (word, out, err)
