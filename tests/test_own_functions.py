"""A Python file of the user's own adds options: what it lacks is worked out, what is wrong in it is one line."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_tasks import Page
from some_clusters import some_cluster
from some_settings import some_settings
from test_losses import some_targets

import xortrain
from xortrain.cli import main
from xortrain.config import own_rows
from xortrain.errors import Remark, UserError
from xortrain.nets.activations import ACTIVATIONS, Activation
from xortrain.nets.losses import LOSSES, Loss
from xortrain.nets.worked_out import DERIVATIVES, worked_out_activation, worked_out_loss
from xortrain.page.javascript import mathematics
from xortrain.symbols import Node, Symbolic
from xortrain.symbols.slopes import CHOICES, STEPS, as_function, slope

Write = Callable[[str], Path]
HEAD = "import math\nimport numpy as np\nimport xortrain\n"
QUIET = ("film=none", "advice=none", "epochs=3")
ALL = (
    HEAD
    + """
cube = xortrain.Activation("z cubed", lambda z: z**3)
bent = xortrain.Activation("bent", lambda z, bend: z + bend * (np.sqrt(z * z + 1) - 1),
    own={"bend": xortrain.number("how strongly", 0, 1, default=0.25)})
quartic = xortrain.Loss("fourth power of the error", lambda y, t: (y - t) ** 4, output="sigmoid")
signs = xortrain.Initializer("plus and minus 1", "uniform", lambda r, fan: np.sign(r))
waves = xortrain.Schedule("up and down", lambda epoch, epochs, period: 1 + 0.5 * np.sin(epoch / period),
    own={"period": xortrain.number("epochs of a wave", above=0, default=10)})
near = xortrain.SuccessRule("within 0.3", lambda t, low, high, sd: (t - 0.3, t + 0.3),
    lambda low, high, sd: "less than 0.3 from its target")

def points(examples):
    x = np.linspace(-1, 1, examples)[:, None]
    return xortrain.Points(np.hstack([x, x**2]), np.arange(examples) % 2)

parabola = xortrain.Dataset("a parabola", points, {"examples": xortrain.whole("how many", 2, 99, default=7)})
line = xortrain.Dataset("a line", lambda: ([[0.0], [1.0], [2.0]], [0.1, 0.6, 1.1]), is_regression=True)

def update(theta, g, state, lr, *, share):
    state["memory"] *= share
    state["memory"] += g
    theta -= lr * state["memory"]

heavy = xortrain.Optimizer("a heavy ball", lambda theta, lr, **_: {"memory": np.zeros_like(theta)}, update,
    own={"share": xortrain.number("what stays", 0, below=1, default=0.5)}, lr=0.25)
"""
)
CHOSEN = {
    "activation": ("cube", "bent"), "loss": ("quartic",), "init": ("signs",), "schedule": ("waves",),
    "success": ("near",), "data": ("parabola", "line"), "optimizer": ("heavy",),
}  # fmt: skip


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Change to an empty folder, and return a function that writes mine.py there."""
    monkeypatch.chdir(tmp_path)

    def written(text: str) -> Path:
        path = tmp_path / "mine.py"
        path.write_text(text)
        return path

    return written


def forget() -> None:
    """Take all own rows out of the tables, as if the program had just started."""
    for file in [*own_rows.FILES.values()]:
        own_rows.forget(file)


def error_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the one line of a mistake."""
    assert main(words) == 2
    return capsys.readouterr().err.strip()


def graphs() -> Iterator[tuple[str, Callable[..., Any], float]]:
    """Every function with a derivative, as a function of one number, by each of its arguments."""
    for operation in [*DERIVATIVES, *CHOICES]:
        arguments = getattr(operation, "nin", 3)
        for k in range(arguments):
            others = [0.7, 0.4, 0.6][:arguments]
            name = getattr(operation, "__name__", str(operation))
            if operation is np.where and not k:
                continue
            yield (
                f"{name} by argument {k}",
                lambda x, o=operation, k=k, rest=others: o(*rest[:k], x, *rest[k + 1 :]),
                0.35,
            )


@pytest.mark.parametrize(("name", "function", "at"), list(graphs()), ids=[name for name, *_ in graphs()])
def test_the_slope_of_a_graph_is_that_of_central_differences(name: str, function: Any, at: float) -> None:
    x = Symbolic.inputs()
    made = function(x)
    found = as_function(slope(made.nodes.item(), x.nodes.item(), DERIVATIVES), [x.nodes.item()])(at)
    differences = (float(function(at + 1e-6)) - float(function(at - 1e-6))) / 2e-6
    np.testing.assert_allclose(found, differences, rtol=1e-8, atol=1e-9)


def test_steps_have_no_slope() -> None:
    for step in STEPS:
        x = Node()
        assert slope(Node(step, x, 1.0), x) == 0


@pytest.mark.parametrize("name", [name for name, row in ACTIVATIONS.items() if not row.couples_units])
def test_the_derivative_that_is_worked_out_is_that_of_the_table(name: str) -> None:
    """Away from corners, at which conventions differ."""
    row = ACTIVATIONS[name]
    own = some_settings(row.settings, 3)
    bare = Activation("bare", lambda z, **settings: row.f(z.copy(), **settings), own=row.own)
    z = np.linspace(-7.03, 7.01, 300).reshape(50, 2, 3)
    found, a = worked_out_activation("bare", bare), row.f(z, **own)
    np.testing.assert_array_equal(found.f(z, **own), a)
    np.testing.assert_allclose(found.derivative(z, a, **own), row.derivative(z, a, **own), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_that_is_worked_out_is_that_of_the_table(name: str) -> None:
    row, rng = LOSSES[name], np.random.default_rng(5)
    own, t = some_settings(row.own, 3), some_targets(name, (40, 2))
    low, high = ACTIVATIONS[row.output].range
    y = rng.uniform(0.02, 0.98, (40, 2, 3)) if (low, high) == (0, 1) else rng.normal(0, 1.5, (40, 2, 3))
    found = worked_out_loss("bare", Loss("bare", row.value, own=row.own))
    np.testing.assert_allclose(found.gradient(y, t, **own), row.gradient(y, t, **own), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "name", ["sigmoid", "tanh", "relu", "softsign", "gaussian", "sin", "relu6", "softplus", "step"]
)
def test_what_is_measured_is_what_the_table_states(name: str) -> None:
    row = ACTIVATIONS[name]
    found = worked_out_activation("bare", Activation("bare", lambda z: row.f(z.copy())))
    np.testing.assert_allclose(found.range, row.range, atol=1e-4)
    facts = ("is_monotone", "corners", "has_gradient")
    assert {fact: getattr(found, fact) for fact in facts} == {fact: getattr(row, fact) for fact in facts}
    assert found.is_rectifier == (name == "relu")  # relu6 is flat on both sides, which can be either


@pytest.mark.parametrize(("group", "name"), [(group, name) for group, names in CHOSEN.items() for name in names])
def test_a_row_is_an_option_like_all_others(
    group: str, name: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write(ALL)
    assert main(["use=mine.py", f"{group}={name}", *QUIET, "page=true"]) == 0, capsys.readouterr().err
    assert main(["explain", "use=mine.py", f"{group}={name}"]) == 0
    assert main(["--help", "use=mine.py"]) == 0
    assert f"  {name} " in capsys.readouterr().out
    forget()
    assert f"{name} is an option of mine.py" in error_of(capsys, "explain", "latest")
    assert main(["explain", "latest", "--use", "mine.py"]) == 0
    assert main(["rerun", "latest", "--check", "--use", "mine.py"]) == 0
    assert "The same to the bit" in capsys.readouterr().out


def test_settings_have_their_defaults_and_their_ranges(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(ALL)
    run = xortrain.train("activation=bent", "optimizer=heavy", "epochs=1", use="mine.py")
    assert run.config["activation"] == {"name": "bent", "bend": 0.25}
    assert (run.config["lr"], run.config["optimizer"]["share"], run.config["optimizer"]["l2"]) == (0.25, 0.5, 0)
    line = error_of(capsys, "use=mine.py", "activation=bent", "activation.bend=2", *QUIET)
    assert line == "xortrain: error: activation.bend=2: must be a number from 0 to 1"
    assert "Did you mean 'cube'" in error_of(capsys, "use=mine.py", "activation=cubes", *QUIET)


def test_a_population_of_own_rows_has_the_bits_of_its_runs_alone(write: Write) -> None:
    write(ALL)
    chosen = ("activation=bent", "optimizer=heavy", "schedule=waves", "epochs=9", "film=none")
    many = xortrain.sweep(*chosen, "seed=range(0,4)", "activation.bend=0.1,0.9", use="mine.py")
    alone = xortrain.train(*chosen, "seed=3", "activation.bend=0.9", use="mine.py")
    (same,) = [run for run in many if run.config["seed"] == 3 and run.config["activation"]["bend"] == 0.9]
    np.testing.assert_array_equal(same.losses, alone.losses)


def test_workers_have_the_rows_too(write: Write) -> None:
    write(ALL)
    chosen = ("activation=cube,tanh", "lr=0.1", "epochs=5", "film=none", "seed=range(0,3)")
    here = xortrain.sweep(*chosen, use="mine.py")
    there = xortrain.sweep(*chosen, use="mine.py", engine="loky", workers=1)
    np.testing.assert_array_equal(here.column("final_loss"), there.column("final_loss"))
    with some_cluster(1) as cluster:
        far = xortrain.sweep(*chosen, use="mine.py", engine="dask", address=cluster.scheduler_address)
    np.testing.assert_array_equal(here.column("final_loss"), far.column("final_loss"))


def test_a_page_runs_the_row_in_the_browser(write: Write, tmp_path: Path) -> None:
    write(ALL)
    own_rows.use(["mine.py"])
    z = np.linspace(-3, 3, 60)
    script = """
const { z } = given, a = new Float64Array(z.length), slope = new Float64Array(z.length).fill(1);
tables.ACTIVATIONS.bent.f(z, a, { bend: 0.3 });
tables.ACTIVATIONS.bent.backward(z, a, slope, { bend: 0.3 });
answer({ a, slope });
"""
    found = Page(tmp_path, mathematics()).run(script, {"z": z})
    np.testing.assert_allclose(found["a"], z + 0.3 * (np.sqrt(z * z + 1) - 1), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(found["slope"], 1 + 0.3 * z / np.sqrt(z * z + 1), rtol=1e-13)


def test_a_function_that_no_browser_can_run_is_named(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        HEAD
        + """
a = xortrain.Activation("selected", lambda z: np.select([z > 0, z <= 0], [z, 0 * z]), lambda z, a: (z > 0) * 1.0)
"""
    )
    xortrain.train("epochs=3", use="mine.py").page("other.html")
    with pytest.raises(UserError, match=r"page: activation=a cannot run in a browser, because of numpy\.select"):
        xortrain.train("activation=a", "epochs=3", use="mine.py").page("own.html")


def test_a_file_that_has_changed_is_noticed(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(ALL)
    assert main(["use=mine.py", "activation=bent", *QUIET]) == 0
    write(ALL.replace("z + bend", "z - bend"))
    with pytest.warns(Remark, match="mine.py has changed since this was trained"):
        xortrain.load("latest", use="mine.py")
    for command in (["continue", "latest", "epochs=+3"], ["rerun", "latest", "--check"]):
        assert "use=mine.py: has changed since this was trained" in error_of(capsys, *command, "--use", "mine.py")
    write(ALL)
    assert main(["continue", "latest", "epochs=+3", "--use", "mine.py", "film=none", "advice=none"]) == 0


def test_only_a_file_that_the_user_names_is_run(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(ALL)
    assert main(["use=mine.py", "activation=bent", *QUIET]) == 0
    write("from pathlib import Path\nPath('executed').touch()\n" + ALL)
    forget()
    record = next(Path("outputs").glob("*/*"))
    for words in (["show", "latest"], ["ls"], ["explain", "latest"], ["render", "latest"], ["page", "latest"]):
        main(words)
    main(["render", str(record), "--output", "a.gif"])
    assert not Path("executed").exists()


MISTAKES = {
    'a = xortrain.Loss("h", lambda y, t: (y - t) ** 2, targets="foo")': "targets='foo': must be one of any, unit",
    'a = xortrain.Dataset("h", lambda: ([[0, 1], [1]], [0, 1]))': "make fails with ValueError",
    'a = xortrain.Optimizer("h", lambda theta, lr: {"n": 0}, lambda theta, g, state, lr: None)': "state n must be",
    'a = xortrain.Optimizer("h", update=print, own={"l2": xortrain.number("x", default=0)})': "l2 is one that every",
    'a = xortrain.Activation("h", lambda z: z**3, lambda z, a: 2 * z)': "its derivative is -6.2 at -3.1, but",
    'a = xortrain.Loss("h", lambda y, t: (y - t) ** 2, lambda y, t: y - t)': "its gradient is",
    'a = xortrain.Activation("h", lambda z: math.tanh(z))': "f(z) fails with TypeError",
    'a = xortrain.Activation("h", lambda z: z / z.max())': "depends on other elements",
    'a = xortrain.Activation("h", lambda z: z.sum(axis=0))': "must have its shape; got shape",
    'a = xortrain.Activation("h", lambda z: np.select([z > 0], [z]))': "none can be worked out from numpy.select",
    'a = xortrain.Activation("h", lambda z: np.multiply(z, 2, out=z))': "f changes its argument z",
    'tanh = xortrain.Activation("h", lambda z: z)': "activation=tanh exists already",
    'auto = xortrain.Loss("h", lambda y, t: (y - t) ** 2)': "loss=auto exists already",
    'a = xortrain.Activation("h", lambda z, k: z * k, own={"k": xortrain.number("x")})': "k has no default",
    'a = xortrain.Activation("h", lambda z, k: z * k, own={"k": xortrain.number("x", 0, 1, default=3)})':
        "the default of activation.k=3: must be a number from 0 to 1",
    'a = xortrain.Activation(3, lambda z: z)': "must be a line of help",
    'x = 3': "has no rows",
    'raise SystemExit(3)': "line 4: SystemExit: 3",
    'a = b': "line 4: NameError: name 'b' is not defined",
    'a = (': "line 4: '(' was never closed",
    'a = xortrain.Loss("h", lambda y, t: (y - t) ** 2, output="no")': "output='no' is not an activation",
    'a = xortrain.Optimizer("h", update=lambda theta, g, state, lr: theta - lr * g)': "does not change theta",
    'a = xortrain.Optimizer("h")': "has no update(theta, g, state, lr",
    'a = xortrain.Dataset("h", lambda: 3)': "must return xortrain.Points",
    'a = xortrain.Dataset("h", lambda: ([[0, 1], [1, math.nan]], [0, 1]))': "must be finite",
    'a = xortrain.Dataset("h", lambda: ([0, 1], [0, 1]))': "x must be (examples, inputs)",
    'a = xortrain.Initializer("h", "normal", lambda r, fan: r.sum())': "must have its shape",
    'a = xortrain.Initializer("h", "norm", lambda r, fan: r)': "must be uniform, normal or nothing",
    'a = xortrain.Schedule("h", lambda epoch, epochs: [1, 2])': "must be a number or (runs,)",
    'a = xortrain.SuccessRule("h", lambda t, low, high, sd: t, lambda low, high, sd: "")': "two bounds",
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_a_file_is_one_line(text: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(HEAD + text + "\n")
    line = error_of(capsys, "use=mine.py", *QUIET)
    assert line.startswith("xortrain: error: use=mine.py: ")
    assert MISTAKES[text] in line
    assert "\n" not in line
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no.py", "No such file"), ("no_such_module", "no such module"), ("mine", ""),
        ("json.nothing", "no such module"),
        ("mine.py,mine.py", "several files are a list"), (".", "no such module"), ("folder.py", "Is a directory"),
        ("bytes.py", "is not a text"),
    ],
)  # fmt: skip
def test_a_file_is_found_by_its_path_and_a_module_by_its_name(
    name: str, reason: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write(ALL)
    Path("folder.py").mkdir()
    Path("bytes.py").write_bytes(b"\xff\xfe\x00")
    if reason:
        assert reason in error_of(capsys, f"use={name}", *QUIET)
    else:
        assert main([f"use={name}", "activation=cube", *QUIET]) == 0


def test_a_file_may_import_what_lies_beside_it(write: Write, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "helping_hand.py").write_text("def twice(z):\n    return 2 * z\n")
    (tmp_path / "below" / "mine.py").write_text(
        HEAD + 'from helping_hand import twice\na = xortrain.Activation("h", twice)\n'
    )
    assert xortrain.train("activation=a", "epochs=1", use=["below/mine.py"]).config["use"] == ["below/mine.py"]


def test_settings_of_clipping_come_from_conf_also_for_own_optimizers(write: Write) -> None:
    write(ALL)
    run = xortrain.train("optimizer=heavy", "optimizer.clip_norm=0.001", "epochs=1", use="mine.py")
    np.testing.assert_allclose(np.linalg.norm(run.parameters[1] - run.parameters[0]), 0.25 * 0.001, rtol=1e-3)


def test_a_smooth_function_with_corners_inside_has_its_own_slope(write: Write) -> None:
    write(HEAD + 'smooth = xortrain.Activation("softplus", lambda z: np.logaddexp(0, z))\n')
    own_rows.use(["mine.py"])
    z = np.array([[[0.0]], [[1.0]]])
    row = ACTIVATIONS["smooth"]
    np.testing.assert_allclose(row.derivative(z, row.f(z)), ACTIVATIONS["sigmoid"].f(z), rtol=1e-15)
    assert "smooth" in mathematics()


def test_a_row_of_an_earlier_stage_is_needed_and_watched_too(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(ALL)
    assert main(["use=mine.py", "optimizer=heavy", *QUIET]) == 0
    assert main(["continue", "latest", "epochs=+3", "optimizer=adam", "--use", "mine.py"]) == 0
    forget()
    assert "heavy is an option of mine.py" in error_of(capsys, "explain", "latest")
    write(ALL.replace("+= g", "+= 2 * g"))
    assert "has changed since" in error_of(capsys, "rerun", "latest", "--check", "--use", "mine.py")


def test_a_row_that_is_known_from_an_earlier_call_is_recorded_with_its_file(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write(ALL)
    own_rows.use(["mine.py"])
    assert main(["activation=cube", *QUIET]) == 0
    forget()
    assert "cube is an option of mine.py" in error_of(capsys, "explain", "latest")


def test_an_edit_that_is_refused_leaves_the_rows_as_they_were(write: Write) -> None:
    write(ALL)
    own_rows.use(["mine.py"])
    write(ALL.replace("default=0.25", "default=7"))
    with pytest.raises(UserError, match=r"the default of activation\.bend=7"):
        own_rows.use(["mine.py"])
    assert xortrain.train("activation=bent", "epochs=1").config["activation"]["bend"] == 0.25


def test_a_file_may_define_data_classes(write: Write) -> None:
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int = 2\n"
    )
    write(text + HEAD + 'a = xortrain.Activation("h", lambda z: A().x * z)\n')
    own_rows.use(["mine.py"])
    assert "a" in ACTIVATIONS
