"""The text of --help: every setting and every choice of every group, with a line each.

It is made from the table of settings and from conf/, without waiting for Hydra.
"""

from xortrain.config.defaults import chosen_by_default, conf_folder, read
from xortrain.config.settings import GROUPS, PLAIN_GROUPS, TOP, Keys

USAGE = """\
xortrain: train small networks, keep every number of their training, and watch them learn

  xortrain lr=1                                   one run: trained, kept, filmed
  xortrain -m lr=0.1,1 'seed=range(0,100)'        a sweep: every combination
  xortrain experiment=notebook_000                settings that belong together
  xortrain --cfg job lr=1                         show the settings, run nothing
  xortrain COMMAND --help                         look at what was kept, with one of:
"""
HYDRA = """\
Hydra's own flags and settings: --hydra-help.  Tab completion: eval "$(xortrain -sc install=bash)\""""


def help_text(commands: dict[str, str]) -> str:
    """Usage, commands (name to a line), settings, and groups with their choices."""
    listed = [f"    {name:<9}{line}" for name, line in commands.items()]
    return "\n".join([USAGE + "\n".join(listed), "", *_settings(), "", *_groups(), _experiments(), "", HYDRA])


def _settings() -> list[str]:
    defaults = read("config")
    lines = ["Settings (key=value)"]
    lines += [_line(key, setting.doc, setting.must_be, defaults[key]) for key, setting in TOP.items()]
    for group, keys in PLAIN_GROUPS.items():
        lines += [
            _line(f"{group}.{key}", setting.doc, setting.must_be, defaults[group][key]) for key, setting in keys.items()
        ]
    return lines


def _line(key: str, doc: str, must_be: str, default: object) -> str:
    shown = "null" if default is None else str(default).lower() if isinstance(default, bool) else default
    return f"  {key:<16}{doc}: {must_be} (now {shown})"


def _groups() -> list[str]:
    lines = ["Choices (group=option), then keys of the option (group.key=value); * is taken if you say nothing"]
    chosen = chosen_by_default()
    for group, options in GROUPS.items():
        lines.append(f"{group}=")
        for option, (says, keys) in options.items():
            star = "*" if chosen[group] == option else " "
            lines.append(f" {star}{option:<15}{says}{_keys(group, keys)}")
    return lines


def _keys(group: str, keys: Keys) -> str:
    return f"  [{', '.join(f'{group}.{key}' for key in keys)}]" if keys else ""


def _experiments() -> str:
    lines = ["experiment="]
    for path in sorted((conf_folder() / "experiment").glob("*.yaml")):
        comments = [line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
        lines.append(f"  {path.stem:<26}{comments[1] if len(comments) > 1 else ''}")
    return "\n".join(lines)
