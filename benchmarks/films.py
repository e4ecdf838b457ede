"""The cost of films: against the notebook's code, against the encoder alone, and of several films in a row.

OMP_NUM_THREADS=1 python benchmarks/films.py; every ratio is of subjects measured in turns in one run.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from PIL import Image
from results import in_turn, keep, ratio
from trained import save, trained

from xortrain.films.film import make_layout, write_film
from xortrain.films.film_settings import FilmSettings

FRAMES = 60
FIELD = FilmSettings(layout="field", frames=FRAMES)

NOTEBOOK = """
import os, subprocess, sys
import numpy as np
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
sys.path.insert(0, {here!r})
from trained import load
levels, frames, shots = {levels}, {frames}, []
one = load("run.npz")
u = np.linspace(-0.5, 1.5, 200)
grid = np.stack(np.meshgrid(u, u), -1).reshape(-1, 2)
for number in np.linspace(0, 140, frames).astype(int):
    y = one.network.forward(one.parameters[number, :, 0], grid).y.reshape(200, 200)
    plt.figure(figsize=(4.32, 2.88))
    plt.contourf(u, u, y, levels, cmap="RdBu")
    plt.colorbar()
    plt.scatter(*one.x.T, c=one.t[:, 0], cmap="RdBu", edgecolors="k")
    plt.title(f"epoch {{number}}")
    plt.savefig(f"frame_{{number:03d}}.png")
    plt.close()
    shots.append(f"frame_{{number:03d}}.png")
if {convert!r}:
    subprocess.run([{convert!r}, "-delay", "10", "-loop", "0", *shots, "film.gif"], check=True)
else:
    from PIL import Image
    first, *rest = [Image.open(shot) for shot in shots]
    first.save("film.gif", save_all=True, append_images=rest, duration=100, loop=0)
"""
RENDER = ("-m", "xortrain", "render", "latest", "film=field", f"film.frames={FRAMES}", "--output", "film.gif")
OURS = """
import sys
sys.path.insert(0, {here!r})
from trained import load
from xortrain.films.film_settings import FilmSettings
from xortrain.films.film import write_film
write_film(load("run.npz"), FilmSettings(layout="field", frames={frames}, levels={levels}), "film.gif")
"""


def cpu_of(command: list[str], folder: str) -> float:
    """Seconds of processor time of a process and its children."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as an installed program
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=kept, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imagemagick() -> str:
    """The path of ImageMagick's convert, empty if there is none: other programs have that name too."""
    path = shutil.which("convert") or ""
    said = path and subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    return path if said.startswith("Version: ImageMagick") else ""


def against_the_notebook() -> list[str]:
    """Whole processes from the shell to the file, in wall time and processor time, from the same snapshots.

    The command reads them from a record, and has to find out what is in it.
    """
    convert, here = imagemagick(), str(Path(__file__).parent)
    spent: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        save(trained(140), Path(folder) / "run.npz")
        cpu_of([sys.executable, "-m", "xortrain", "lr=1", "epochs=140", "film=none"], folder)

        def run(name: str, *words: str) -> None:
            spent.setdefault(name, []).append(cpu_of([sys.executable, *words], folder))
            sizes[name] = (Path(folder) / "film.gif").stat().st_size

        def process(name: str, script: str, **options: object) -> None:
            run(name, "-c", script.format(here=here, frames=FRAMES, **options))

        if convert:
            process("notebook, its 100 levels", NOTEBOOK, levels=100, convert=convert)
        process("field, 100 levels", OURS, levels=100)
        subjects = {
            "savefig + Pillow": lambda: process("savefig + Pillow", NOTEBOOK, levels=24, convert=""),
            "field": lambda: process("field", OURS, levels=24),
            "render": lambda: run("render", *RENDER),
        }
        if convert:
            subjects["notebook"] = lambda: process("notebook", NOTEBOOK, levels=24, convert=convert)
        seconds = in_turn(subjects, rounds=3)
    lines = [f"{name}: {min(times):.2f} s of CPU, {sizes[name]:,} bytes" for name, times in spent.items()]
    bounds = [("notebook", "field", 25), ("savefig + Pillow", "field", 15), ("savefig + Pillow", "render", 15)]
    for name, ours, least in bounds:
        if name in seconds:
            by_cpu = min(spent[name]) / min(spent[ours])
            ratios = f"{ratio(seconds, name, ours):.1f} by the clock, {by_cpu:.1f} by CPU"
            lines.append(f"{name} / {ours}, whole process: {ratios} (at least {least})")
    if convert:
        whole = sizes["notebook, its 100 levels"]
        shares = sizes["field"] / whole, sizes["field, 100 levels"] / whole
        lines.append(
            f"bytes / notebook's: {shares[0]:.2f} (at most 0.25), with 100 levels {shares[1]:.2f} (at most 0.6)"
        )
    return lines


def a_frame(film: Path) -> list[str]:
    """Processor time of a frame, including encoder and set-up of the film, in a process that has made a film before."""
    subjects = {"field": (trained(140), 2.0), "story": (trained(140), 14.2), "sweep": (trained(140, 100), 6.0)}
    lines = []
    for layout, (subject, most) in subjects.items():
        settings = FilmSettings(layout=layout, frames=FRAMES)
        seconds = []
        for _ in range(5):
            start = time.process_time()
            write_film(subject, settings, film)
            seconds.append(time.process_time() - start)
        bound = f"(at most {most:g})" if layout != "field" else "(a further film: at most 0.12 s)"
        lines.append(
            f"{layout}: {1000 * min(seconds[1:]) / FRAMES:.2f} ms of CPU a frame {bound}, a further film "
            f"{min(seconds[1:]):.3f} s{' (at most 1.1)' if layout == 'story' else ''}"
        )
    return lines


def ten_thousand(film: Path) -> list[str]:
    """A long film against the LZW coder alone on whole frames of the same film."""
    one, settings = trained(10_000, lr=0.5), FilmSettings(layout="field", frames=10_000, fps=50)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    write_film(one, settings, film)
    whole = time.process_time() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    layout = make_layout(one, settings)
    frames = [layout.frame(int(number)) for number in layout.chosen[::20]]
    start = time.process_time()
    for frame in frames:
        Image.fromarray(frame).tobytes("gif", "L", 8, 0)
    coder = (time.process_time() - start) / len(frames)
    return [
        f"10,000 frames: {whole:.1f} s of CPU, {whole / 10:.3f} ms a frame, peak memory {grown:+.0f} MB (at most 100)",
        f"field / LZW of whole frames ({1000 * coder:.3f} ms): {whole / 10_000 / coder:.2f} (at most 1.5)",
    ]


def films_of(count: int) -> float:
    """Processor time of several films."""
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        one = trained(140)
        for _ in range(count):
            write_film(one, FIELD, Path(folder) / "film.gif")
    return time.process_time() - start


def two_processes() -> list[str]:
    """Forty films in one process and in two, without their start.

    Wall time needs two idle cores; processor time shows whether the processes slow each other down.
    """
    spent: dict[str, list[float]] = {"one": [], "two": []}
    context = get_context("spawn")
    with context.Pool(1) as one, context.Pool(2) as two:

        def films(name: str, pool: Any) -> None:
            spent[name].append(sum(pool.map(films_of, [20] * 2, 1)))

        seconds = in_turn({"one": lambda: films("one", one), "two": lambda: films("two", two)}, rounds=3)
    by_cpu = 2 * min(spent["one"]) / min(spent["two"])
    return [
        f"two processes / one, films a second: {ratio(seconds, 'one', 'two'):.2f} by the clock, {by_cpu:.2f} "
        "by CPU (at least 1.7)"
    ]


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.gif"
        write_film(trained(140), FIELD, film)  # what is imported and looked up once
        lines = [*ten_thousand(film), *a_frame(film), *two_processes(), *against_the_notebook()]
    keep("films", lines)


if __name__ == "__main__":
    main()
