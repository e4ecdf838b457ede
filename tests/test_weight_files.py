"""Weights that leave a record and come back, in a file or as arrays, have the same bits; else one line says why."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xortrain
from xortrain.api import Sweep
from xortrain.bridges.model import Model, write_npz
from xortrain.commands.export import export
from xortrain.config.check import check_stored
from xortrain.config.weight_files import weights_in
from xortrain.errors import UserError
from xortrain.setup.population import MOST_WEIGHTS

pytestmark = pytest.mark.usefixtures("in_own_folder", "quick_composition")
ARCHITECTURES: tuple[list[str], ...] = (
    [],
    ["architecture.hidden=[]", "dtype=float32"],
    ["architecture.hidden=[3,1]", "architecture.bias=false"],
    ["architecture=skip", "architecture.hidden=[2]", "dtype=float32"],
)
Arrays = dict[str, Any]
W: Arrays = {"W1": [[1.0, 2.0], [3.0, 0.1]], "b1": [5.0, -6.0], "W2": [[7.0, 8.0]], "b2": [1e-300]}


def safetensors(arrays: Arrays) -> bytes:
    """Return arrays in the format as its description has it."""
    header, numbers = dict[str, Any](), b""
    for name, values in arrays.items():
        own = np.asarray(values)
        kind = {"float64": "F64", "float32": "F32"}[own.dtype.name]
        header[name] = {"dtype": kind, "shape": own.shape, "data_offsets": [len(numbers), len(numbers) + own.nbytes]}
        numbers += own.tobytes()
    text = json.dumps({"__metadata__": {"by": "hand"}, **header}).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def npz(arrays: Arrays) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.fixture(scope="module")
def sweeps(in_own_folder: None) -> list[tuple[list[str], Sweep]]:
    return [(own, xortrain.sweep(*own, "seed=3,4", "epochs=2", "film=none")) for own in ARCHITECTURES]


@pytest.mark.parametrize("ending", ["npz", "csv", "safetensors"])
def test_exported_weights_start_a_network_with_the_same_bits(
    sweeps: list[tuple[list[str], Sweep]], ending: str, tmp_path: Path
) -> None:
    for own, sweep in sweeps:
        paths = [tmp_path / f"{sweep.parts[0].path.replace('/', '-')}-{k}.{ending}" for k in range(2)]
        for k, path in enumerate(paths):
            words = ["--what", "parameters" if ending == "csv" else "model", "--output", str(path)]
            if ending == "safetensors":
                path.write_bytes(safetensors(Model.of(sweep[k]).parameters))
            else:
                export([f"{sweep.folder}#{k}", *words])
            run = xortrain.train(*own, f"init.weights={path}", "epochs=0")
            np.testing.assert_array_equal(run.parameters[0], sweep[k].parameters[-1])
        if ending != "npz" or own not in ARCHITECTURES[::3]:
            continue
        both = xortrain.sweep(*own, f"init.weights={','.join(map(str, paths))}", "epochs=0", "film=none")
        assert len(both.parts) == 1
        for k, run in enumerate(both):
            np.testing.assert_array_equal(run.parameters[0], sweep[k].parameters[-1])
            assert json.loads(json.dumps(run.config))["init"]["weights"]["W1"] == sweep[k].at(2)["W1"].tolist()


def test_the_best_weights_can_be_exported(sweeps: list[tuple[list[str], Sweep]], tmp_path: Path) -> None:
    run = sweeps[0][1][0]
    export([f"{run.folder}#0", "--what", "model", "--best", "--output", str(tmp_path / "b.npz")])
    np.testing.assert_array_equal(run.network.join(weights_in(str(tmp_path / "b.npz"))), run.best_theta)


@pytest.mark.parametrize("runs", [1, 3])
def test_arrays_with_an_axis_of_runs_are_one_population_whose_runs_are_those_alone(runs: int) -> None:
    many = {name: np.stack([np.array(own) + k for k in range(runs)], axis=-1) for name, own in W.items()}
    many["b2"] = np.array(W["b2"])  # shared by all
    sweep = xortrain.sweep("lr=0.5,2", "epochs=2", "film=none", weights=many)
    assert (len(sweep), len(sweep.parts)) == (2 * runs, 1)
    for number, run in enumerate(sweep):
        own = {name: own[..., number % runs] if name != "b2" else own for name, own in many.items()}
        alone = xortrain.train(f"lr={(0.5, 2)[number // runs]}", "epochs=2", weights=own)
        np.testing.assert_array_equal(run.parameters, alone.parameters)
        assert run.config["init"] == alone.config["init"]


def test_large_networks_with_an_axis_of_runs_are_a_population_each() -> None:
    units = MOST_WEIGHTS // 4 + 1
    shapes = {"W1": (units, 2, 2), "b1": (units, 2), "W2": (1, units, 2), "b2": (1, 2)}
    many = {name: np.arange(np.prod(shape)).reshape(shape) / 100 for name, shape in shapes.items()}
    sweep = xortrain.sweep(f"architecture.hidden=[{units}]", "seed=1,2", "epochs=0", "film=none", weights=many)
    assert [run.config["seed"] for run in sweep] == [1, 1, 2, 2]
    for number, run in enumerate(sweep):
        assert run.parameters[0].tolist() == run.network.join({n: v[..., number % 2] for n, v in many.items()}).tolist()


def test_names_of_a_sequential_of_pytorch_are_understood() -> None:
    torch = {"net.0.weight": W["W1"], "net.0.bias": W["b1"], "net.2.weight": W["W2"], "net.2.bias": W["b2"]}
    Path("torch.safetensors").write_bytes(
        safetensors({name: np.asarray(own, np.float32) for name, own in torch.items()})
    )
    expected = np.concatenate([np.ravel(np.asarray(own, np.float32)) for own in W.values()])
    assert xortrain.train("init.weights=torch.safetensors", "epochs=0").parameters[0].tolist() == expected.tolist()
    exact = xortrain.train("epochs=0", weights=torch)
    assert {name: own.tolist() for name, own in exact.at(0).items()} == W


def test_a_table_of_parameter_and_number_is_enough() -> None:
    rows = [
        f'"{name}[{", ".join(map(str, k))}]",{float(v)!r}' for name, own in W.items() for k, v in np.ndenumerate(own)
    ]
    Path("plain.csv").write_text("parameter,value\n" + "\n".join(rows))
    assert weights_in("plain.csv").keys() == W.keys()
    assert all(weights_in("plain.csv")[name].tolist() == own for name, own in W.items())


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("W1.npy", bytes(65 << 20))
    return file.getvalue()


def huge_claim() -> bytes:
    file, content = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)})
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("W1.npy", content.getvalue())
    return file.getvalue()


def overlapping() -> bytes:
    """Tensors that all have the same bytes, which would be far more together."""
    own = {"dtype": "I8", "shape": [1 << 20], "data_offsets": [0, 1 << 20]}
    header = json.dumps({f"W{k}": own for k in range(100)}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(1 << 20)


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "objects": ("npz", lambda: npz({"W1": np.array([{}], object)}), "something other than numbers"),
    "texts": ("npz", lambda: npz({"W1": np.array(["a"])}), "something other than numbers"),
    "a bomb": ("npz", bomb, "more than"),
    "a claim": ("npz", huge_claim, "has 0 bytes where"),
    "no archive": ("npz", lambda: b"PK", "not readable"),
    "nothing": ("npz", lambda: npz({}), "has no arrays"),
    "nan": ("npz", lambda: npz({**W, "b1": [np.nan, 1]}), "b1: must be finite"),
    "short": ("safetensors", lambda: b"\1", "not readable"),
    "a long header": ("safetensors", lambda: struct.pack("<Q", 1 << 60) + b"{}", "states a header of"),
    "no header": ("safetensors", lambda: struct.pack("<Q", 2) + b"[]", "not readable"),
    "outside": (
        "safetensors", lambda: safetensors({"W1": np.zeros(3)})[:-8], "W1 is not inside the file",
    ),
    "another shape": (
        "safetensors", lambda: safetensors({"W1": np.zeros((1, 3))}).replace(b"[1, 3]", b"[2, 3]"), "has 24 bytes",
    ),
    "tensors that overlap": ("safetensors", overlapping, "has more than"),
    "a place twice": ("csv", lambda: b'parameter,value\n"b1[0]",1\n"b1[0]",2\n', "is there twice"),
    "bfloat16": ("safetensors", lambda: safetensors(W).replace(b"F64", b"BF9"), "is BF9; known: F64"),
    "several runs": ("csv", lambda: b'id,epoch,"b1[0]"\na,0,1\nb,0,1\n', "has 2 runs; select one"),
    "holes": ("csv", lambda: b'"b1[1]"\n1\n', "b1 has 1 numbers, which do not fill an array"),
    "a word": ("csv", lambda: b'"b1[0]"\nx\n', "could not convert"),
    "binary": ("csv", lambda: b"\xff\xfe\0", "not readable"),
    "a large place": ("csv", lambda: b'"W1[999999999, 999999999]"\n1\n', "which do not fill an array"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_cannot_be_is_one_line_with_its_name(name: str) -> None:
    ending, content, message = HOSTILE[name]
    path = Path(f"hostile.{ending}")
    path.write_bytes(content())
    with pytest.raises(UserError, match=message) as caught:
        xortrain.train(f"init.weights={path}")
    assert str(path) in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({**W, "W1": [[1.0, 2.0, 3.0]] * 2}, r"W1: has shape \[2, 3\], must have \[2, 2\]"),
        ({name: W[name] for name in ("W1", "b1", "W2")}, r"b2: is missing; this network has W1 \[2, 2\], b1 \[2\]"),
        ({**W, "W9": [1.0]}, r"W9: no such parameter of this network"),
    ],
)
def test_what_does_not_fit_the_network_names_the_file(weights: Arrays, message: str) -> None:
    Path("unfit.npz").write_bytes(npz(weights))
    for train, before in ((xortrain.train, ""), (xortrain.sweep, "job 0: ")):
        with pytest.raises(UserError, match=rf"^{before}init\.weights=unfit\.npz: {message}"):
            train("init.weights=unfit.npz", "film=none")
    with pytest.raises(UserError, match=message.replace("^", "")):
        xortrain.train(weights=weights)


@pytest.mark.parametrize(
    ("weights", "overrides", "message"),
    [
        (5, [], "weights: must be arrays by the name of a parameter, .* not a int"),
        ("net.npz", [], "a file is init.weights=net.npz"),
        ({**W, "b1": ["x", 1]}, [], r"weights\['b1'\]: must be an array of numbers"),
        ({**W, "b1": [np.inf, 1]}, [], r"weights\['b1'\]: must be finite"),
        (W, ["init=randn"], "init=randn: your own arrays, .* take its place"),
        (W, ["init.weights={W1:[[1]]}"], "init.weights: your own arrays, .* take its place"),
    ],
)
def test_arrays_that_cannot_be_are_one_line(weights: Any, overrides: list[str], message: str) -> None:
    for train in (xortrain.train, xortrain.sweep):
        with pytest.raises(UserError, match=message):
            train(*overrides, "film=none", weights=weights)


def test_a_record_that_names_a_file_does_not_have_it_read(monkeypatch: pytest.MonkeyPatch) -> None:
    config = xortrain.train("epochs=0", weights=W).config
    monkeypatch.setattr("xortrain.config.weight_files.content_of", lambda *_: pytest.fail("was read"))
    config["init"]["weights"] = "net.npz"
    with pytest.raises(UserError, match="a record names no file"):
        check_stored(config)


def test_other_files_and_missing_ones_are_one_line() -> None:
    for name, message in (
        ("net.onnx", "must be a file, .npz, .safetensors, .csv, or a mapping"),
        ("no.npz", "is missing"),
    ):
        with pytest.raises(UserError, match=message):
            xortrain.train(f"init.weights={name}")


def test_a_model_as_npz_has_nothing_but_its_arrays() -> None:
    file = io.BytesIO()
    write_npz(Model.of(xortrain.train("epochs=0", weights=W)), file)
    with np.load(io.BytesIO(file.getvalue()), allow_pickle=False) as arrays:
        assert {name: arrays[name].tolist() for name in arrays} == W
