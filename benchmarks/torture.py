"""Tries to break the promises of the record: random command lines, hostile records, failing disks, signals.

python benchmarks/torture.py --seed 1 --minutes 10        # --only records:123 repeats one case; --kinds disk,signals

Kinds: random command lines; hostile records; a system call that fails, or files that may not grow; a full disk, where
this machine lets its users mount one; signals.

Each case works on a copy of the same few records.  The laws, of which one that is broken is printed with its case:
no traceback; a known exit code; for a mistake one line, and nothing is left or changed; nothing of a record is executed
(a canary tells); nothing outside the working folder is touched; every other record is still listed; what was
acknowledged reads back the same; and a resumed training has the bits of an undisturbed one.
"""

import argparse
import json
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from children import ERRORS, TIMED_OUT, Done, Fault, load, run
from results import keep

from xortrain.commands import COMMANDS
from xortrain.config.settings import GROUPS, PLAIN_GROUPS, TOP
from xortrain.nets.setting import Setting

CODES = {0, 1, 2, 130, 143}
LONGEST = 300  # characters of an error line
TREE = dict[str, tuple[int, int]]

SWEEP = ("-m", "lr=0.5,2", "seed=range(0,6)", "epochs=6", "film=none")
RUN = ("lr=1", "epochs=8", "film=field", "film.frames=4", "film.size=[320,200]", "advice=none")
RECORDS: dict[str, tuple[str, ...]] = {
    "run": RUN,
    "advised": ("lr=0.3", "epochs=30", "film=none"),
    "sweep": SWEEP,
    "populations": ("-m", "activation=tanh,sigmoid", "seed=0,1", "epochs=5", "film=none"),
    "table": ("data=csv", "data.path=table.csv", "epochs=4", "film=none", "advice=none"),
}
"""The records that every case begins with, and the overrides that make them."""


@dataclass
class World:
    """A folder with records to copy, the ids of these, and the arrays of undisturbed trainings."""

    base: Path
    ids: dict[str, str] = field(default_factory=dict)
    stopped: str = ""
    options: dict[str, list[str]] = field(default_factory=dict)
    undisturbed: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    calls: dict[str, dict[str, int]] = field(default_factory=dict)

    def copy(self, into: Path) -> None:
        """A fresh working folder, with a folder beside it that must stay as it is."""
        shutil.copytree(self.base, into / "work", symlinks=True)
        (into / "outside").mkdir()
        (into / "outside" / "precious.txt").write_text("keep me")


def tree(folder: Path) -> TREE:
    """Every file below a folder: its size and a checksum; folders and links by their kind."""
    found: TREE = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink() or not path.is_file():
            found[name] = (-1, 0)
        elif path.stat().st_size < 1 << 24:
            with suppress(OSError):
                content = path.read_bytes()
                found[name] = (len(content), zlib.crc32(content))
    return found


def prepared(folder: Path) -> World:
    """Make the records with which every case begins."""
    world = World(folder)
    folder.mkdir()
    (folder / "table.csv").write_text("a,b,kind\n" + "".join(f"{k % 5},{k % 3},{k % 2}\n" for k in range(20)))
    for name, words in RECORDS.items():
        before = set(entries(folder))
        done = run(words, folder, seconds=60)
        assert done.code == 0, done
        world.ids[name] = (set(entries(folder)) - before).pop()
    stopped = folder_of(folder, world.ids["sweep"])
    copied = stopped.with_name("10-00-00-000000")
    shutil.copytree(stopped, copied)
    rows = np.load(copied / "runs.npy", mmap_mode="r+")
    rows["outcome"][3:] = 0
    rows.flush()
    metadata = json.loads((copied / "record.json").read_text())
    (copied / "record.json").write_text(json.dumps({**metadata, "status": "failed"}))
    world.stopped = str(copied.relative_to(folder / "outputs")).removeprefix("sweeps/")
    for name in COMMANDS:
        text = run([name, "--help"], folder).out
        world.options[name] = re.findall(r"^  (--[a-z-]+)(?:[ ,]|$)", text, re.MULTILINE)
    return world


def entries(folder: Path) -> list[str]:
    """The ids of all records below a working folder, read from its folders alone."""
    root = folder / "outputs"
    paths = {path.parent for name in ("record.json", "sweep.json") for path in root.rglob(name)}
    names = [path.relative_to(root) for path in paths if not path.name.startswith("population-")]
    return [str(name).removeprefix("sweeps/") for name in names if not any(part[0] == "." for part in name.parts)]


def folder_of(folder: Path, name: str) -> Path:
    """The folder of a record by its id."""
    path = folder / "outputs" / name
    return path if path.exists() else folder / "outputs" / "sweeps" / name


def arrays(record: Path) -> dict[str, Any]:
    """What training wrote into a record and its populations: losses, parameters, and rows by run number."""
    found: dict[str, Any] = {}
    for path in sorted(record.rglob("*.npy")):
        name = str(path.relative_to(record))
        if path.name == "runs.npy":
            rows = np.load(path)
            columns = [column for column in rows.dtype.names if column != "reasons"]
            found[name] = {int(row["number"]): tuple(row[columns].tolist()) for row in rows}
        elif path.name.startswith(("losses-", "parameters-", "test-losses-")):
            found[name] = np.load(path)
    return found


def differing(record: Path, undisturbed: Mapping[str, Any], only_done: bool = False) -> Iterator[str]:
    """What differs from an undisturbed training; ``only_done`` compares only runs that have an outcome."""
    found = arrays(record)
    for name, expected in undisturbed.items():
        if name not in found:
            if not only_done:
                yield f"{name} is missing"
            continue
        if isinstance(expected, dict):
            rows = found[name]
            done = [number for number, row in rows.items() if row[2] or not only_done]
            bad = [number for number in done if repr(rows[number]) != repr(expected[number])]
            if bad:
                yield f"rows {bad} of {name} differ"
        elif not only_done and not np.array_equal(found[name], expected, equal_nan=True):
            yield f"{name} differs"


def broken(done: Done, expected: Sequence[int] = ()) -> Iterator[str]:
    """The laws of one command that are broken, whatever it was asked."""
    shown = done.out + done.err
    if "Traceback (most recent call last)" in shown:
        yield f"traceback: {shown.strip().splitlines()[-1][:200]}"
    elif done.code == TIMED_OUT:
        yield f"no end after {done.seconds:.0f} s"
    elif done.code not in {*CODES, *expected}:
        yield f"exit code {done.code}"
    lines = [line for line in done.err.splitlines() if line.strip()]
    if done.code == 2:
        if len(lines) != 1 or not lines[0].startswith("xortrain: error: "):
            yield f"exit code 2 with {len(lines)} lines: {' / '.join(lines)[:300]}"
        elif len(lines[0]) > LONGEST:
            yield f"a line of {len(lines[0])} characters"
        if done.out.strip():
            yield "exit code 2 after printing a result"
    if re.search(r"\bWarning\b", done.err):
        yield f"a warning: {done.err.strip()[:200]}"


@dataclass
class Case:
    """One case in its folder; ``problems`` are the laws that it broke."""

    world: World
    place: Path
    rng: random.Random
    said: str = ""
    problems: list[str] = field(default_factory=list)
    commands: int = 0

    @property
    def folder(self) -> Path:
        return self.place / "work"

    def run(self, *words: str, expected: Sequence[int] = (), may_last: bool = False, **limits: Any) -> Done:
        """Run a command and check the laws that hold for all."""
        before = tree(self.folder)
        done = run(words, self.folder, **limits)
        self.commands += 1
        for problem in broken(done, expected):
            if not (may_last and done.code == TIMED_OUT):
                self.blame(done, problem)
        is_half_removed = words[0] == "rm" and "fault" in limits  # said, and what is left is never listed
        if done.code == 2 and not is_half_removed and (changed := changes(before, tree(self.folder))):
            self.blame(done, f"exit code 2, but changed {', '.join(changed[:4])}")
        if (self.folder / "canary").exists():
            self.blame(done, "something was executed")
        if sorted(path.name for path in self.place.iterdir()) != ["outside", "work"] or tree(
            self.place / "outside"
        ) != {"precious.txt": (7, zlib.crc32(b"keep me"))}:
            self.blame(done, "something outside was touched")
        return done

    def blame(self, done: Done, problem: str) -> None:
        words = " ".join(word if len(word) < 80 else f"{word[:40]}…" for word in map(repr, done.words))
        self.problems.append(f"{words}: {problem}  [{self.said}]")


def changes(before: TREE, after: TREE) -> list[str]:
    """The paths that differ; an empty list of events is none."""
    empty = {name for name in after if name.endswith("events.jsonl") and after[name][0] == 0}
    return [name for name in sorted({*before, *after} - empty) if before.get(name) != after.get(name)]


# Random command lines

ODD = (
    "", "null", "nan", "inf", "-1", "0", "1e400", "9" * 400, "x" * 5000, "{", "[", "[1,2", "{a:1}", "${lr}", "${nope}",
    "${oc.env:HOME}", "${oc.decode:'1'}", "'", '"', "é", "\N{DUCK}", "../..", "/dev/null", "/proc/self/mem", "~",
    "range(0,3)", "1,2", "true", "0x10", "1_000", "*", "%s", "$(touch canary)", "`touch canary`", "--help", "a b", "\t",
    "\x1b[31m", "glob(*)", "choice(1,2)", "interval(0,1)", "${xortrain:1}", "!!python/object:os.system", "=", "a=b",
)  # fmt: skip
FLAGS = (
    ("-m",), ("--multirun",), ("--cfg", "job"), ("--cfg", "hydra"), ("--cfg", "all"), ("-c", "job", "--resolve"),
    ("--info",), ("--info", "plugins"), ("--info", "defaults"), ("--info", "nope"), ("--help",), ("-h",),
    ("--hydra-help",),
    ("--version",), ("--package", "x"), ("-p", "x"), ("--experimental-rerun", "evil.pickle"), ("--config-dir", "."),
    ("--config-path", "."), ("--config-name", "nope"), ("-cd", "outputs"), ("-cn", "nope"), ("-sc", "install=bash"),
    ("--shell-completion", "query=bash"), ("--run",), ("--nope",), ("hydra.verbose=true",), ("hydra.verbose=1",),
    ("hydra.run.dir=x",), ("hydra.sweep.dir=x",), ("hydra.output_subdir=x",), ("hydra.job.chdir=true",),
    ("hydra.searchpath=[pkg://os]",), ("hydra.searchpath=[file://.]",), ("hydra/launcher=basic",),
    ("hydra/sweeper=basic",), ("hydra/launcher=[null]",), ("hydra/job_logging=stdout",), ("hydra.job.env_copy=[NOPE]",),
    ("hydra.job.env_set.X=1",), ("hydra.callbacks.x._target_=os.system",), ("+hydra.callbacks.x._target_=os.system",),
    ("hydra.launcher._target_=os.system",), ("hydra.sweeper._target_=os.system",), ("hydra.launcher.engine=loky",),
    ("hydra.mode=MULTIRUN",), ("+_target_=os.system",), ("+shared=x",), ("~lr",), ("~success",), ("~success=[]",),
    ("++lr=2",), ("+lr=2",), ("+nope=2",), ("lr@x=2",), ("data@loss=xor",), ("hydra=x",), ("hydra.nope=1",),
)  # fmt: skip
HEAVY = {"epochs", "architecture.hidden", "batch_size", "data.examples", "data.bits", "data.size", "seed"}
NAMES = (
    "latest",
    "nope",
    "",
    ".",
    "..",
    "/",
    "outputs",
    "2026",
    "latest#0",
    "latest#99",
    "latest#x",
    "#",
    "x" * 300,
    "é",
)


def settings() -> dict[str, list[Setting]]:
    """Every setting by its dotted key, of every option that has it."""
    found: dict[str, list[Setting]] = {key: [setting] for key, setting in TOP.items()}
    for group, keys in PLAIN_GROUPS.items():
        found |= {f"{group}.{key}": [setting] for key, setting in keys.items()}
    for group, table in GROUPS.items():
        for row in table.values():
            for key, setting in row.settings.items():
                found.setdefault(f"{group}.{key}", []).append(setting)
    return found


SETTINGS = settings()


def value(rng: random.Random, key: str) -> str:
    """A value for a setting: one that fits it, one at its border, or an odd one."""
    if rng.random() < 0.3:
        return rng.choice([text for text in ODD if key not in HEAVY or not text.startswith(("9", "1e"))])
    if key in GROUPS:
        return rng.choice(list(GROUPS[key]))
    setting = rng.choice(SETTINGS[key])
    match setting.kind:
        case "number":
            border = [n for n in (setting.low, setting.high, setting.above, setting.below) if n is not None]
            choices = [0.01, 0.5, 1, 3.5, -1, 1e300, 1e-300, *(n for n in border if abs(n) < 1e308)]
            return f"{rng.choice(choices):g}"
        case "whole":
            low, high = int(max(setting.low, -9)), int(min(setting.high, 1 << 60))
            return str(rng.choice([low, low + 1, low + 2, low - 1, 3, 7, *([] if key in HEAVY else [high, high + 1])]))
        case "flag":
            return rng.choice(["true", "false", "1", "yes"])
        case "choice":
            return rng.choice(list(setting.choices))
        case "wholes":
            return rng.choice(["[2]", "[3,2]", "[]", "[0]", "[-1]", "2", "[1.5]", "[320,200]", "[64,64]"])
        case _:
            return rng.choice(["x", "[a,b]", "null", "3", "table.csv", "outputs", "{W1: [[1]]}"])


def overrides(rng: random.Random) -> list[str]:
    """Some overrides; most lines are short, so that they may train."""
    keys = [*SETTINGS, *GROUPS, *GROUPS]
    chosen = [rng.choice(keys) for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 5]))]
    return [f"{key}={value(rng, key)}" for key in chosen]


def command_lines(case: Case) -> None:
    """A random command line of a command, or of a training with flags of Hydra."""
    rng, world = case.rng, case.world
    (case.folder / "evil.pickle").write_bytes(pickle.dumps(_Evil()))
    if rng.random() < 0.5:
        words = ["epochs=3", "film=none", "advice=none", *overrides(rng)]
        flags = [word for _ in range(rng.choice([0, 0, 1, 1, 2])) for word in rng.choice(FLAGS)]
        for flag in flags:
            words.insert(rng.randrange(len(words) + 1), flag)
        case.run(*words, may_last=True)
    else:
        name = rng.choice(list(COMMANDS))
        names = [*NAMES, *world.ids.values(), world.stopped, *(f"{own}#0" for own in world.ids.values())]
        words = [name, *(rng.choice(names) for _ in range(rng.choice([0, 1, 1, 1, 2])))]
        for option in rng.sample(world.options[name], min(len(world.options[name]), rng.choice([0, 0, 1, 1, 2]))):
            words += [option] if rng.random() < 0.5 else [option, rng.choice([*ODD[:12], "3", "lr", "o.csv", "o.png"])]
        words += overrides(rng) if name in ("render", "continue") else []
        words += [rng.choice(ODD)] if rng.random() < 0.3 else []
        case.run(*words, may_last=name in ("rerun", "resume", "continue"))
    listed(case, set())


class _Evil:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, ("canary",)


def listed(case: Case, disturbed: set[str]) -> None:
    """Every record but those disturbed on purpose, or removed, must be listed and readable."""
    done = case.run("ls", "--json", "--root", "outputs")
    if not (case.folder / "outputs").is_dir():
        return
    try:
        found = {item["id"] for item in json.loads(done.out)}
    except (ValueError, TypeError, KeyError):
        found = set()
    lost = {name for name in entries(case.folder) if (case.folder / "outputs") and name in known(case)} - found
    if lost - disturbed:
        case.blame(done, f"not listed: {', '.join(sorted(lost - disturbed))}")


def known(case: Case) -> set[str]:
    return {*case.world.ids.values(), case.world.stopped}


# Hostile records

VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 255, 1 << 31, 1 << 63, 10**30, -0.5, 1e308, float("nan"), float("inf"), "", "x", "x" * 100_000,
    "\x1b[31m\x07", "\ud800", "../../outside", "/etc/passwd", "a\nb", [], {}, [[]], [None] * 50, {"": 1},
    {"a": {"b": 1}}, ["x"] * 300, [1 << 40, 1 << 40], "2026-13-45", "NaN", "' or 1=1; --", "__class__", "constructor",
)  # fmt: skip
NUMBERS = ("9" * 9000, "0x" + "f" * 9000, "-1", "1e400", "1_000", "٣", "True", "10**9", "(1,)", "1 << 60")
READING: tuple[tuple[str, ...], ...] = (
    ("ls",), ("ls", "--runs"), ("ls", "--where", "lr > 0.1"), ("show", "ID"), ("show", "ID", "--json"),
    ("sql", "select * from runs"), ("group",), ("compare", "ID", "GOOD"), ("export",),
    ("export", "ID", "--what", "losses"),
    ("export", "ID", "--what", "parameters"), ("export", "ID", "--format", "npz", "--output", "o.npz"),
    ("render", "ID", "film=losses", "--still", "--output", "o.png"), ("render", "ID", "--still", "--output", "o.png"),
    ("explain", "ID"), ("check", "ID"), ("tag", "ID", "x"), ("note", "ID", "x"), ("rename", "ID", "x"),
    ("rerun", "ID", "--check"), ("resume", "ID"), ("continue", "ID", "epochs=+1"), ("predict", "ID", "1,0"),
)  # fmt: skip
TRAINING = ("rerun", "resume", "continue", "render", "explain")


def records(case: Case) -> None:
    """One record with something wrong in it, under some of the reading commands; then it is removed."""
    rng = case.rng
    name, own = rng.choice(sorted(case.world.ids.items()))
    record = folder_of(case.folder, own)
    change = rng.choice(
        [changed_json, changed_json, changed_json, changed_bytes, changed_header, changed_kind, changed_place]
    )
    case.said = f"{name}: {change(rng, record, case)}"
    good = next(other for other in case.world.ids.values() if other != own)
    for words in [("ls",), *rng.sample(READING, 4)]:
        filled = [{"ID": own, "GOOD": good}.get(word, word) for word in words]
        case.run(*filled, may_last=words[0] in TRAINING)
    listed(case, {own})
    case.run("rm", own, "--yes")
    listed(case, {own})


def json_files(record: Path) -> list[Path]:
    return [path for path in sorted(record.rglob("*.json")) if path.is_file()] + list(record.rglob("events.jsonl"))


def changed_json(rng: random.Random, record: Path, case: Case) -> str:
    """One value of a JSON file replaced, removed, added or nested."""
    path = rng.choice(json_files(record))
    content = json.loads(path.read_text().splitlines()[0] if path.suffix == ".jsonl" else path.read_text())
    place, trail = content, [path.name]
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = rng.choice(keys)
        trail.append(str(key))
        if isinstance(place[key], dict | list) and place[key] and rng.random() < 0.7:
            place = place[key]
            continue
        how = rng.random()
        if how < 0.75:
            place[key] = rng.choice(VALUES)
            trail.append(repr(place[key])[:40])
        elif how < 0.85:
            del place[key]
            trail.append("removed")
        elif how < 0.92:
            deep: Any = place[key]
            for _ in range(rng.choice([50, 400, 5000])):
                deep = [deep] if rng.random() < 0.5 else {"a": deep}
            text = json.dumps(0)
            place[key] = "NESTED"
            depth = rng.choice([400, 100_000])
            text = json.dumps(content).replace('"NESTED"', "[" * depth + "]" * depth)
            path.write_text(text)
            return f"{'.'.join(trail)} nested {depth}"
        else:
            place[key] = "NUMBER"
            path.write_text(json.dumps(content).replace('"NUMBER"', number := rng.choice(NUMBERS)))
            return f"{'.'.join(trail)} = {number[:20]}"
        break
    path.write_text(json.dumps(content) + "\n")
    return ".".join(trail)


def changed_bytes(rng: random.Random, record: Path, case: Case) -> str:
    """A file cut off, longer, of zeros, of noise, or huge and empty."""
    path = rng.choice([path for path in sorted(record.rglob("*")) if path.is_file()])
    content = path.read_bytes()
    how = rng.choice(["cut", "empty", "longer", "flipped", "zeros", "noise", "sparse", "repeated"])
    at = rng.randrange(len(content) + 1)
    if how == "sparse":
        os.truncate(path, rng.choice([1 << 26, 1 << 36]))
    else:
        noise = rng.randbytes(200)
        path.write_bytes({
            "cut": content[:at], "empty": b"", "longer": content + noise, "zeros": bytes(len(content)), "noise": noise,
            "flipped": content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :], "repeated": content * 300,
        }[how])  # fmt: skip
    return f"{path.name} {how} at {at}"


def changed_header(rng: random.Random, record: Path, case: Case) -> str:
    """The header of a .npy file, alone or in data.npz, with another type, order or shape."""
    paths = [path for path in sorted(record.rglob("*")) if path.suffix in (".npy", ".npz")]
    path = rng.choice(paths)
    content = path.read_bytes()
    start = content.index(b"\x93NUMPY") if b"\x93NUMPY" in content else 0
    size = int.from_bytes(content[start + 8 : start + 10], "little")
    header = content[start + 10 : start + 10 + size].decode("latin-1")
    how = rng.choice(["shape", "shape", "descr", "order", "code", "length"])
    if how == "shape":
        number = rng.choice(NUMBERS)
        changed = re.sub(r"'shape': \((\d*)", f"'shape': ({number}", header, count=1)
    elif how == "descr":
        changed = re.sub(
            r"'descr': '[^']*'", f"'descr': '{rng.choice(['|O', '<f8000', '<U9', '>f8', '|V8', '<M8[s]'])}'", header
        )
    elif how == "order":
        changed = header.replace("False", "True")
    elif how == "code":
        changed = "__import__('os').mkdir('canary') or " + header
    else:
        changed = header
    text = changed.rstrip().encode("latin-1", "replace") + b"\n"
    length = (
        (rng.randrange(1 << 16) if how == "length" else len(text)).to_bytes(2, "little")
        if len(text) < 65536
        else b"\xff\xff"
    )
    path.write_bytes(content[: start + 8] + length + text + content[start + 10 + size :])
    return f"{path.name} header {how}: {changed[:60]!r}"


def changed_kind(rng: random.Random, record: Path, case: Case) -> str:
    """A file that is missing, a link, a folder, a pipe, or may not be read."""
    path = rng.choice([path for path in sorted(record.rglob("*")) if path.is_file()])
    how = rng.choice(["missing", "link", "loop", "folder", "pipe", "device", "pickle"])
    content = path.read_bytes()
    path.unlink()
    if how == "link":
        path.symlink_to(case.place / "outside" / "precious.txt")
    elif how == "loop":
        path.symlink_to(path.name)
    elif how == "folder":
        path.mkdir()
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "device":
        path.symlink_to("/dev/zero")
    elif how == "pickle":
        path.write_bytes(
            b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(128)
            + pickle.dumps(_Evil())
        )
    return f"{path.name} {how} ({len(content)} bytes before)"


def changed_place(rng: random.Random, record: Path, case: Case) -> str:
    """A folder of a record in an odd place, or with odd things inside or above it."""
    root = case.folder / "outputs"
    how = rng.choice(["root json", "day json", "inside", "foreign", "linked", "long", "control", "dot", "many"])
    if how == "root json":
        (root / "record.json").write_text(rng.choice(["{}", "", '{"format": 1}']))
    elif how == "day json":
        (record.parent / rng.choice(["record.json", "sweep.json"])).write_text("{}")
    elif how == "inside":
        shutil.copytree(record, record / "copy")
    elif how == "foreign":
        (record / "thesis.txt").write_text("mine")
    elif how == "linked":
        (root / "linked").symlink_to(case.place / "outside")
        (record / "population-007").symlink_to(case.place / "outside")
    elif how == "long":
        shutil.copytree(record, record.with_name("x" * 200))
    elif how == "control":
        shutil.copytree(record, record.with_name("a\nb\x1b[31m"))
    elif how == "dot":
        (record.parent / ".removing-17").mkdir()
        (record / f".record.json.{os.getpid()}.part").write_text("x")
    else:
        with (record / "events.jsonl").open("a") as file:
            for k in range(rng.choice([20_000, 100_000])):
                file.write(
                    json.dumps({"when": "2026", "kind": rng.choice(["tag", "note"]), "tags": [f"t{k}"], "text": "x"})
                    + "\n"
                )
    return how


# Failing disks and signals

DISTURBED: dict[str, tuple[str, ...]] = {
    "sweep": SWEEP, "run": RUN, "note": ("note", "SWEEP", "remember"), "tag": ("tag", "SWEEP", "good"),
    "rename": ("rename", "POPULATIONS", "new"), "resume": ("resume", "STOPPED"),
    "continue": ("continue", "RUN", "epochs=+4"), "continue sweep": ("continue", "SWEEP", "epochs=+4"),
    "rm": ("rm", "SWEEP", "--yes"), "render": ("render", "RUN", "film=losses", "film.frames=3"),
    "rerun": ("rerun", "RUN"), "export": ("export", "SWEEP", "--what", "losses", "--output", "o.csv"),
    "loky": (*SWEEP, "hydra.launcher.engine=loky", "hydra.launcher.workers=2"),
}  # fmt: skip
"""What is disturbed: commands by name; capitals stand for ids."""


def filled(case: Case, name: str) -> list[str]:
    """The words of a disturbed command."""
    ids = {key.upper(): own for key, own in case.world.ids.items()} | {"STOPPED": case.world.stopped}
    return [ids.get(word, word) for word in DISTURBED[name]]


def after(case: Case, name: str, done: Done, before: set[str], undisturbed: Mapping[str, Any]) -> None:
    """What must hold after a command was disturbed: others unharmed, nothing half-made, resumed to the same bits."""
    world, now = case.world, set(entries(case.folder))
    touched = {"note": {"sweep"}, "tag": {"sweep"}, "rename": {"populations"}, "rm": {"sweep"}, "render": {"run"}}
    mine = {world.ids[key] for key in touched.get(name, set())} | ({world.stopped} if name == "resume" else set())
    for own in before - mine:
        if own not in now:
            case.blame(done, f"{own} is gone")
    listed(case, mine if name == "rm" else set())
    if name in ("note", "tag", "rename", "rm", "render"):
        own = next(iter(mine))
        if own in now:
            for problem in differing(folder_of(case.folder, own), undisturbed[own]):
                case.blame(done, problem)
        elif name != "rm":
            case.blame(done, f"{own} is gone")
        if name in ("note", "tag", "rename") and done.code == 0:
            word = DISTURBED[name][-1]
            if word not in case.run("show", own, "--json").out:
                case.blame(done, f"acknowledged, but {word} is not there")
    for own in [*(now - before), *([world.stopped] if name == "resume" else [])]:
        record = folder_of(case.folder, own)
        expected = undisturbed[name]
        for problem in differing(record, expected, only_done=True):
            case.blame(done, f"{own}: {problem}")
        shown = case.run("show", own, "--json")
        if shown.code:
            case.blame(done, f"{own} cannot be read: {shown.err.strip()[:200]}")
            continue
        if json.loads(shown.out)[0].get("status") != "finished":
            again = case.run("resume", own, seconds=60)
            if again.code:
                case.blame(again, f"resume after {name}: {again.err.strip()[:200]}")
        for problem in differing(record, expected):
            case.blame(done, f"{own} after resume: {problem}")
    case.run("note", world.ids["run"], "the next write")
    case.run("note", world.ids["sweep"], "the next write") if world.ids["sweep"] in now else None


def disk(case: Case) -> None:
    """One call fails, or files may not grow beyond some size."""
    rng, name = case.rng, case.rng.choice([name for name in DISTURBED if name != "loky"])
    before, expected = set(entries(case.folder)), case.world.undisturbed
    calls = [(call, count) for call, count in case.world.calls[name].items() if count]
    if rng.random() < 0.2 or not calls:
        limits: dict[str, Any] = {"largest_file": rng.choice([400, 1000, 2000, 4096, 10_000, 30_000])}
        case.said = f"files of at most {limits['largest_file']} bytes"
    else:
        call, count = rng.choice(calls)
        fault = Fault(
            call, rng.randint(1, count), rng.choice([*ERRORS, None]) if call == "write" else rng.choice(ERRORS)
        )
        limits = {"fault": fault}
        case.said = str(fault)
    done = case.run(*filled(case, name), seconds=30, **limits)
    after(case, name, done, before, expected)


def full_disk(case: Case) -> None:
    """The working folder is on a disk of its own, which is nearly full."""
    rng, name = case.rng, case.rng.choice([name for name in DISTURBED if name != "loky"])
    free, aside = rng.choice([0, 1, 2, 4, 8, 16, 32, 64, 128]), case.place.with_name(f"{case.place.name}-aside")
    used = sum(-(-path.lstat().st_size // 4096) + 1 for path in case.folder.rglob("*"))
    case.folder.rename(aside)
    case.folder.mkdir()
    case.said = f"{4 * free} kB free"
    try:
        mount("tmpfs", str(case.folder), f"size={4 * (used + 300)}k")
        shutil.copytree(aside, case.folder, symlinks=True, dirs_exist_ok=True)
        with (case.folder / "ballast").open("wb") as file, suppress(OSError):
            file.write(bytes(4096 * max(0, os.statvfs(case.folder).f_bavail - free)))
        before = set(entries(case.folder))
        done = case.run(*filled(case, name), seconds=30)
        (case.folder / "ballast").unlink()
        mount("tmpfs", str(case.folder), "remount,size=64m")
        after(case, name, done, before, case.world.undisturbed)
    finally:
        subprocess.run(["umount", "--lazy", str(case.folder)], check=False, capture_output=True)
        shutil.rmtree(aside)


def mount(kind: str, place: str, options: str) -> None:
    """Mount a file system in memory, which only this process and its children see."""
    subprocess.run(["mount", "-t", kind, "-o", options, kind, place], check=True, capture_output=True)


def with_own_mounts() -> bool:
    """Whether this process may mount; it is started again as root of a namespace of its own, where that is possible."""
    if "XORTRAIN_OWN_MOUNTS" in os.environ:
        return True
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    with suppress(OSError):
        if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode == 0:
            os.environ["XORTRAIN_OWN_MOUNTS"] = "1"
            os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])
    return False


def signals(case: Case) -> None:
    """A signal at a random moment."""
    rng, name = case.rng, case.rng.choice(list(DISTURBED))
    number = rng.choice([signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    moment = rng.random() * 1.1 * case.world.seconds[name]
    before, expected = set(entries(case.folder)), case.world.undisturbed
    case.said = f"{number.name} after {moment * 1000:.1f} ms"
    done = case.run(*filled(case, name), seconds=60, kill=(moment, number), expected=[-number])
    after(case, name, done, before, expected)


KINDS: dict[str, Callable[[Case], None]] = {
    "commands": command_lines, "records": records, "disk": disk, "full": full_disk, "signals": signals,
}  # fmt: skip


def undisturbed(world: World, folder: Path) -> None:
    """Train what will be disturbed once without disturbance: its arrays, and how long it takes."""
    found: dict[str, Any] = {own: arrays(folder_of(world.base, own)) for own in world.ids.values()}
    for name in DISTURBED:
        place = folder / f"undisturbed-{name.replace(' ', '-')}"
        world.copy(place)
        case = Case(world, place, random.Random(0))
        before = set(entries(case.folder))
        done = case.run(*filled(case, name), seconds=60, fault=Fault("none", 0))
        assert done.code == 0, done
        assert not case.problems, case.problems
        world.seconds[name], world.calls[name] = done.seconds, done.calls
        new = [*(set(entries(case.folder)) - before), *([world.stopped] if name == "resume" else [])]
        for own in new:
            found[name] = arrays(folder_of(case.folder, own))
    world.undisturbed = found


def one(kind: str, number: int, seed: int, world: World, folder: Path) -> Case:
    """Run a case in a fresh folder."""
    place = folder / f"{kind}-{number}"
    world.copy(place)
    case = Case(world, place, random.Random(f"{seed} {kind} {number}"))
    try:
        KINDS[kind](case)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return case


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--kinds", default=",".join(KINDS), help="as in disk,signals")
    parser.add_argument("--only", help="one case, as in records:123")
    parser.add_argument("--keep", action="store_true", help="keep the figures in results/")
    asked = parser.parse_args()
    can_mount = with_own_mounts()
    load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.path.realpath(name))
        world = prepared(folder / "base")
        undisturbed(world, folder)
        if asked.only:
            kind, _, number = asked.only.partition(":")
            case = one(kind, int(number), asked.seed, world, folder)
            print(case.said, *case.problems, sep="\n")
            return bool(case.problems)
        kinds = [kind for kind in asked.kinds.split(",") if can_mount or kind != "full"]
        cases, commands, found = Counter[str](), 0, Counter[str]()
        end, number = time.monotonic() + 60 * asked.minutes, 0
        while time.monotonic() < end:
            for kind in kinds:
                case = one(kind, number, asked.seed, world, folder)
                cases[kind] += 1
                commands += case.commands
                found[kind] += bool(case.problems)
                for problem in case.problems:
                    print(f"{kind}:{number}  {problem}", flush=True)
            number += 1
    lines = [f"seed {asked.seed}, {asked.minutes:g} minutes: {commands} commands"]
    lines += [] if can_mount else ["no full disks: this machine does not let its users mount any"]
    lines += [f"{kind:10} {cases[kind]:6} cases, {found[kind]} with a broken law" for kind in kinds]
    keep(f"torture-seed-{asked.seed}", lines) if asked.keep else print(*lines, sep="\n")
    return bool(sum(found.values()))


if __name__ == "__main__":
    sys.exit(main())
