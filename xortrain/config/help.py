"""The text of --help: a line for every setting and for every option of every group.

It is made from the tables of rows and from conf/; Hydra is not imported.
"""

from xortrain.config.check import must_be, short
from xortrain.config.settings import (
    GROUPS,
    LAUNCHER,
    PLAIN_GROUPS,
    TOP,
    chosen_by_data,
    chosen_by_default,
    defaults_of,
    experiments,
    read_conf,
    set_by_data,
)  # fmt: skip
from xortrain.nets.setting import Setting
from xortrain.records.naming import ROOT, VARIABLE

USAGE = """\
xortrain: train small neural networks, record every number of their training, and watch them learn

  xortrain lr=1                                   one run: trained, recorded, filmed
  xortrain -m lr=0.1,1 'seed=range(0,100)'        a sweep: every combination
  xortrain experiment=notebook_000                a prepared set of settings
  xortrain --cfg job lr=1                         show the settings, run nothing
  xortrain COMMAND --help                         work with records, where COMMAND is one of:
"""
HYDRA = """\
Hydra's own flags and settings: --hydra-help.  Tab completion: eval "$(xortrain -sc install=bash)\""""


def help_text(commands: dict[str, str]) -> str:
    """Usage, commands (name to a line), settings, and groups with their choices."""
    listed = [f"    {name:<9}{line}" for name, line in commands.items()]
    return "\n".join([USAGE + "\n".join(listed), "", *_settings(), "", *_groups(), _experiments(), "", HYDRA])


def _settings() -> list[str]:
    defaults = read_conf("config")
    tracked = {f"{group}.{key}": setting for group, keys in PLAIN_GROUPS.items() for key, setting in keys.items()}
    given = {"root": f"{VARIABLE}, or {ROOT}"} | defaults
    given |= {f"{group}.{key}": value for group in PLAIN_GROUPS for key, value in defaults[group].items()}
    launcher = read_conf("hydra/launcher/population")
    return [
        "Settings (key=value)",
        *_table("  ", [(key, _line(setting, given[key])) for key, setting in {**TOP, **tracked}.items()]),
        "Where a sweep (-m) is trained",
        *_table("  ", [(f"hydra.launcher.{key}", _line(s, launcher[key])) for key, s in LAUNCHER.items()]),
    ]


def _line(setting: Setting, default: object) -> str:
    return f"{setting.doc}: {must_be(setting)} (default {short(default)})"


def _table(indent: str, rows: list[tuple[str, str]]) -> list[str]:
    width = max((len(key) for key, _ in rows), default=0)
    return [f"{indent}{key:<{width}}  {line}" for key, line in rows]


def _groups() -> list[str]:
    lines = ["Choices (group=option), * is the default; settings of an option (group.key=value) in brackets"]
    chosen, by_data = chosen_by_default(), {data: chosen_by_data(data) for data in GROUPS["data"]}
    for group, options in GROUPS.items():
        lines.append(f"{group}=")
        for option, row in options.items():
            star = "*" if chosen[group] == option else " "
            keys = ", ".join(f"{group}.{key}" for key in row.settings)
            over = ", ".join(data for data, choices in by_data.items() if choices.get(group) == option)
            usual = f" (default for data={over})" if over else ""
            lines.append(f" {star}{option:<15}{row.help}{usual}{f'  [{keys}]' if keys else ''}")
        lines += _table("    ", _keys(group))
    return lines


def _keys(group: str) -> list[tuple[str, str]]:
    """Each key of a group's options, with its description and its default."""
    known: dict[tuple[str, str], dict[str, list[str]]] = {}
    for option, row in GROUPS[group].items():
        given = defaults_of(group, option)
        for key, s in row.settings.items():
            defaults = known.setdefault((f"{group}.{key}", f"{s.doc}: {must_be(s)}"), {})
            defaults.setdefault(short(given[key]), []).append(option)
    over = _over_data(group)
    return [(key, f"{line} (default {_usual(known[key, line])}{over.get(key, '')})") for key, line in sorted(known)]


def _over_data(group: str) -> dict[str, str]:
    """For keys of a group that data sets set, the values and the data, as in "; mean for data=circle, csv"."""
    found: dict[str, dict[str, list[str]]] = {}
    for data in GROUPS["data"]:
        for key, value in set_by_data(data).get(group, {}).items():
            found.setdefault(f"{group}.{key}", {}).setdefault(short(value), []).append(data)
    return {
        key: "".join(f"; {value} for data={', '.join(names)}" for value, names in values.items())
        for key, values in found.items()
    }


def _usual(defaults: dict[str, list[str]]) -> str:
    """Defaults with the options that have them, as in "mean; sum for bce": the most common one first."""
    first, *others = sorted(defaults, key=lambda value: -len(defaults[value]))
    return "; ".join([first, *(f"{value} for {', '.join(defaults[value])}" for value in others)])


def _experiments() -> str:
    lines = ["experiment="]
    for path in experiments():
        comments = [line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
        lines.append(f"  {path.stem:<26}{comments[1] if len(comments) > 1 else ''}")
    return "\n".join(lines)
