"""A trainer composes once, and gives what `train` gives for the same settings."""

import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from some_runs import composed, config_with
from some_settings import SPANS, some_settings

import xortrain
from xortrain.config.check import short
from xortrain.config.compose import compose
from xortrain.config.settings import GROUPS, TOP, keys_of
from xortrain.config.variations import Variations
from xortrain.errors import UserError
from xortrain.nets.setting import Setting

MOST_OPTIONS = max(map(len, GROUPS.values()))
X, T = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]


def other_value(name: str, setting: Setting) -> Any:
    """Return a valid value of a setting, most of which no option has by default; None for what may be anything."""
    match setting.kind:
        case "whole":
            return int(max(setting.low, min(setting.high, 6)))
        case "number" if name in SPANS:
            return float(some_settings({name: setting}, 3)[name][1])
        case "number":
            above = -np.inf if setting.above is None else setting.above
            return float(np.clip(0.25, max(setting.low, above), min(setting.high, 1)))
        case "choice":
            return list(setting.choices)[-1]
        case "wholes":
            return [int(max(3, setting.low))] * 2
        case kind:
            others = {"flag": True, "names": ["a", "b"], "text": "a b", "path": "a.csv", "entries": {"W1": 0.5}}
            return others.get(kind)


@pytest.mark.parametrize("k", range(MOST_OPTIONS))
def test_settings_of_any_option_give_what_hydra_composes(k: int) -> None:
    """Every setting of option number k of each group, once as a value and once as a text of the command line."""
    names = {group: list(table)[k % len(table)] for group, table in GROUPS.items()}
    choices = [f"{group}={name}" for group, name in names.items()]
    rows = {f"{group}.{key}": row for group, name in names.items() for key, row in keys_of(group, name).items()}
    rows |= {key: row for key, row in TOP.items() if key not in ("experiment", "use")}
    values = {key: other_value(key.rpartition(".")[2], row) for key, row in rows.items()}
    settings = {key: value for key, value in values.items() if value is not None}
    words = [f"{key}={_quoted(value)}" for key, value in settings.items()]
    assert Variations(choices).of(settings) == compose([*choices, *words])


def _quoted(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) and " " in value else short(value)


@pytest.mark.parametrize("group", ["data", "loss", "optimizer", "output"])
def test_another_option_has_its_defaults_and_what_the_trainer_sets(group: str) -> None:
    base = Variations(["seed=5", "lr=0.5"])
    option = list(GROUPS[group])[-1]
    assert base.of({group: option}) == config_with("seed=5", "lr=0.5", f"{group}={option}")


def test_what_a_call_sets_is_forgotten_by_the_next() -> None:
    base = Variations(["layer_lr.W1=0.1", "init.set.W1.0.1=2"])
    before = base.of({})
    changed = base.of({"layer_lr.W2": 0.3, "W1[0,0]": 1, "init": "zeros", "architecture.hidden": np.array([3, 2])})
    assert changed["layer_lr"] == {"W1": 0.1, "W2": 0.3}
    assert changed["init"]["set"] == {"W1": {"0": {"1": 2.0, "0": 1.0}}}
    assert changed["architecture"]["hidden"] == [3, 2]
    assert base.of({}) == before == composed("layer_lr.W1=0.1", "init.set.W1.0.1=2")


@pytest.mark.parametrize(
    "settings",
    [
        {"lr": 0.3}, {"seed": 7}, {"batch_size": 2, "epochs": 7}, {"optimizer": "adam", "optimizer.beta1": 0.8},
        {"architecture.hidden": (4, 3)}, {"dtype": "float32"}, {"data": "and", "data.low": 0.1},
        {"experiment": "moons"},
    ],
    ids=str,
)  # fmt: skip
def test_a_call_trains_as_train_does_to_the_bit(settings: dict[str, Any]) -> None:
    run = xortrain.trainer("epochs=10", "optimizer.weight_decay=0.01")(settings)
    words = [f"{key}={short(value)}" for key, value in settings.items()]
    same = xortrain.train("epochs=10", "optimizer.weight_decay=0.01", *words)
    assert run.config == same.config
    assert run.parameters.tobytes() == same.parameters.tobytes()
    assert run.losses.tobytes() == same.losses.tobytes()


def test_a_trainer_of_own_arrays_is_train_with_them() -> None:
    trainer = pickle.loads(pickle.dumps(xortrain.trainer("epochs=9", data=(X, T), classes=["no", "yes"])))
    run = trainer(lr=np.float64(0.5), batch_size=np.int64(2))
    same = xortrain.train("epochs=9", "lr=0.5", "batch_size=2", data=(X, T), classes=["no", "yes"])
    assert run.parameters.tobytes() == same.parameters.tobytes()
    assert run.classes == ("no", "yes")


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"lrr": 1}, "lrr=1: no such setting. Did you mean 'lr'?"),
        ({"optimizer.moment": 1}, "no such setting of optimizer=sgd. Did you mean 'optimizer.momentum'"),
        ({"optimizer.beta1": 0.9}, "optimizer.beta1=0.9: is a setting of optimizer=adam, adamw"),
        ({"optimizer": "adm"}, "optimizer=adm: no such choice. Did you mean 'adam'"),
        ({"optimizer": None}, "optimizer=null: must be one of"),
        ({"activation": ["relu", "tanh"]}, "activation takes one choice, not a list"),
        ({"lr": -1}, "lr=-1: must be a number greater than 0"),
        ({"lr": "0.3"}, "lr='0.3': must be a number greater than 0"),
        ({"lr": float("nan")}, "lr=nan: must be a number greater than 0"),
        ({"lr": 1j}, "lr=1j: must be a number greater than 0"),
        ({"lr.x": 1}, "lr.x=1: no such setting"),
        ({"seed": 1.5}, "seed=1.5: must be a whole number"),
        ({"architecture.hidden": 4}, "architecture.hidden=4: must be a list of layer widths"),
        ({"track": {"loses": 4}}, "track.loses=4: no such setting"),
        ({"freeze": ["W9"]}, "freeze=W9: no such parameter"),
        ({"dry_run": True}, "dry_run=true: prints an estimate"),
        ({"": 1}, "=1: no such setting"),
        ({"optimizer.nesterov": True}, "optimizer.nesterov=true: requires momentum"),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_setting_has_the_line_of_the_command_line(settings: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError) as found:
        xortrain.trainer("epochs=0")(settings)
    assert str(found.value).find(line) >= 0


def test_wrong_overrides_are_refused_at_once() -> None:
    for overrides, line in (
        (("lr=-1",), "lr=-1: must be"),
        (("lr=1 seed=2",), "trainer: takes overrides as texts"),
        (("data.seed=${seed}",), "data.seed=${seed}: a reference to another setting"),
    ):
        with pytest.raises(UserError) as found:
            xortrain.trainer(*overrides)
        assert str(found.value).startswith(line)
    with pytest.raises(UserError, match="takes settings by name, as in trainer"):
        xortrain.trainer("epochs=0")("lr=0.3")  # type: ignore[arg-type]


def test_a_call_costs_a_hundredth_of_composing() -> None:
    """Of the 5 ms that are allowed beside training it takes 0.2; bounded loosely, for a busy machine."""
    base = Variations(["epochs=0"])
    calls: list[dict[str, Any]] = [{"lr": 0.3}, {"optimizer": "adam", "optimizer.beta1": 0.8}]
    for settings in calls:
        times = []
        for _ in range(20):
            began = time.process_time()
            base.of(settings)
            times.append(time.process_time() - began)
        assert min(times) < 0.002


def test_a_path_may_be_an_object(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    trainer = xortrain.trainer("epochs=2")
    same = xortrain.train("epochs=2", "data=csv", f"data.path={path}", f"root={tmp_path}")
    assert trainer({"data": "csv", "data.path": path, "root": tmp_path}).config == same.config
