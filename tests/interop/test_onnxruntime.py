"""ONNX models in onnxruntime give what `predict` gives, for all activations and dtypes, or are refused by name."""

import io
import json
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from xortrain.bridges.model import Model
from xortrain.bridges.onnx_model import write_onnx
from xortrain.bridges.onnx_operators import IR_VERSION, OPERATORS, OPSET
from xortrain.config.compose import compose
from xortrain.config.settings import defaults_of
from xortrain.errors import UserError
from xortrain.nets.activations import ACTIVATIONS
from xortrain.runner.train import train_run

pytestmark = pytest.mark.interop
BOUNDS = {"float64": 1e-12, "float32": 1e-6}
ARCHITECTURES: tuple[dict[str, Any], ...] = (
    {"name": "mlp", "hidden": [3], "bias": True, "activations": None},
    {"name": "mlp", "hidden": [], "bias": True, "activations": None},
    {"name": "mlp", "hidden": [2, 5, 3], "bias": False, "activations": None},
    {"name": "skip", "hidden": [4, 2], "bias": True, "activations": None},
    {"name": "skip", "hidden": [2], "bias": False, "activations": [{"name": "leaky_relu", "slope": 0.25}]},
)
onnxruntime.set_default_logger_severity(4)


def session(content: bytes) -> Any:
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


@cache
def config(*overrides: str) -> dict[str, Any]:
    return compose(overrides)


def content_of(run: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    write_onnx(Model.of(run, **options), file)
    return file.getvalue()


def assert_close(y: Any, expected: Any) -> None:
    """Assert that differences are within the bound of the dtype, times the largest output if that is more than 1.

    In float32 sums of larger terms leave more than 1e-6 of a small output undecided, in NumPy as in onnxruntime.
    """
    largest = np.abs(expected).max() if expected.dtype == np.float32 else np.abs(expected)
    assert (np.abs(y - expected) <= BOUNDS[expected.dtype.name] * np.maximum(1, largest)).all()


def refused(dtype: str, *activations: str) -> bool:
    return dtype == "float64" and "gelu" in activations


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_onnxruntime_gives_what_predict_gives(activation: str, architecture: dict[str, Any], dtype: str) -> None:
    """Inputs are in the units of the data; each activation is that of hidden layers, and of outputs."""
    base = config("data=gauss", "data.scale=standard", "loss=mse", "epochs=0")
    own = {"name": activation, **defaults_of("activation", activation)}
    x = np.random.RandomState(3).normal(0, 4, (60, 2)).astype(dtype)
    for output in ("identity", activation) if activation != "softmax" else ("identity",):
        of_output = {"name": output, **defaults_of("output", output)}
        changes = {"architecture": architecture, "activation": own, "output": of_output, "dtype": dtype}
        run = train_run({**base, **changes})
        used = [layer.activation for layer in run.network.layers]
        if refused(dtype, *used):
            with pytest.raises(UserError, match=r"=gelu: erf has no float64 kernel in onnxruntime"):
                content_of(run)
            continue
        (y,) = session(content_of(run)).run(None, {"x": x})
        expected = run.predict(x)
        assert y.dtype == expected.dtype == dtype
        assert_close(y, expected)


@pytest.mark.parametrize("dtype", BOUNDS)
def test_trained_networks_give_probabilities_and_numbers_in_the_units_of_the_data(dtype: str) -> None:
    x = np.random.RandomState(0).normal(0, 3, (80, 4))
    targets = {
        "classes": np.array(["low", "middle", "high"])[np.digitize(x[:, 0] * x[:, 1], [-3, 3])],
        "numbers": 1000 + 200 * np.sin(x[:, :2]),
    }
    import xortrain

    for name, t in targets.items():
        run = xortrain.train(
            f"dtype={dtype}", "data.scale=standard", "epochs=20", "architecture.hidden=[8]", data=(x, t),
            inputs=["a", "b", "c", "d"],
        )  # fmt: skip
        for best in (False, True):
            made = content_of(run, best=best)
            (y,) = session(made).run(None, {"x": x.astype(dtype)})
            assert_close(y, run.predict(x, best=best))
        texts = {entry.key: entry.value for entry in onnx.load_from_string(made).metadata_props}
        assert json.loads(texts["inputs"]) == ["a", "b", "c", "d"]
        assert json.loads(texts["classes"]) == (["high", "low", "middle"] if name == "classes" else [])
        if name == "classes":
            np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("operation", OPERATORS, ids=lambda operation: OPERATORS[operation].name)
def test_onnxruntime_has_the_kernels_that_the_table_states(operation: Any) -> None:
    row, count = OPERATORS[operation], getattr(operation, "nin", 3)  # numpy.where and numpy.clip are no ufuncs
    for kind in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE):
        kinds = [onnx.TensorProto.BOOL if k < row.truths else kind for k in range(count)]
        info = onnx.helper.make_tensor_value_info
        inputs = [info(f"i{k}", own, []) for k, own in enumerate(kinds)]
        node = onnx.helper.make_node(row.name, [one.name for one in inputs], ["o"])
        output = info("o", onnx.TensorProto.BOOL if row.gives_truth else kind, None)
        graph = onnx.helper.make_graph([node], "one", inputs, [output])
        opsets = [onnx.helper.make_opsetid("", OPSET)]
        made = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION).SerializeToString()
        if kind == onnx.TensorProto.FLOAT or row.has_double:
            session(made)
        else:
            with pytest.raises(Exception, match="NOT_IMPLEMENTED"):
                session(made)


def test_the_opset_is_the_one_in_the_docs() -> None:
    made = onnx.load_from_string(content_of(train_run(config("epochs=0"))))
    assert [(own.domain, own.version) for own in made.opset_import] == [("", OPSET)]
    onnx.checker.check_model(made, full_check=True)
