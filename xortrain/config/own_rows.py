"""Rows of a user's own: a Python file that the user names is run, and its rows become options like all others.

Only a file that is named on the command line or in a call is ever run; a record keeps its name and hash alone.
"""

import hashlib
import importlib.util
import re
import shlex
import sys
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from xortrain.config import settings
from xortrain.config.check import check_option
from xortrain.errors import NeededFileError, UserError, cut, first_line, printable
from xortrain.nets.activations import ACTIVATIONS, Activation
from xortrain.nets.datasets import DATASETS, Dataset
from xortrain.nets.initializers import INITIALIZERS, Initializer
from xortrain.nets.losses import LOSSES, Loss
from xortrain.nets.optimizers import OPTIMIZERS, SCHEDULES, Optimizer, Schedule
from xortrain.training.success import SUCCESS_RULES, SuccessRule

KEY = "use"
HINT = "as in cube = xortrain.Activation('z³', lambda z: z**3)"
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_RESERVED = ("auto", "none", "null", "true", "false")


@dataclass(frozen=True)
class RowKind:
    """A kind of row: its group and its table."""

    group: str
    table: MutableMapping[str, Any]


KINDS: dict[type, RowKind] = {
    Activation: RowKind("activation", ACTIVATIONS),
    Loss: RowKind("loss", LOSSES),
    Initializer: RowKind("init", INITIALIZERS),
    Dataset: RowKind("data", DATASETS),
    Optimizer: RowKind("optimizer", OPTIMIZERS),
    Schedule: RowKind("schedule", SCHEDULES),
    SuccessRule: RowKind("success", SUCCESS_RULES),
}


@dataclass(frozen=True)
class OwnFile:
    """A file of rows: its name as the user gave it, where it is, its text, its package, and its options by group."""

    name: str
    path: str
    text: str
    package: str = ""
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)

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
        raise UserError(f"{KEY}={name}: is a module without a file of Python")
    return Path(spec.origin)


def _add(file: OwnFile) -> None:
    """Run a file that is new or has changed, and put its rows into the tables."""
    from xortrain.training.own_checks import completed

    known = FILES.get(file.path)
    if known and known.text == file.text:
        FILES[file.path] = replace(file, options=known.options)
        return
    where = f"{KEY}={printable(file.name)}"
    rows = _rows(where, _run(where, file))
    taken = {own: other.name for other in FILES.values() if other.path != file.path for own in _pairs(other.options)}
    complete, nodes = list[tuple[RowKind, str, Any]](), dict[str, dict[str, Any]]()
    for kind, name, row in rows:
        before = known and name in known.options.get(kind.group, ())
        other = taken.get((kind.group, name))
        if name in _RESERVED or not _NAME.fullmatch(name) or other or (name in kind.table and not before):
            reason = f"is in {other} too" if other else "exists already"
            raise UserError(f"{where}: {kind.group}={name} {reason}; rename it")
        try:
            new = completed(f"{kind.group} {name}", row)
            nodes[f"{kind.group}/{name}"] = _node(kind, name, new)
        except UserError as error:
            raise UserError(f"{where}: {error}") from None
        except Exception as error:
            reason = f"{type(error).__name__}: {printable(cut(first_line(error), 120))}"
            raise UserError(f"{where}: {kind.group} {name} cannot be used ({reason})") from None
        complete.append((kind, name, new))
    if known:
        forget(known)
    options: dict[str, list[str]] = {}
    for kind, name, row in complete:
        kind.table[name] = row
        options.setdefault(kind.group, []).append(name)
    settings.OWN.update(nodes)
    settings.forget_defaults()
    FILES[file.path] = replace(file, options=options)
    try:
        for kind, name, _ in complete:
            check_option(kind.group, {"name": name, **settings.defaults_of(kind.group, name)})
    except UserError as error:
        forget(FILES[file.path])
        if known:
            _add(replace(known, options={}))
        raise UserError(f"{where}: the default of {error}") from None


def _pairs(options: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    return [(group, name) for group, names in options.items() for name in names]


def forget(file: OwnFile) -> None:
    """Take the rows of a file out of the tables."""
    tables = {kind.group: kind.table for kind in KINDS.values()}
    for group, name in _pairs(file.options):
        del tables[group][name], settings.OWN[f"{group}/{name}"]
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
        reason = printable(cut(first_line(error), 120))
        raise UserError(f"{where}: {place}{type(error).__name__}: {reason}") from None
    finally:
        sys.path = before
        sys.modules.pop(module.__name__, None)
    return module


def _rows(where: str, module: ModuleType) -> list[tuple[RowKind, str, Any]]:
    """The rows of a module by the names of its variables; those that are options already do not count."""
    found = [
        (KINDS[type(value)], name, value)
        for name, value in vars(module).items()
        if type(value) in KINDS and not name.startswith("_")
    ]
    new = [(kind, name, row) for kind, name, row in found if not any(row is one for one in kind.table.values())]
    if not new:
        raise UserError(f"{where}: has no rows, {HINT}")
    return new


def _node(kind: RowKind, name: str, row: Any) -> dict[str, Any]:
    """The option as a file of conf/ would have it: its name, and the default of each setting."""
    keys = {key: _default(kind, key, setting) for key, setting in row.settings.items()}
    if isinstance(row, Optimizer) and row.lr is not None:
        return {"lr": row.lr, "optimizer": {"name": name, **keys}}
    lists: list[Any] = []
    if isinstance(row, Dataset) and (row.is_regression or row.can_hold_out):
        lists = ["/shared/mean@_global_.loss"]
        lists += [{"override /loss@_global_.loss": "mse"}] if row.is_regression else []
    return {**({"defaults": lists} if lists else {}), "name": name, **keys}


def _default(kind: RowKind, key: str, setting: Any) -> Any:
    """The default that a setting states; one that options share has the default that conf/ gives it."""
    if setting.default is not None or setting.nullable:
        return setting.default
    for name, row in kind.table.items():
        if row.settings.get(key) is setting and f"{kind.group}/{name}" not in settings.OWN:
            return settings.defaults_of(kind.group, name)[key]
    raise UserError(f"setting {key} has no default; add default=…")


def with_files(command: str) -> str:
    """A command with the files in use, without which it would lack options."""
    return " ".join([command, *(f"--use {shlex.quote(printable(file.name))}" for file in FILES.values())])


def files_of(configs: Iterable[Mapping[str, Any]]) -> list[OwnFile]:
    """The files that have options which configurations choose: that of a training, and those of its earlier stages."""
    chosen = {option for config in configs for option in _chosen(config)}
    return [file for file in FILES.values() if chosen & set(_pairs(file.options))]


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
    earlier = (
        [stage.get("config") for stage in stages if isinstance(stage, Mapping)] if isinstance(stages, list) else []
    )
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
        raise UserError(f"{KEY}={name}: has changed since this was trained; use the file as it was, or train anew")
