"""The table of settings, conf/ and the tables in xortrain.nets agree."""

import json
import re
from typing import Any

import pytest
import yaml
from some_runs import composed, config_with, config_with_options

from xortrain.commands import COMMANDS
from xortrain.config.check import check, must_be, short, take
from xortrain.config.help import help_text
from xortrain.config.hydra_state import hydra_started
from xortrain.config.settings import (
    GROUPS,
    LAUNCHER,
    PLAIN_GROUPS,
    TOP,
    chosen_by_data,
    chosen_by_default,
    conf_folder,
    defaults_of,
    find,
    keys_of,
    read_conf,
    read_plain,
    set_by_data,
)  # fmt: skip
from xortrain.films.data import EPOCH_SPACINGS
from xortrain.films.film_settings import SETTINGS as FILM_SETTINGS
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.optimizers import OPTIMIZERS, SHAPING
from xortrain.nets.setting import Settings
from xortrain.runner import engines

OPTIONS = [(group, name) for group, table in GROUPS.items() for name in table]
MOST_OPTIONS = max(map(len, GROUPS.values()))
EXPERIMENTS = sorted(path.stem for path in (conf_folder() / "experiment").glob("*.yaml"))
CONF = sorted(path for path in conf_folder().rglob("*.yaml") if "hydra" not in path.parts)  # plugins name classes
UNSET = {("csv", "path"), ("explicit", "weights")}  # null until the user gives a value
PYTORCH: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0, "dampening": 0, "nesterov": False, "weight_decay": 0},
    "rmsprop": {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0, "momentum": 0, "centered": False},
    "adam": {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0, "amsgrad": False},
    "adamw": {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01, "amsgrad": False},
    "adamax": {"lr": 0.002, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0},
    "nadam": {"lr": 0.002, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0, "momentum_decay": 0.004},
    "radam": {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0},
    "adagrad": {"lr": 0.01, "lr_decay": 0, "weight_decay": 0, "eps": 1e-10},
    "adadelta": {"lr": 1.0, "rho": 0.9, "eps": 1e-6, "weight_decay": 0},
    "rprop": {"lr": 0.01, "eta_minus": 0.5, "eta_plus": 1.2, "step_min": 1e-6, "step_max": 50},
}


def option(group: str, name: str) -> dict[str, Any]:
    """Return an option with its default settings as Hydra composes them."""
    found: dict[str, Any] = config_with_options(list(GROUPS[group]).index(name))[group]
    return found


@pytest.mark.parametrize("group", [group for group in GROUPS if group != "output"])
def test_every_option_has_a_file_and_every_file_is_an_option(group: str) -> None:
    assert {path.stem for path in (conf_folder() / group).glob("*.yaml")} == GROUPS[group].keys()


def test_hydra_knows_every_output_although_outputs_have_no_files() -> None:
    assert not (conf_folder() / "output").exists()
    with hydra_started() as loader:
        assert loader.get_group_options("output") == sorted(GROUPS["output"])


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_the_defaults_read_from_conf_are_those_that_hydra_composes(group: str, name: str) -> None:
    if keys_of(group, name):
        assert {"name": name, **defaults_of(group, name)} == option(group, name)


@pytest.mark.parametrize("data", GROUPS["data"])
def test_what_a_data_set_sets_and_chooses_in_other_groups_is_what_hydra_composes(data: str) -> None:
    found = composed(f"data={data}")
    for group, chosen in (chosen_by_default() | chosen_by_data(data) | {"data": data}).items():
        assert found[group] == {"name": chosen, **defaults_of(group, chosen, data)}


def test_help_names_the_data_that_set_or_choose_in_other_groups() -> None:
    text = help_text({})
    for data in GROUPS["data"]:
        for group, keys in set_by_data(data).items():
            for key, value in keys.items():
                assert re.search(rf"\n +{group}\.{key} .*; {short(value)} for data=[\w, ]*\b{data}\b", text)
        for group, chosen in chosen_by_data(data).items():
            assert re.search(rf"\n \W?{chosen} .*\(default for data=[\w, ]*\b{data}\b", text), group


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_an_option_has_exactly_its_keys_with_valid_defaults(group: str, name: str) -> None:
    found = option(group, name)
    assert found["name"] == name
    assert found.keys() - {"name"} == keys_of(group, name).keys()
    for key, setting in keys_of(group, name).items():
        if (name, key) not in UNSET:
            assert take(key, setting, found[key]) == found[key]
            assert type(take(key, setting, found[key])) is type(found[key])


def test_the_top_level_config_has_exactly_its_keys() -> None:
    config = read_conf("config")
    assert config.keys() - {"defaults", "hydra"} == (TOP.keys() - {"root"}) | PLAIN_GROUPS.keys()
    assert chosen_by_default().keys() == GROUPS.keys()
    for group, keys in PLAIN_GROUPS.items():
        assert config[group].keys() == keys.keys()
    for key in TOP.keys() & config.keys():
        assert take(key, TOP[key], config[key]) == config[key]


@pytest.mark.parametrize("k", range(MOST_OPTIONS))
def test_checking_a_configuration_twice_changes_nothing(k: int) -> None:
    assert check(config_with_options(k)) == config_with_options(k)


@pytest.mark.parametrize("k", range(MOST_OPTIONS))
def test_options_are_composed_here_as_by_hydra(k: int) -> None:
    found = config_with_options(k)
    assert json.dumps(config_with(*(f"{group}={found[group]['name']}" for group in GROUPS))) == json.dumps(found)


def test_films_have_all_epoch_spacings_and_progress() -> None:
    assert set(FILM_SETTINGS["spacing"].choices) == {*EPOCH_SPACINGS, "progress"}


def test_output_and_activation_have_the_same_options() -> None:
    assert GROUPS["output"].keys() - {"auto"} == GROUPS["activation"].keys()
    for name in ACTIVATIONS:
        assert option("output", name) == option("activation", name)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_have_the_defaults_of_pytorch(name: str) -> None:
    found = composed(f"optimizer={name}")
    expected = {"lr": found["lr"]} | PYTORCH[name] | dict.fromkeys(SHAPING, 0)
    assert {"lr": found["lr"], **found["optimizer"]} == expected | {"name": name}


def test_the_launcher_knows_all_engines() -> None:
    assert set(LAUNCHER["engine"].choices) == engines.ENGINES.keys()
    assert read_conf("hydra/launcher/population").keys() - {"_target_"} == LAUNCHER.keys()


def test_every_setting_documents_its_purpose_and_its_valid_values() -> None:
    every: list[Settings] = [
        TOP,
        *PLAIN_GROUPS.values(),
        *(row.settings for table in GROUPS.values() for row in table.values()),
    ]
    for keys in every:
        for setting in keys.values():
            assert setting.doc
            assert must_be(setting)


@pytest.mark.parametrize("group", GROUPS)
def test_help_describes_every_option_and_its_keys(group: str) -> None:
    text = help_text({})
    _, _, rest = text.partition(f"\n{group}=\n")
    lines = rest.splitlines()[: len(GROUPS[group])]
    for line, (name, row) in zip(lines, GROUPS[group].items(), strict=True):
        star, word = line[1], line.split()[0].lstrip("*")
        assert word == name
        assert row.help in line
        assert (star == "*") == (chosen_by_default()[group] == name)
        assert all(f"{group}.{key}" in line for key in row.settings)
        for key, setting in row.settings.items():
            line = rf"\n +{group}\.{key} .*{re.escape(setting.doc)}: {re.escape(must_be(setting))} \(default (.*)\)\n"
            found = re.search(line, text)
            assert found
            usual, *others = found[1].split("; ")
            of = {
                option: value
                for value, _, options in (o.partition(" for ") for o in others)
                for option in options.split(", ")
            }
            assert of.get(name, usual) == short(option(group, name)[key])


def test_help_lists_every_setting_experiment_and_command() -> None:
    text = help_text({name: line for name, (_, line) in COMMANDS.items()})
    for key in [*TOP, *(f"{group}.{key}" for group, keys in PLAIN_GROUPS.items() for key in keys)]:
        assert f"\n  {key} " in text
    for key, setting in LAUNCHER.items():
        assert re.search(rf"\n  hydra\.launcher\.{key} .*{re.escape(must_be(setting))}", text)
    for name in EXPERIMENTS:
        description = next(line for line in text.splitlines() if line.split()[:1] == [name])
        assert len(description.split()) > 4
    for name, (_, line) in COMMANDS.items():
        assert any(shown.split()[:1] == [name] and line in shown for shown in text.splitlines())


def test_every_notebook_has_its_experiments() -> None:
    assert {name for name in EXPERIMENTS if name.startswith("notebook")} == {
        "notebook_000",
        "notebook_001",
        "notebook_002",
        "notebook_002_by_hand",
        "notebook_003",
        "notebook_004",
        "notebook_004_as_printed",
    }


@pytest.mark.parametrize("path", CONF, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_config_names_a_python_object(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    assert "_target_" not in text
    yaml.safe_load(text)


def test_a_setting_is_found_by_its_dotted_key() -> None:
    config = composed()
    assert find(config, "lr") is TOP["lr"]
    assert find(config, "track.losses") is PLAIN_GROUPS["track"]["losses"]
    assert find(config, "optimizer.momentum") is keys_of("optimizer", "sgd")["momentum"]
    assert find(config, "optimizer.beta1") is None
    assert find(config, "no.such") is None


def test_files_of_conf_are_read_as_a_parser_of_yaml_reads_them() -> None:
    for path in conf_folder().rglob("*.yaml"):
        name, content = path.relative_to(conf_folder()).with_suffix(""), yaml.safe_load(path.read_text("utf-8"))
        assert repr(read_conf(str(name))) == repr(content or {}), name
    assert read_plain((conf_folder() / "shared/film.yaml").read_text("utf-8")).keys() == FILM_SETTINGS.keys()


@pytest.mark.parametrize("line", [
    "a:", "a", "  a: 1", "a: 1e3", "a: 'b'", "a: 1: 2", "a: 010", "a: 1_0", "a: &b", "a: ~", "- b", "a: b c", "a: .5",
    "a b: 1", "{a: 1}", "a: 2001-01-01", "a:\t1", "a: NULL", "a: True", "  - /b",
])  # fmt: skip
def test_what_is_not_plain_is_left_to_the_parser_of_yaml(line: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        read_plain(line)
