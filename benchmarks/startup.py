"""From the shell to the finished film, against a process that only composes, imports and draws an empty figure.

That process composes the same config with Hydra's main, imports imageio and draws an empty figure with Agg.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from results import in_turn, keep, ratio

BASE = """
import hydra, imageio.v3
from hydra.core.config_store import ConfigStore
from matplotlib.figure import Figure
from matplotlib.backends.backend_agg import FigureCanvasAgg

ConfigStore.instance().store(group="output", name="auto", node={{"name": "auto"}})

@hydra.main({conf!r}, "config", version_base="1.3")
def main(config):
    figure = Figure(figsize=(4.32, 2.88), dpi=100)
    figure.add_subplot()
    FigureCanvasAgg(figure).draw()

main()
"""
BOUNDS = {"field": 1.3, "story": 2.3}


def main() -> None:
    conf = str(Path(__file__).parents[1] / "conf")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "base.py"
        script.write_text(BASE.format(conf=conf))

        def process(*words: str) -> None:
            kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as an installed program
            environment = {**kept, "OMP_NUM_THREADS": "1"}
            command = [sys.executable, *words]
            subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)

        subjects = {"base": lambda: process(str(script), "lr=1", "film=field")}
        for film in BOUNDS:
            subjects[film] = lambda film=film: process("-m", "xortrain", "lr=1", f"film={film}")  # type: ignore[misc]
        seconds = in_turn(subjects, rounds=11)
    lines = [f"{name:<8}{sorted(times)[len(times) // 2]:6.3f} s" for name, times in seconds.items()]
    lines += [f"film={f} / base: {ratio(seconds, f, 'base'):.2f} (at most {most})" for f, most in BOUNDS.items()]
    keep("startup", lines)


if __name__ == "__main__":
    main()
