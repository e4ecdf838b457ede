"""A gallery of films: each layout, and the nets and data a film must be able to show, as GIFs in one folder.

python examples/gallery.py [FOLDER]; look at them when anything in xortrain/films has changed.
"""

import subprocess
import sys
from pathlib import Path

RUNS = {
    "xor": ["lr=1"],
    "xor-field": ["lr=1", "film=field"],
    "xor-weights": ["lr=1", "film=weights"],
    "xor-dark": ["lr=1", "film.dark=true"],
    "deep": ["architecture.hidden=[8,8]", "activation=tanh", "optimizer=adam", "lr=0.02", "epochs=300"],
    "softmax": ["loss=cross_entropy", "lr=2", "epochs=300"],
    "parity": ["data=parity", "data.bits=3", "architecture.hidden=[3]", "optimizer=adam", "lr=0.1", "epochs=600"],
    "spiral": ["data=spiral", "architecture.hidden=[8]", "activation=tanh", "optimizer=adam", "lr=0.05", "epochs=800"],
    "diverged": ["loss=mse", "activation=relu", "lr=1.5", "init=he_normal", "epochs=100"],
    "signs": ["data.low=-1", "data.high=1", "loss=mse", "activation=tanh", "output=tanh", "lr=0.3", "epochs=300"],
    "skip": ["architecture=skip", "architecture.hidden=[1]", "lr=2", "epochs=400"],
    "encoder": ["data=encoder", "architecture.hidden=[3]", "loss=cross_entropy", "optimizer=adam", "epochs=600"],
}
SWEEPS = {
    "sweep-seeds": ["seed=range(100)", "lr=2", "epochs=400"],
    "sweep-grid": ["lr=0.5,1,2,4", "seed=range(12)", "epochs=300"],
    "sweep-losses": ["seed=range(100)", "lr=2", "epochs=400", "film=losses"],
}


def made(overrides: list[str], folder: Path, name: str) -> None:
    """Train by the command line, and keep the film under a name of its own."""
    root = folder / "records" / name
    subprocess.run(
        [sys.executable, "-m", "xortrain", *overrides, f"root={root}"], check=True, stdout=subprocess.DEVNULL
    )
    for film in sorted(root.rglob("film.*"))[:1]:
        film.replace(folder / f"{name}{film.suffix}")
        print(folder / f"{name}{film.suffix}")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "gallery")
    folder.mkdir(parents=True, exist_ok=True)
    for name, overrides in RUNS.items():
        made(overrides, folder, name)
    for name, overrides in SWEEPS.items():
        made(["-m", *overrides], folder, name)


if __name__ == "__main__":
    main()
