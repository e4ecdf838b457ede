"""The machine's bits are those of the instruction set's family, on whichever processor and with whichever compiler.

The digests are of libraries that gcc 12 made for x86.  Those that clang 14 made gave the same, and so did NEON and
AVX-512 in emulators.
"""

from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from test_engine import ended, setup_of

from xortrain.machine.build import SETS, VARIABLE
from xortrain.machine.library import library

UNIFORM = {"init": "uniform", "epochs": 200}
"""Start weights, like the examples, that need no function of the C library."""
CASES: dict[str, dict[str, Any]] = {
    "the default": {},
    "float32": {"dtype": "float32"},
    "tanh, mse, deep": {"activation": "tanh", "loss": "mse", "architecture": ("mlp", {"hidden": [3, 4, 2]})},
    "softplus, adam, skip": {"activation": "softplus", "optimizer": "adam", "architecture": ("skip", {"hidden": [3]})},
    "elu, rmsprop, wide": {"activation": "elu", "optimizer": "rmsprop", "architecture": ("mlp", {"hidden": [40, 20]})},
    "classes, adadelta": {"loss": "cross_entropy", "data": ("encoder", {"size": 5}), "optimizer": "adadelta"},
    "online, momentum": {"batch_size": 1, "optimizer": ("sgd", {"momentum": 0.9}), "lr": 0.05},
    "diverging": {"activation": "relu", "lr": 1e3, "output": "identity", "loss": "mse"},
}
DIGESTS = {
    "fma": {
        "the default": "d7014e2ee131894e",
        "float32": "82116cbffc1f4030",
        "tanh, mse, deep": "fd5cab917da212d1",
        "softplus, adam, skip": "bb2c9913b5474e1f",
        "elu, rmsprop, wide": "85649268677ae79b",
        "classes, adadelta": "d9ea851febec9910",
        "online, momentum": "5b1a16a2208b393f",
        "diverging": "2cc9708d0e7c422c",
    },
    "plain": {
        "the default": "ca9c4c2a739dcebe",
        "float32": "2656f382a12dd242",
        "tanh, mse, deep": "dd44b1ac125f9c35",
        "softplus, adam, skip": "1802503bcd55ba34",
        "elu, rmsprop, wide": "244c3d400eb7d524",
        "classes, adadelta": "227685418e02e2b3",
        "online, momentum": "82d0e00e1934b96d",
        "diverging": "671f6ff8f373b0ea",
    },
}


def digest(changes: dict[str, Any]) -> str:
    found = ended(setup_of({}, 11, **{"engine": "compiled", "lr": 0.5} | UNIFORM | changes))
    numbers = (found[name] for name in ("losses", "frames", "theta"))
    with_one_nan = (np.where(np.isnan(array), np.nan, array) for array in numbers)  # which nan is left open
    return sha256(b"".join(array.tobytes() for array in (*with_one_nan, found["at"]))).hexdigest()[:16]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("instruction_set", [name for name in SETS if library(name)])
def test_a_training_has_the_bits_of_the_family(
    instruction_set: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, instruction_set)
    assert digest(CASES[name]) == DIGESTS[SETS[instruction_set].family][name]
