"""A gallery of films: each layout for many kinds of networks and data, and contact sheets with three frames a film.

python examples/gallery.py [FOLDER]; check the sheets by eye after a change in xortrain/films.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

import xortrain

QUICK = ["optimizer=adam", "activation=tanh"]
REAL = ["loss=mse", "output=identity", "success=tolerance", *QUICK, "lr=0.03", "epochs=300"]
RUNS = {
    "xor": ["lr=1"],
    "deep": ["architecture.hidden=[8,8]", *QUICK, "lr=0.02", "epochs=300"],
    "wide": ["data=circle", "architecture.hidden=[40,40]", "activation=relu", "optimizer=adam", "lr=0.01"],
    "none": ["architecture.hidden=[]", "lr=1"],
    "no-bias": ["architecture.bias=false", "architecture.hidden=[3]", "lr=1", "epochs=300"],
    "skip": ["architecture=skip", "architecture.hidden=[1]", "lr=2", "epochs=400"],
    "signs": ["data.low=-1", "data.high=1", "loss=mse", "activation=tanh", "output=tanh", "lr=0.3", "epochs=300"],
    "softmax": ["loss=cross_entropy", "lr=2", "epochs=300"],
    "three-bits": ["data=parity", "data.bits=3", "architecture.hidden=[3]", *QUICK, "lr=0.1", "epochs=300"],
    "six-bits": ["data=parity", "data.bits=6", "architecture.hidden=[12]", *QUICK, "lr=0.05", "epochs=800"],
    "eight-bits": ["data=parity", "data.bits=8", "architecture.hidden=[16]", *QUICK, "lr=0.05", "epochs=300"],
    "spiral": ["data=spiral", "architecture.hidden=[8]", *QUICK, "lr=0.05", "epochs=800"],
    "encoder": ["data=encoder", "architecture.hidden=[3]", "loss=cross_entropy", *QUICK, "lr=0.05", "epochs=300"],
    "classes": ["loss=cross_entropy", "architecture.hidden=[16]", *QUICK, "lr=0.03", "epochs=200"],
    "table": ["data=csv", "architecture.hidden=[8]", *QUICK, "lr=0.03", "epochs=200"],
    "real": ["architecture.hidden=[12]", *REAL],
    "curve": ["architecture.hidden=[8]", *REAL],
    "exploded": ["loss=mse", "activation=relu", "output=identity", "lr=1.5", "init=he_normal", "epochs=100"],
    "diverged": ["loss=mse", "activation=identity", "output=identity", "lr=0.9", "init=he_normal"],
}
SWEEPS = {
    "sweep-seeds": ["seed=range(0,100)", "lr=2", "epochs=400"],
    "sweep-grid": ["lr=0.5,1,2,4", "seed=range(0,12)", "epochs=300"],
}
LOOKS = {
    "default": {},
    "dark": {"dark": True},
    "smallest": {"field": (240, 160), "story": (640, 360), "weights": (320, 200)},
    "tall": {"story": (600, 1040)},
    "largest": {"field": (1296, 864), "story": (1280, 720), "weights": (1920, 1200)},
}


def classes(count: int = 14) -> tuple[np.ndarray, np.ndarray]:
    """Clouds of points on a ring, one class each."""
    kind, stream = np.arange(10 * count) % count, np.random.RandomState(0)
    turn = 2 * np.pi * kind / count
    ring = np.stack([np.cos(turn), np.sin(turn)], 1) * (2 + kind[:, None] % 2)
    return ring + 0.2 * stream.randn(len(kind), 2), np.eye(count)[kind]


def real() -> tuple[np.ndarray, np.ndarray]:
    """A smooth hill and a valley, with targets from -3 to 3."""
    x = np.random.RandomState(0).uniform(-2, 2, (60, 2))
    return x, 3 * np.sin(1.5 * x[:, 0]) * np.cos(x[:, 1])


def curve() -> tuple[np.ndarray, np.ndarray]:
    """One input, one real-valued target."""
    x = np.linspace(-3, 3, 40)[:, None]
    return x, 4 * np.sin(2 * x[:, 0])


def table(path: Path) -> None:
    """Write a CSV file with five inputs and a label in the last column."""
    x = np.random.RandomState(0).randn(80, 5) * [1, 2, 0.5, 1, 1]
    label = (x[:, 0] * x[:, 1] > 0).astype(int)
    np.savetxt(path, np.column_stack([x, label]), "%.6g", ",", header="a,b,c,d,e,label", comments="")


def sheet(films: list[Path], path: Path) -> None:
    """Write a PNG with one row for each film: its first, middle and last frame."""
    rows = []
    for film in films:
        with Image.open(film) as image:
            frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
        rows.append(np.concatenate([frames[number] for number in (0, len(frames) // 2, -1)], axis=1))
    Image.fromarray(np.concatenate(rows)).save(path)
    print(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("gallery"))
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    table(folder / "table.csv")
    own = {"classes": classes, "real": real, "curve": curve}
    more = {"table": [f"data.path={folder / 'table.csv'}"]}
    runs = {
        name: xortrain.train(*overrides, *more.get(name, []), data=own[name]() if name in own else None)
        for name, overrides in RUNS.items()
    }
    for look, changes in LOOKS.items():
        for layout in ("field", "story", "weights"):
            settings = {"size": changes[layout]} if layout in changes else changes
            films = [folder / f"{name}-{layout}-{look}.gif" for name in RUNS]
            for run, film in zip(runs.values(), films, strict=True):
                frames = {} if look == "default" and layout == "story" else {"frames": 30 if look == "default" else 3}
                run.film(film, layout=layout, **frames, **settings)
            for start in range(0, len(films), 5):
                sheet(films[start : start + 5], folder / f"sheet-{layout}-{look}-{start // 5}.png")
    for name, overrides in SWEEPS.items():
        sweep = xortrain.sweep(*overrides, "film=none", f"root={folder / 'records'}")
        for layout in ("sweep", "losses", "raster"):
            sheet([sweep.film(folder / f"{name}-{layout}.gif", layout=layout)], folder / f"sheet-{name}-{layout}.png")


if __name__ == "__main__":
    main()
