"""Writes tables of docs/maths.md and docs/engine.md from those in the code; `--check` only compares.

A table stands between the lines `<!-- rows: NAME -->` and `<!-- end -->`.
"""

import inspect
import re
import runpy
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from xortrain.config.settings import chosen_by_data, defaults_of, read_conf, set_by_data
from xortrain.explain.text import TextWriter
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.datasets import DATASETS, SCALES
from xortrain.nets.formula import Symbol, Term, symbol
from xortrain.nets.initializers import INITIALIZERS
from xortrain.nets.losses import LOSSES
from xortrain.nets.optimizers import OPTIMIZERS, SCHEDULES
from xortrain.nets.setting import Settings
from xortrain.training.success import STOP_RULES, SUCCESS_RULES

PAGES = [Path(__file__).with_name(name) for name in ("maths.md", "engine.md")]
BOUNDS = Path(__file__).parents[1] / "tests" / "test_elementary.py"
BLOCK = re.compile(r"(<!-- rows: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def symbols(settings: Settings) -> dict[str, Symbol]:
    """The settings as they are named in formulas."""
    return {name: symbol(setting.letter or name, 0.0) for name, setting in settings.items()}


def written(term: Term) -> str:
    return TextWriter(6).formula(term, numbers=False).replace("|", r"\|")


def summary(function: Callable[..., Any]) -> str:
    """The first paragraph of a docstring, in one line."""
    text = inspect.getdoc(function) or ""
    return " ".join(text.partition("\n\n")[0].split()).removesuffix(".").replace("|", r"\|").replace("``", "`")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def activations() -> str:
    z, a = symbol("z", 0.0), symbol("a", 0.0)

    def cells(name: str) -> list[str]:
        row = ACTIVATIONS[name]
        own = symbols(row.settings)
        return [f"`{name}`", written(row.formula(z, **own)), written(row.slope(z, a, **own)), row.note]

    return table(("name", "f(z)", "f'(z), a = f(z)", "notes"), map(cells, ACTIVATIONS))


def losses() -> str:
    y, t = symbol("y", 0.0), symbol("t", 0.0)

    def cells(name: str) -> list[str]:
        row = LOSSES[name]
        own, count = symbols(row.own), {"element": "n K", "example": "n"}[row.per]
        formulas = written(row.formula(y, t, **own)), written(row.slope(y, t, **own))
        return [f"`{name}`", *formulas, row.output, count, defaults_of("loss", name)["reduction"], row.note]

    return table(("name", "value", "dL/dy", "output", "mean over", "default", "notes"), map(cells, LOSSES))


def joint_forms() -> str:
    joint = {name: row for name, row in LOSSES.items() if row.joint}
    rows = [
        [f"`{name}`, {row.output}", summary(row.joint.value), summary(row.joint.delta)]
        for name, row in joint.items()
        if row.joint
    ]
    return table(("loss, output", "value", "δ = dL/dz"), rows)


def initializers() -> str:
    rows = ([f"`{name}`", row.help, row.note] for name, row in INITIALIZERS.items())
    return table(("name", "start", "notes"), rows)


def optimizers() -> str:
    def cells(name: str) -> list[str]:
        row = OPTIMIZERS[name]
        rate = read_conf(f"optimizer/{name}").get("lr", read_conf("config")["lr"])
        return [f"`{name}`", f"{rate:g}", summary(row.update), row.note]

    return table(("name", "rate", "update", "notes"), map(cells, OPTIMIZERS))


def schedules() -> str:
    rows = ([f"`{name}`", row.help, summary(row.factor)] for name, row in SCHEDULES.items())
    return table(("name", "the rate", "factor"), rows)


def datasets() -> str:
    def cells(name: str) -> list[str]:
        row, reduction = DATASETS[name], set_by_data(name).get("loss", {}).get("reduction", "")
        loss = " ".join(f"`{word}`" for word in (chosen_by_data(name).get("loss"), reduction) if word)
        return [f"`{name}`", row.help, loss, summary(row.make) if row.make else ""]

    return table(("name", "data", "default loss", "notes"), map(cells, DATASETS))


def scales() -> str:
    return table(("`data.scale`", "numbers"), ([f"`{name}`", row.help] for name, row in SCALES.items()))


def success_rules() -> str:
    rows = ([f"`{name}`", row.help, summary(row.interval)] for name, row in SUCCESS_RULES.items())
    return table(("name", "an example is right", "notes"), rows)


def stop_rules() -> str:
    rows = ([f"`{name}`", row.help, summary(row.holds) if row.holds else ""] for name, row in STOP_RULES.items())
    return table(("name", "a run stops", "notes"), rows)


def elementary() -> str:
    tested = runpy.run_path(str(BOUNDS))
    whose = {True: "xortrain", False: "the C library"}
    rows = ([f"`{name}`", whose[name in tested["OWN"]], f"{bound:g}"] for name, bound in tested["BOUNDS"].items())
    return table(("function", "of", "error in ulp, at most"), rows)


TABLES: dict[str, Callable[[], str]] = {
    function.__name__: function
    for function in (
        activations,
        losses,
        joint_forms,
        initializers,
        optimizers,
        schedules,
        datasets,
        scales,
        success_rules,
        stop_rules,
        elementary,
    )
}


def filled(page: str) -> str:
    """The page with its tables made anew."""
    return BLOCK.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], page)


def main(arguments: Sequence[str]) -> int:
    pages = {path: path.read_text(encoding="utf-8") for path in PAGES}
    new = {path: filled(page) for path, page in pages.items()}
    if "--check" in arguments:
        return int(new != pages)
    for path, page in new.items():
        path.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
