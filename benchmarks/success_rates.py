"""Writes xortrain/views/success_rates.csv: of 1,000 seeds, how many learn XOR, by network and initializer.

Each row counts the runs of this command, with its values, that have every output on its target's side of 1/2:
xortrain -m activation=relu 'architecture.hidden=[2]' init=randn lr=0.125 'seed=range(1000)' epochs=5000 film=none
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np

import xortrain.views
from xortrain.config.compose import compose
from xortrain.runner.train import train_in_memory
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.outcome import code

SEEDS, EPOCHS = 1000, 5000
ACTIVATIONS = ["sigmoid", "tanh", "relu", "leaky_relu"]
HIDDEN = [2, 3, 4, 8]
INITIALIZERS = ["randn", "xavier_uniform", "he_uniform", "torch_default", "uniform"]
RATES = [0.0625, 0.125, 0.25, 0.5, 1.0, 2.0]  # for a sum over the examples; 4 times as large for their mean
FILE = Path(xortrain.views.__file__).with_name("success_rates.csv")


def solved(activation: str, hidden: int, init: str) -> list[int]:
    """The number of seeds that are solved, for each learning rate."""
    net = [f"activation={activation}", f"architecture.hidden=[{hidden}]", f"init={init}"]
    config = compose([*net, f"epochs={EPOCHS}", "track.losses=2", "track.frames=2"])
    varying = {"lr": np.repeat(RATES, SEEDS), "seed": np.tile(np.arange(SEEDS, dtype=np.uint32), len(RATES))}
    setup = Setup.of(Population(config, varying, np.arange(SEEDS * len(RATES))))
    outcome = train_in_memory(setup).rows["outcome"].reshape(len(RATES), SEEDS)
    return [int(n) for n in (outcome == code("solved")).sum(axis=1)]


def main() -> None:
    what = f"{SEEDS} seeds, {EPOCHS} epochs of data=xor loss=bce (sum) optimizer=sgd"
    lines = [f"# of {what}; made by python benchmarks/success_rates.py", "activation,hidden,init,lr,solved"]
    for activation, hidden, init in product(ACTIVATIONS, HIDDEN, INITIALIZERS):
        counts = solved(activation, hidden, init)
        lines += [f"{activation},{hidden},{init},{lr:g},{n}" for lr, n in zip(RATES, counts, strict=True)]
        print(activation, hidden, init, counts, file=sys.stderr)
    FILE.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
