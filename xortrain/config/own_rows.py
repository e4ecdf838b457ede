"""Users' own rows: runs a Python file that the user names, and makes its rows options like all others.

Only a file that is named on the command line or in a call is ever run; a record keeps its name and hash alone.
"""

import hashlib
import importlib.util
import re
import shlex
import sys
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any, cast

from xortrain.config import settings
from xortrain.config.check import check_option
from xortrain.errors import LONGEST_REASON, NeededFileError, UserError, cut, error_words, printable
from xortrain.nets.activations import Activation
from xortrain.nets.datasets import Dataset
from xortrain.nets.initializers import Initializer
from xortrain.nets.losses import Loss
from xortrain.nets.optimizers import Optimizer, Schedule
from xortrain.training.success import SuccessRule

KEY = "use"
HINT = "as in cube = xortrain.Activation('z³', lambda z: z**3)"
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_RESERVED = ("auto", "none", "null", "true", "false")


KINDS: dict[type, str] = {
    Activation: "activation", Loss: "loss", Initializer: "init", Dataset: "data", Optimizer: "optimizer",
    Schedule: "schedule", SuccessRule: "success",
}  # fmt: skip
"""Type of a row to its group."""


def _table(group: str) -> MutableMapping[str, Any]:
    """The table of a group."""
    return cast("MutableMapping[str, Any]", settings.GROUPS[group])


@dataclass(frozen=True)
class OwnFile:
    """A file of rows: its name as the user gave it, where it is, its text, its package, and its options, group and
    name."""

    name: str
    path: str
    text: str
    package: str = ""
    options: tuple[tuple[str, str], ...] = ()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


FILES: dict[str, OwnFile] = {}
"""The files whose rows are options now, by their paths."""


def use(names: Iterable[str]) -> None:
    """Run files or modules that the user names, and make their rows options; raises UserError for what is wrong."""
    for name in names:
        _add(_found(name))


def use_again(files: Iterable[OwnFile]) -> None:
    """Make the rows of files options in another process of the same user."""
    for one in files:
        _add(one)


def named_in(overrides: Sequence[str]) -> list[str]:
    """The files that overrides name, as in use=a.py and use=[a.py,b.py]."""
    found = list[str]()
    for override in overrides:
        key, equals, value = override.partition("=")
        if key.lstrip("+") == KEY and equals:
            is_list = value.startswith("[") and value.endswith("]")
            if "," in value and not is_list:
                raise UserError(f"{override}: several files are a list, as in use=[{value}]")
            parts = (value[1:-1] if is_list else value).split(",")
            found += [part.strip().strip("'\"") for part in parts if part.strip() not in ("", "null")]
    return found


def _found(name: str) -> OwnFile:
    """A file by its path, or a module by its name, with its text."""
    is_file = name.endswith(".py") or "/" in name
    path = Path(name).expanduser() if is_file else _of_module(name)
    try:
        package = "" if is_file else name.rpartition(".")[0]
        return OwnFile(name, str(path.absolute()), path.read_text(encoding="utf-8"), package)
    except UnicodeDecodeError:
        raise UserError(f"{KEY}={printable(cut(name))}: is not a text") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{KEY}={printable(cut(name))}: {getattr(error, 'strerror', None) or error}") from None


def _of_module(name: str) -> Path:
    """The file of an importable module; those of the working folder count."""
    before, sys.path = sys.path, [*sys.path, "."]
    try:
        spec = importlib.util.find_spec(name)
    except Exception:  # of a package that is run to find what is in it
        spec = None
    finally:
        sys.path = before
    if spec is None:
        hint = f"; write {KEY}={name}.py for the file" if Path(f"{name}.py").is_file() else ""
        raise UserError(f"{KEY}={printable(cut(name))}: no such file and no such module{hint}")
    if not (spec.has_location and spec.origin and spec.origin.endswith(".py")):
        raise UserError(f"{KEY}={name}: is a module without a Python file")
    return Path(spec.origin)


def _add(file: OwnFile) -> None:
    """Run a file that is new or has changed, and put its rows into the tables."""
    from xortrain.training.own_checks import completed

    known = FILES.get(file.path)
    if known and known.text == file.text:
        FILES[file.path] = replace(file, options=known.options)
        return
    where = f"{KEY}={printable(file.name)}"
    rows, nodes = dict[tuple[str, str], Any](), dict[str, dict[str, Any]]()
    for (group, name), row in _rows(where, _run(where, file)).items():
        _refuse_name(where, file, group, name)
        try:
            rows[group, name] = new = completed(f"{group} {name}", row)
            nodes[f"{group}/{name}"] = _node(group, name, new)
        except UserError as error:
            raise UserError(f"{where}: {error}") from None
        except Exception as error:
            reason = printable(cut(error_words(error), LONGEST_REASON))
            raise UserError(f"{where}: {group} {name} cannot be used ({reason})") from None
    if known:
        forget(known)
    for (group, name), row in rows.items():
        _table(group)[name] = row
    settings.OWN.update(nodes)
    settings.forget_defaults()
    FILES[file.path] = replace(file, options=tuple(rows))
    try:
        for group, name in rows:
            check_option(group, {"name": name, **settings.defaults_of(group, name)})
    except UserError as error:
        forget(FILES[file.path])
        if known:
            _add(replace(known, options=()))
        raise UserError(f"{where}: the default of {error}") from None


def _refuse_name(where: str, file: OwnFile, group: str, name: str) -> None:
    """Raise UserError for the name of an option that there is already, unless it is of the same file."""
    holders = [one for one in FILES.values() if (group, name) in one.options]
    is_own = any(one.path == file.path for one in holders)
    if name in _RESERVED or not _NAME.fullmatch(name) or (name in _table(group) and not is_own):
        reason = f"is in {holders[0].name} too" if holders else "exists already"
        raise UserError(f"{where}: {group}={name} {reason}; rename it")


def forget(file: OwnFile) -> None:
    """Take the rows of a file out of the tables."""
    for group, name in file.options:
        del _table(group)[name], settings.OWN[f"{group}/{name}"]
    settings.forget_defaults()
    del FILES[file.path]


def _run(where: str, file: OwnFile) -> ModuleType:
    """The file as a module, run; an error in it is one line with its number."""
    module = ModuleType(f"_of_{Path(file.path).stem}")
    module.__file__, module.__package__ = file.path, file.package
    before, sys.path = sys.path, [*sys.path, str(Path(file.path).parent)]
    sys.modules[module.__name__] = module  # where dataclasses look for the names in their annotations
    try:
        exec(compile(file.text, file.path, "exec"), module.__dict__)
    except SyntaxError as error:
        raise UserError(f"{where}: line {error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        lines = [one.lineno for one in extract_tb(error.__traceback__) if one.filename == file.path]
        place = f"line {lines[-1]}: " if lines else ""
        raise UserError(f"{where}: {place}{printable(cut(error_words(error), LONGEST_REASON))}") from None
    finally:
        sys.path = before
        sys.modules.pop(module.__name__, None)
    return module


def _rows(where: str, module: ModuleType) -> dict[tuple[str, str], Any]:
    """The rows of a module by their groups and variables; those that are options already do not count."""
    found = {
        (KINDS[type(value)], name): value
        for name, value in vars(module).items()
        if type(value) in KINDS and not name.startswith("_")
    }
    new = {key: row for key, row in found.items() if not any(row is one for one in _table(key[0]).values())}
    if not new:
        raise UserError(f"{where}: has no rows, {HINT}")
    return new


def _node(group: str, name: str, row: Any) -> dict[str, Any]:
    """The option as a file of conf/ would have it: its name, and the default of each setting."""
    keys = {key: _default(group, key, setting) for key, setting in row.settings.items()}
    if isinstance(row, Optimizer) and row.lr is not None:
        return {"lr": row.lr, "optimizer": {"name": name, **keys}}
    lists: list[Any] = []
    if isinstance(row, Dataset) and (row.is_regression or row.can_hold_out):
        lists = ["/shared/mean@_global_.loss"]
        lists += [{"override /loss@_global_.loss": "mse"}] if row.is_regression else []
    return {**({"defaults": lists} if lists else {}), "name": name, **keys}


def _default(group: str, key: str, setting: Any) -> Any:
    """The default that a setting states; one that options share has the default that conf/ gives it."""
    if setting.default is not None or setting.nullable:
        return setting.default
    for name, row in _table(group).items():
        if row.settings.get(key) is setting and f"{group}/{name}" not in settings.OWN:
            return settings.defaults_of(group, name)[key]
    raise UserError(f"setting {key} has no default; add default=…")


def with_files(command: str, place: str) -> str:
    """A command for a record, to be pasted into a shell, with the files in use, without which it would lack options."""
    words = [word for file in FILES.values() for word in ("--use", printable(file.name))]
    return f"{command} {shlex.join([*words, './' * (place[0] in '-~') + place])}"  # no option, and not at home


def files_of(configs: Iterable[Mapping[str, Any]]) -> list[OwnFile]:
    """The files that have options which configurations choose: that of a training, and those of its earlier stages."""
    chosen = {option for config in configs for option in _chosen(config)}
    return [file for file in FILES.values() if chosen & set(file.options)]


def hashes_of(configs: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The names and hashes of these files, for a record."""
    return {file.name: file.sha256 for file in files_of(configs)}


def _chosen(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The options that a configuration chooses, as group and name; it may be anybody's."""
    found = list[tuple[str, str]]()
    for group in settings.GROUPS:
        own = config.get(group)
        if isinstance(own, Mapping):
            found.append(("activation" if group == "output" else group, str(own.get("name"))))
    architecture = config.get("architecture")
    layers = architecture.get("activations") if isinstance(architecture, Mapping) else None
    for one in layers if isinstance(layers, list) else ():
        found.append(("activation", str(one.get("name") if isinstance(one, Mapping) else one)))
    return found


def refuse_missing(config: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Raise UserError if a record, which may be anybody's, has options of files that are not in use."""
    given, hashes, stages = config.get(KEY), metadata.get("use"), metadata.get("stages")
    known = [*(given if isinstance(given, list) else []), *(hashes if isinstance(hashes, Mapping) else [])]
    names = list(dict.fromkeys(printable(cut(name)) for name in known if isinstance(name, str)))
    earlier = [one.get("config") for one in (stages if isinstance(stages, list) else []) if isinstance(one, Mapping)]
    chosen = [option for one in (config, *earlier) if isinstance(one, Mapping) for option in _chosen(one)]
    lacking = [name for group, name in chosen if name not in settings.GROUPS[group] and name != "auto"]
    if names and lacking:
        what = f"{printable(cut(lacking[0]))} is an option of {', '.join(names)}, a user's own file"
        raise NeededFileError(f"{what}; add --use {names[0]}, in Python use={names[0]!r}, to read this record")


def changed_files(configs: Iterable[Mapping[str, Any]], metadata: Mapping[str, Any]) -> list[str]:
    """The files in use for a record whose text is not the one that it was trained with."""
    hashes = metadata.get("use")
    known = set(map(str, hashes.values())) if isinstance(hashes, Mapping) else set()
    return [printable(file.name) for file in files_of(configs) if file.sha256 not in known]


def refuse_changed(configs: Iterable[Mapping[str, Any]], metadata: Mapping[str, Any]) -> None:
    """Raise UserError if a file has changed since a record was made that is to be trained further or compared."""
    for name in changed_files(configs, metadata):
        raise UserError(f"{KEY}={name}: has changed since this was trained; use the file as it was, or train again")
