"""Measures how easy the code is to enter, and fails where a bound of the project is passed.

`python benchmarks/structure.py` prints modules and lines, first-party imports a module, import cycles, repeated names,
and the spine: the functions that `lr=1 film=none` calls, whose modules README names.  Nothing is timed.
"""

import argparse
import ast
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
PACKAGE = "xortrain"
UNCOUNTED = (f"{PACKAGE}.errors",)
BOUNDS = {"modules": 224, "lines": 36_630, "imports a module": 4.65, "spine modules": 59, "spine lines": 3_585}
"""Raised where a capability was added: at first 126, 17,600, 3.5, 34 and 1,800; then diagnosis of any data, advice,
scaled data, going on, own data, records and terminals that withstand every fault, story films, maps, pages, a root by
environment, own rows, more optimizers, bridges to other tools, arguments of Python that are
checked, lines that separate any data, and names of other libraries."""

SPY = """
import sys, threading
seen = set()
def watch(frame, event, _):
    if event == "call":
        code = frame.f_code
        if "/{package}/" in code.co_filename and code.co_name != "<module>":
            seen.add((code.co_filename, code.co_firstlineno, code.co_name))
threading.setprofile(watch)
sys.setprofile(watch)
from {package}.cli import main
status = main(["lr=1", "film=none"])
sys.setprofile(None)
with open("seen.txt", "w") as file:
    file.writelines(f"{{line}}\\t{{name}}\\t{{path}}\\n" for path, line, name in seen)
sys.exit(status)
"""


@dataclass(frozen=True)
class Module:
    """A source file with its dotted name."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def lines(self) -> int:
        return len(self.path.read_text(encoding="utf-8").splitlines())


def modules(package: Path) -> dict[str, Module]:
    """Every module of the package by its dotted name; a package is its `__init__`."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    return found


def exports(known: dict[str, Module]) -> dict[tuple[str, str], str]:
    """For each name that a package imports from elsewhere: (package, name) to the module that defines it."""
    found = {}
    for module in known.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module in known:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    found[module.name, alias.asname or alias.name] = inner if inner in known else node.module
    return found


def aliases(known: dict[str, Module]) -> set[tuple[str, str]]:
    """Type aliases: annotated or plain assignments of a subscript, or of a union, to a capitalised name."""
    found = set()
    for module in known.values():
        for node in module.tree.body:
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AnnAssign)
                else []
            )
            value = getattr(node, "value", None)
            is_type = isinstance(value, ast.Subscript) or (
                isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr)
            )
            found |= {
                (module.name, t.id) for t in targets if isinstance(t, ast.Name) and is_type and t.id[:1].isupper()
            }
    return found


def imports(known: dict[str, Module]) -> dict[str, set[str]]:
    """The first-party modules that each module imports, anywhere in it.

    A re-exported name counts where it is defined; `errors` and type aliases do not count.
    """
    passed_on, types = exports(known), aliases(known)
    found: dict[str, set[str]] = {name: set() for name in known}
    for module in known.values():
        for target, name in _imported(module, known):
            while name and (target, name) in passed_on and f"{target}.{name}" not in known:
                target = passed_on[target, name]
            if (target, name) not in types and target not in UNCOUNTED and target != module.name:
                found[module.name].add(target)
    return found


def _imported(module: Module, known: dict[str, Module]) -> Iterator[tuple[str, str]]:
    """Module and name of each import; the name is empty where a module itself is imported."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner, "") if inner in known else (node.module, alias.name)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name in known)


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """One import cycle, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def repeated(known: dict[str, Module]) -> list[str]:
    """Module stems, public classes and public functions that are there twice."""
    places: dict[str, list[str]] = defaultdict(list)
    for name, module in known.items():
        stem = name.rpartition(".")[2]
        if not stem.startswith("_"):
            places[f"module {stem}"].append(name)
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                kind = "class" if isinstance(node, ast.ClassDef) else "function"
                places[f"{kind} {node.name}"].append(name)
    return [f"{what}: {', '.join(where)}" for what, where in sorted(places.items()) if len(where) > 1]


def spine(known: dict[str, Module], repo: Path) -> dict[str, set[int]]:
    """The lines of the functions that one run without a film calls, by module."""
    by_path = {str(module.path): module for module in known.values()}
    with tempfile.TemporaryDirectory() as folder:
        script = SPY.format(package=PACKAGE)
        environment = {**os.environ, "PYTHONPATH": str(repo), "COLUMNS": "100"}
        subprocess.run([sys.executable, "-c", script], cwd=folder, env=environment, check=True, capture_output=True)
        called = [line.split("\t") for line in Path(folder, "seen.txt").read_text().splitlines()]
    found: dict[str, set[int]] = defaultdict(set)
    for line, name, path in called:
        if name in ("<genexpr>", "<lambda>", "<listcomp>", "<dictcomp>", "<setcomp>") or path not in by_path:
            continue
        module = by_path[path]
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef) and node.name == name:
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                if first == int(line):
                    found[module.name] |= set(range(first, (node.end_lineno or first) + 1))
    return found


def named_in_readme(readme: Path) -> set[str]:
    """The modules that README names as the spine, under "Reading the code"."""
    section = readme.read_text(encoding="utf-8").partition("## Reading the code")[2].partition("Beside the spine")[0]
    found = set()
    for item in re.split(r"^\d+\. ", section, flags=re.MULTILINE)[1:]:
        package = PACKAGE
        for word in re.findall(r"`([^`]+)`", item):
            if word.endswith("/"):
                package = word.strip("/").replace("/", ".")
            else:
                found.add(word[:-3].replace("/", ".") if word.endswith(".py") else f"{package}.{word}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repo", type=Path, default=REPO)
    parser.add_argument("--list", action="store_true", help="name what counts, module by module")
    asked = parser.parse_args()
    known = modules(asked.repo.resolve() / PACKAGE)
    graph, called = imports(known), spine(known, asked.repo.resolve())
    measured = {
        "modules": len(known),
        "lines": sum(module.lines for module in known.values()),
        "imports a module": round(sum(map(len, graph.values())) / len(known), 2),
        "spine modules": len(called),
        "spine lines": sum(map(len, called.values())),
    }
    circle, twice = cycle(graph), repeated(known)
    if asked.list:
        for name in sorted(known):
            lines, hops, own = known[name].lines, len(graph[name]), len(called.get(name, ()))
            print(f"{name:45} {lines:5} lines {hops:3} imports {own:4} lines called")
    failed = False
    for what, value in measured.items():
        mark = "" if value <= BOUNDS[what] else "  TOO MANY"
        failed |= bool(mark)
        print(f"{what:18} {value:>8,}  (at most {BOUNDS[what]:,}){mark}")
    print(f"import cycle       {' -> '.join(circle) if circle else 'none'}")
    print(f"repeated names     {len(twice)}")
    for line in twice:
        print(f"  {line}")
    named = named_in_readme(asked.repo / "README.md")
    wrong = (called.keys() - named) | (named - known.keys())
    print(f"README's spine     {'named in full' if not wrong else 'differs in ' + ', '.join(sorted(wrong))}")
    return int(failed or bool(circle) or bool(twice) or bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
