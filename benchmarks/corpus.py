"""What the program does, recorded once and compared later: numbers, rows, settings, frames and text.

    python benchmarks/corpus.py record    # writes corpus.json beside this file
    python benchmarks/corpus.py check     # runs everything again, prints each difference, exits 1 if there is one

The script imports nothing of the package: it runs the command line in temporary folders and reads the files that are
left, so modules may be renamed freely.  `--repo` takes another checkout, `--only numbers,frames` chooses parts,
`--text-ok` lists differences of text without failing, `--jobs` sets how many programs run at a time.

* numbers: hashes of losses, parameters, epochs and data, each array by itself
* rows: hashes of the columns of `runs.npy`, each by its name; what `record.json` says; the names of the files
* settings: those of `config.yaml` that differ from the defaults
* frames: hashes of the decoded frames of a film, and their durations
* text: what commands print, without times, ids and folders

Numbers depend on the kind of processor and on NumPy's version, frames also on Matplotlib's and Pillow's.
"""

import argparse
import ast
import contextlib
import csv
import difflib
import hashlib
import io
import itertools
import json
import os
import platform
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image, ImageSequence

PARTS = ("numbers", "rows", "settings", "frames", "text")
LIMIT = 60  # seconds for one command
MACHINE = ("versions", "platform", "cpu_features")
VOLATILE = {
    *MACHINE,
    "started",
    "ended",
    "seconds",
    "host",
    "version",
    "pid",
    "process_started",
    "command",
    "folder",
    "git",
}
"""Keys of record.json and columns of an export that depend on the time or the machine."""
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ID = re.compile(r"\d{4}-\d\d-\d\d/\d\d-\d\d-\d\d-\d{6}")
RULES = [
    (re.compile(r"^Traceback .*\n(?: .*\n|\n)*", re.MULTILINE), "Traceback: "),
    (ID, "<ID>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(\+00:00)?"), "<TIME>"),
    (re.compile(r"took [\d.,e-]+ (s|min|h)\b"), "took <SECONDS>"),
    (re.compile(r"^(time +about ).*", re.MULTILINE), r"\1<SECONDS>"),
    (re.compile(r"of [\d.,]+ [kMGT]?B that are free"), "of <SIZE> that are free"),
    (re.compile(r'(["\']seconds["\']: )[\d.e-]+'), r"\1<SECONDS>"),
    (re.compile(r"\b(python|numpy) \d+\.[.\d]+"), r"\1 <VERSION>"),
    (re.compile(r"^seconds  .*", re.MULTILINE), "seconds  <SECONDS>"),
    (re.compile(r" at 0x[0-9a-f]+"), ""),
    (re.compile(rf'(\bon |["\']host["\']: ["\']){re.escape(platform.node())}\b'), r"\1<HOST>"),
]

ADAM = "activation=tanh optimizer=adam lr=0.03"
CLASSES = ",".join(f"c{number}" for number in range(14))
OWN = {
    "table": "data=csv data.path=table.csv",
    "classes": f"data=csv data.path=classes.csv data.targets=[{CLASSES}]",
    "real": "data=csv data.path=real.csv",
    "curve": "data=csv data.path=curve.csv",
}
"""The gallery's runs with data of their own, which here come from a table."""

TRAININGS = {
    "plain": "",
    "filmed": "lr=1 film.frames=8",
    "float32": "dtype=float32 lr=1",
    "online": "batch_size=1 lr=0.5 seed=1 epochs=60",
    "minibatch": "data=moons data.test=0.25 batch_size=16 shuffle=false epochs=30 lr=0.1 loss.reduction=mean",
    "frozen": "freeze=[b1,W2] lr=1 epochs=50",
    "thinned": "epochs=3000 track.losses=50 track.frames=20 track.spacing=log",
    "layers": "architecture.hidden=[3,4] 'architecture.activations=[relu,{name: leaky_relu, slope: 0.5}]' epochs=50",
    "bits": "data=parity data.bits=5 architecture.hidden=[5] data.low=-1 loss=hinge output=identity epochs=60 lr=0.1",
    "named": "lr=1 epochs=20 name=first 'tags=[a,b]' 'notes=two words'",
    "sweep-activations": "-m 'activation=glob(*,exclude=[step,softmax])' 'seed=range(0,3)' lr=0.3 epochs=60",
    "sweep-outputs": "-m 'output=glob(*,exclude=[step,softmax,auto])' loss=mse 'seed=range(0,2)' lr=0.2 epochs=40",
    "sweep-auto": "-m loss=mse,bce,cross_entropy,mae,huber output=auto epochs=30",
    "sweep-losses": "-m loss=mse,half_sse,bce,mae,huber,smooth_l1,log_cosh,focal,atanh_error "
    "loss.reduction=mean,sum 'seed=range(0,2)' lr=0.3 epochs=60",
    "sweep-signed": "-m loss=hinge,squared_hinge,soft_margin data.low=-1 activation=tanh 'seed=range(0,3)' epochs=60",
    "sweep-smoothed": "-m loss=bce,cross_entropy loss.label_smoothing=0,0.1 'seed=range(0,2)' epochs=60",
    "sweep-inits": "-m 'init=glob(*,exclude=explicit)' 'architecture.hidden=[4,3]' 'seed=range(0,3)' epochs=20",
    "sweep-optimizers": "-m optimizer=adam,adamw,rmsprop,adagrad,adadelta,rprop,sgd 'seed=range(0,3)' epochs=80",
    "sweep-decay": "-m optimizer=sgd,adam,adamw ++optimizer.weight_decay=0,0.1 'seed=range(0,2)' epochs=40",
    "sweep-nesterov": "-m optimizer.momentum=0.5,0.9 optimizer.nesterov=false,true lr=0.3 epochs=80",
    "sweep-schedules": "-m schedule=constant,step,exponential,cosine lr=1,2 'seed=range(0,2)' epochs=120",
    "sweep-data": "-m 'data=glob(*,exclude=csv)' loss=mse,mae 'architecture.hidden=[4]' 'seed=range(0,2)' epochs=30",
    "sweep-shapes": f"-m {ADAM} data=xor,parity,spiral,moons 'architecture.hidden=[3],[5]' 'seed=range(0,2)' epochs=60",
    "sweep-success": "-m success=midpoint,tolerance,fahlman stop=solved,never 'seed=range(0,6)' lr=1 epochs=200",
    "sweep-stop-loss": "-m stop=loss stop.below=0.5,0.2 'seed=range(0,12)' lr=1 epochs=300",
    "sweep-stop-solved": "-m stop=solved lr=0.5,1,2 'seed=range(0,12)' epochs=300",
    "sweep-diverging": "-m activation=relu output=identity loss=mse lr=0.1,1,10 'seed=range(0,8)' epochs=80",
    "sweep-exploding": "-m loss=mse output=identity 'lr=20,1e5' 'seed=range(0,4)' epochs=60",
    "sweep-online": "-m batch_size=1 lr=0.1,0.5 'seed=range(0,4)' epochs=40",
    "sweep-own-data": f"-m {OWN['table']} data.test=0.2 {ADAM} 'architecture.hidden=[3],[4,4]' 'seed=range(0,3)' "
    "epochs=40",
    "sweep-own-seeds": "-m data=spiral data.examples=40 data.test=0.25 'data.seed=${seed}' 'seed=range(0,6)' epochs=40",
    "sweep-float32": "-m dtype=float32,float64 lr=0.5,1 'seed=range(0,4)' epochs=60",
    "sweep-explicit": "-m experiment=notebook_001 epochs=20 lr=0.1,0.75 activation.slope=0.1,0.5 init.scale=1,2",
    "sweep-skip": "-m architecture=skip,mlp 'architecture.hidden=[1],[2,2]' 'seed=range(0,4)' epochs=60",
    "sweep-bias": "-m architecture.bias=false,true freeze=[],[W1] 'seed=range(0,3)' epochs=40",
    "sweep-grid": "-m lr=0.1,1,10 'seed=range(0,30)'",
    "sweep-blocks": "-m data=parity data.bits=6 'architecture.hidden=[24]' 'seed=range(0,150)' epochs=10",
    "sweep-trimmed": "-m 'seed=range(0,40)' epochs=50 track.bytes=20000",
    "sweep-loky": "-m 'seed=range(0,20)' lr=1,2 epochs=40 hydra.launcher.engine=loky hydra.launcher.workers=2",
    "sweep-basic": "-m hydra/launcher=basic lr=1,2 epochs=20",
    "sweep-filmed": "-m activation=tanh,relu 'seed=range(0,4)' epochs=60 film=field film.each=true film.frames=4",
    "sweep-rumelhart": "-m experiment=rumelhart_1986 optimizer.momentum=0,0.9 'seed=range(0,20)' epochs=400",
    "sweep-kolen": "-m experiment=kolen_pollack_1990 init.scale=0.1,2 'seed=range(0,10)' epochs=600",
    "sweep-rprop": "-m experiment=rprop_1993 lr=0.1,1 'seed=range(0,10)' epochs=100",
}
"""Trainings beside the experiments and the gallery; `film=none` is added where no film is asked for."""

LOOKS = """xor film=story film.dark=true|xor film=field film.size=[240,160]|xor film=story film.size=[480,300]
xor film=weights film.size=[320,200]|xor film=story film.size=[600,900]|xor film=story film.size=[1920,1200]
xor film=field film.colours=viridis film.levels=6|xor film=field film.colours=rose|xor film=losses film.dark=true
xor film=story film.colours=grey film.spacing=log|xor film=weights film.dark=true|xor film=field film.spacing=epochs
xor film=field film.fps=30 film.hold=0 film.loop=false|xor film=field .png|xor film=field .webp|xor film=field --still
xor film=story --still|xor film=losses --still|xor film=weights --still|classes film=field film.colours=Accent
classes film=story film.dark=true|classes film=story .png|classes film=field film.colours=viridis
spiral film=story film.dark=true film.fps=12.5|spiral film=field film.size=[1296,864] .webp|spiral film=field --still
table film=story film.dark=true|real film=story film.size=[700,1000]|encoder film=story film.dark=true
diverged film=story film.dark=true|diverged film=field --still|exploded film=field film.dark=true
six-bits film=field film.size=[480,320]|three-bits film=story film.dark=true|curve film=field film.dark=true
sweep-grid film=sweep film.dark=true|sweep-grid film=sweep film.size=[500,700]|sweep-grid film=sweep .png
sweep-grid film=losses film.dark=true|sweep-grid film=losses --still|sweep-grid film=sweep --still
sweep-grid #17 film=story|sweep-grid #70 film=weights|sweep-seeds film=sweep film.colours=viridis
sweep-seeds film=losses film.size=[480,320]|sweep-diverging film=sweep film.dark=true|sweep-own-data #3 film=story
sweep-shapes film=sweep film.size=[1200,900]|sweep-activations film=sweep film.spacing=epochs"""
SWEPT = """shapes seeds grid diverging own-data own-seeds activations data
stop-solved stop-loss skip losses trimmed online blocks"""
"""Films: each layout of every run of the gallery, `sweep` and `losses` of these sweeps, and the looks above."""

RUNS = """film=none lr=1 name=first tags=[notebook]\nfilm=none optimizer.momentum=0.9 lr=0.5 seed=1
film=none activation=relu loss=mse output=identity lr=50 epochs=30
-m film=none lr=0.1,1,10 'seed=range(0,20)'\n-m film=none activation=tanh,relu optimizer=sgd,adam epochs=40"""
TRACKER = f"""{RUNS}\nls\nls --runs --limit 9\nls --runs --sort final_loss --limit 5 --columns lr,seed,solved_at
ls --where "outcome = 'solved' and lr >= 1"\nls --where "diverged_at >= 0" --columns lr,diverged_at,diverged_in --json
ls --tag notebook\nls --reverse --columns lr,optimizer.momentum,accuracy,runs,name\nls --json --limit 2 --columns lr
ls --where "optimizer = 'adam'" --sort best_loss\nls --where "lr > 1e9"\nshow latest\nshow latest#2
show latest#2 --json\nshow latest --json\ngroup latest\ngroup latest --by optimizer
group latest --by ""\ngroup latest --json --limit 1
compare latest#0 latest#3\ncompare latest#0 latest#3 --json\ncompare latest#0 latest#1 latest#2 --plot losses.svg
sql "select optimizer, count(*) as runs, avg(final_loss) from runs group by optimizer order by 1"
sql "select outcome, count(*) from runs group by 1 order by 1" --json\nsql "select lr, seed from runs where lr = 50"
sql "select number, outcome, reasons, solved_at, final_loss from runs where activation = 'sigmoid' order by lr, seed"
export latest\nexport latest --format jsonl\nexport latest#1 --what losses\nexport latest#1 --to one.npz
export latest --where "activation = 'tanh'" --to some.csv\nexport --sql "select lr, accuracy from runs order by 1, 2"
export latest#0 --what parameters --format csv --to parameters.csv\nrerun latest --check\nrerun latest#2 --check
rerun latest#2\nresume latest\ntag latest figure thesis\ntag latest thesis --remove\ntag latest figure --json
note latest "the rates of table 1"\nshow latest\nls --tag figure --json --columns tags,notes\nexplain latest --epoch 40
explain latest --epoch 7 --only forward\ncheck latest --epoch 3\nrender latest film=field film.frames=2 --json
rm latest --yes\nls"""
HELP = """--help\n--version\n--cfg job\n--cfg job optimizer=adam\n--cfg job experiment=rprop_1993\n--cfg job data=csv
ls --help\nshow --help\ngroup --help\ncompare --help\nsql --help\ntag --help\nnote --help\nrender --help\nexport --help
rerun --help\nresume --help\nrm --help\nexplain --help\ncheck --help\ndry_run=true
-m dry_run=true lr=1,2 'seed=range(0,100)' activation=tanh,relu"""
NETS = """experiment=notebook_000\nexperiment=notebook_001\nexperiment=notebook_003 optimizer=adam
architecture=skip architecture.hidden=[2,2] activation=tanh optimizer.momentum=0.9 optimizer.nesterov=true
data=encoder data.size=4 loss=focal activation=gelu optimizer=adamw schedule=cosine init=xavier_normal
data.low=-1 loss=hinge architecture.activations=[elu] batch_size=1 optimizer=rmsprop architecture.bias=false"""
MORE = """activation=softplus loss=huber\nactivation=mish loss=log_cosh\nactivation=sin loss=smooth_l1 output=identity
activation=gaussian loss=mae\nactivation=silu loss=half_sse\nactivation=softsign loss=atanh_error optimizer=adagrad
activation=selu loss=soft_margin data.low=-1\nactivation=celu optimizer=adadelta loss=cross_entropy
activation=hardswish optimizer=rprop loss=squared_hinge data.low=-1\nactivation=logsigmoid loss=bce optimizer=adam"""
WORDS = """lrr=1 Seed=3 optimizer.momentun=0.9 track.lossses=7 data.bits=3 activation.slope=0.5 +foo=1 ~lr +lr=2
data@other=xor activation=relux activation=tahn loss=bcee optimizer=Adam experiment=notebook_2 dtype=float16 freeze=[b9]
track.spacing=linear architecture.activations=[rely] activation=[relu,tanh] lr=1,2 lr=abc lr=true lr=null lr=nan lr=-1
seed=1.5 seed=-1 shuffle=1 architecture.hidden=2 architecture.hidden=[2.5] architecture.hidden=[0] epochs=-1 track=5
batch_size=0 optimizer.momentum=1 track.frames=1 film.fps=0 film.size=[1,1] film.size=[100,100] film.colours=nothing
film=nothing film.levels=3 film=sweep output=softmax loss=hinge data.low=1 activation=step optimizer.nesterov=true
init=explicit data=csv nonsense =1 name='a lr=${foo} --nonsense hydra.nonsense=1 hydra/launcher=joblib rendr
hydra.run.dir=elsewhere data.low=inf success=tolerance,midpoint stop=los schedule=cosin init=xavier init.scale=x 5"""
LINES = """epochs=3 film=none\n-m epochs=3 film=none seed=1,2,3\nactivation=relu activation.slope=0.5
optimizer=adam optimizer.beta2=-0.1\ndata=parity data.bits=40\ndata=spiral data.test=1\nstop=loss stop.below=0
loss=bce data.low=-1\noptimizer=rprop batch_size=1\narchitecture=skip architecture.hidden=[]
init=explicit init.weights=5\narchitecture.hidden=[2,2] architecture.activations=[relu]
data=moons data.examples=4 data.test=0.9
experiment=notebook_001 init.weights.W1=[1,2]\nexperiment=notebook_001 ~init.weights.b1\ndata=csv data.path=nowhere.csv
data=csv data.path=table.csv data.targets=[zz]\n--cfg nothing\n-m lr=1,-1 'seed=range(0,5)'\n-m seed=glob(*)
-m hydra.launcher.workers=0 dry_run=true\n-m hydra/sweeper=nevergrad\n-m lr=range(1,3),5\n-m film=weights seed=1,2
show\nshow latest#5\nshow 1999-12-31\nshow nowhere/else\nshow latest --nonsense\nls --where "lrr > 1"\nls --sort nothing
ls --where "outcome = solved"\nls --limit -1\nls --root nowhere\nls --columns nothing\ngroup\ngroup latest --by nothing
compare latest\ncompare latest#0 latest#9\nsql\nsql "delete from runs"\nsql "select nothing from runs"\nsql "selct"
tag latest\ntag latest a,b\ntag latest a --remove\nnote latest\nrender\nrender latest film=nothing\nrender latest lr=2
render latest#0 film.frames=0\nrender latest --output film.xyz\nrender latest film=field\nexport latest --to file.xyz
export latest --what nothing\nexport nothing\nrerun\nrerun latest\nrerun latest#9 --check\nresume\nresume latest#1
rm\nrm latest#1 --yes\nrm nothing --yes\nexplain lrr=1\nexplain latest\nexplain latest#0 --epoch 9
explain --only nothing\nexplain --format nothing\nexplain --example 9\ncheck lr=-1\ncheck nothing\ncheck --nonsense"""
SESSIONS = {
    "tracker": TRACKER.split("\n"),
    "help": HELP.split("\n"),
    **{
        f"explain {kind}": [f"explain {net} --format {kind}" for net in NETS.split("\n")]
        for kind in ("text", "markdown", "latex")
    },
    "explain more": [f"explain {net} --example 1" for net in MORE.split("\n")],
    "explain parts": [f"explain {net} --only update --example 0 --precision 7" for net in NETS.split("\n")],
    "check": [f"check {net}" for net in (NETS + "\n" + MORE).split("\n")],
    "wrong words": [shlex.quote(word) for word in WORDS.split()],
    "wrong lines": LINES.split("\n"),
}
"""Command lines that run one after the other in one folder, and whose text is kept."""

Found = dict[str, dict[str, Any]]
"""Part to name to what was found there."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Record what the program does, and compare later.")
    parser.add_argument("action", choices=["record", "check", "page"])
    parser.add_argument("page", nargs="?", help=argparse.SUPPRESS)  # one document, run in this folder by ourselves
    parser.add_argument("--repo", type=Path, default=Path(__file__).parents[1], help="the checkout that is tested")
    parser.add_argument("--file", type=Path, default=Path(__file__).with_suffix(".json"), help="the recorded file")
    parser.add_argument("--only", default=",".join(PARTS), help="parts to compare, as in numbers,frames")
    parser.add_argument("--text-ok", action="store_true", help="differences of text are no failure")
    parser.add_argument("--jobs", type=int, default=2, help="how many programs run at a time")
    options = parser.parse_args()
    repo = options.repo.resolve()
    if options.action == "page":
        print(json.dumps(page(repo / options.page)))
        return 0
    parts = options.only.split(",")
    if unknown := set(parts) - set(PARTS) or (options.action == "record" and set(PARTS) - set(parts)):
        parser.error(f"--only: {', '.join(unknown)}: parts are {', '.join(PARTS)}; record takes them all")
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        found = everything(Program(repo, Path(folder).resolve()), parts, options.jobs)
    for part in PARTS:
        print(f"{part:<9} {len(found[part])} recorded")
    for name, drawn in found["frames"].items():
        if "code" in drawn:
            print(f"no film: {name}: {drawn}")
    for name, text in found["text"].items():
        if name.startswith("training ") and text["code"] != 0:
            print(f"not trained: {name}: {text}")
    if options.action == "record":
        text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False)
        options.file.write_text(text + "\n", encoding="utf-8")
        return 0
    before = json.loads(options.file.read_text(encoding="utf-8"))
    for key in MACHINE:
        if (then := before["machine"][key]) != (now := found["machine"][key]):
            print(f"another machine: {key}: {then} → {now}; numbers, frames and digits in texts may differ")
    now = json.loads(json.dumps(found))
    counts = {part: show(part, before[part], now[part]) for part in parts}
    print("differences: " + ", ".join(f"{part} {count}" for part, count in counts.items()))
    return int(any(count for part, count in counts.items() if part != "text" or not options.text_ok))


class Program:
    """The command line of one checkout, in an environment that leaves the checkout and the home folder as they are."""

    def __init__(self, repo: Path, work: Path) -> None:
        self.repo, self.work = repo, work
        (work / "bin").mkdir()
        shim = work / "bin" / "xortrain"
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m xortrain "$@"\n', encoding="utf-8")
        shim.chmod(0o755)
        caches = {"PYTHONPYCACHEPREFIX": f"{work}/bytecode", "MPLCONFIGDIR": f"{work}/matplotlib", "HOME": f"{work}"}
        shell = {"COLUMNS": "100", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(repo)}
        path = f"{work}/bin:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        self.environment = {**caches, **shell, "PATH": path}
        script = "import xortrain, matplotlib.font_manager; print(xortrain.__file__)"
        where = self.run([sys.executable, "-c", script], work)[1]
        if not where.startswith("<REPO>"):
            raise SystemExit(f"the tested package is not that of {repo}: {where}")

    def folder(self, *names: str) -> Path:
        path = self.work.joinpath(*(name.replace(" ", "-").replace("/", "-") for name in names))
        path.mkdir(parents=True, exist_ok=True)
        return path

    def run(self, words: list[str], folder: Path) -> tuple[int | None, str, str]:
        """Exit code, output and errors; no code where it took too long."""
        pipe: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, "text": True}
        with subprocess.Popen(words, cwd=folder, env=self.environment, start_new_session=True, **pipe) as process:
            try:
                out, err = process.communicate(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return None, "", f"left out: took more than {LIMIT} s"
        return process.returncode, self.plain(out, folder), self.plain(err, folder)

    def text(self, line: str, folder: Path) -> dict[str, Any]:
        """What a command line of ours prints."""
        return printed(*self.run([sys.executable, "-m", "xortrain", *shlex.split(line)], folder))

    def plain(self, text: str, folder: Path) -> str:
        """Text without what differs from time to time and from machine to machine."""
        for path, name in ((folder, "<HERE>"), (self.work, "<WORK>"), (self.repo, "<REPO>")):
            text = text.replace(str(path), name)
        for pattern, instead in RULES:
            text = pattern.sub(instead, text)
        if "\nseconds  <SECONDS>" in text:  # a table whose columns may be as wide as their seconds
            text = re.sub(" {2,}", "  ", text)
        if text.startswith("id,") and ",seconds," in text.partition("\n")[0]:
            rows = list(csv.reader(io.StringIO(text)))
            keep = [place for place, name in enumerate(rows[0]) if name not in VOLATILE]
            text = "\n".join(",".join(row[place] for place in keep) for row in rows)
        return text


def printed(code: int | None, out: str, err: str) -> dict[str, Any]:
    streams = {"out": [short(line) for line in out.splitlines()], "err": err.splitlines()}
    return {"code": code, **{name: lines for name, lines in streams.items() if lines}}


def short(line: str) -> str:
    """A line for a reader; of a very long one the rest as a hash."""
    return line if len(line) <= 3000 else f"{line[:1000]} … {hashlib.sha256(line.encode()).hexdigest()[:16]}"


def everything(program: Program, parts: list[str], at_once: int) -> Found:
    """All that is recorded; trainings first, since films are made of their records."""
    trainings = {**gallery(program.repo), **TRAININGS}
    for path in sorted((program.repo / "conf" / "experiment").glob("*.yaml")):
        trainings[f"experiment {path.stem}"] = f"experiment={path.stem}"
    pages = [program.repo / "README.md", *sorted((program.repo / "docs").glob("*.md"))]
    later = [partial(document, program, page) for page in pages if BLOCK.search(page.read_text(encoding="utf-8"))]
    later += [partial(session, program, name, lines) for name, lines in SESSIONS.items()]
    later = later if "text" in parts else []
    later += [partial(film, program, *words) for words in films(program.repo)] if "frames" in parts else []
    found: Found = {part: {} for part in PARTS}
    with ThreadPoolExecutor(at_once) as pool:
        first = [pool.submit(train, program, *training) for training in trainings.items()]
        for job in first:
            merge(found, job.result())
        if not found["settings"].get("plain"):
            raise SystemExit(f"nothing is trained: {found['text']}")
        for job in [pool.submit(task) for task in later]:
            merge(found, job.result())
    for part in ("rows", "settings"):
        for name in found[part].keys() - {"plain"}:
            found[part][name] = beyond(found[part][name], found[part]["plain"])
    about = json.loads(next((program.work / "trainings" / "plain").glob("outputs/*/*/record.json")).read_text("utf-8"))
    found["machine"] = {key: about[key] for key in MACHINE}
    return found


def merge(found: Found, more: Found) -> None:
    for part, values in more.items():
        found[part].update(values)


def gallery(repo: Path) -> dict[str, str]:
    """The runs and sweeps of the gallery, whose tables are read without running the example."""
    tree = ast.parse((repo / "examples" / "gallery.py").read_text(encoding="utf-8"))
    tables = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    names: dict[str, Any] = {}
    exec(compile(ast.Module(list(tables), []), "gallery", "exec"), {"__builtins__": {}}, names)
    if not names.get("RUNS") or not names.get("SWEEPS"):
        raise SystemExit("examples/gallery.py: no tables RUNS and SWEEPS; tell this script where its runs are now")
    runs = {name: f"{shlex.join(words)} {OWN.get(name, '')}" for name, words in names["RUNS"].items()}
    return {**runs, **{name: f"-m {shlex.join(words)}" for name, words in names["SWEEPS"].items()}}


def films(repo: Path) -> Iterator[tuple[str, ...]]:
    """For each film the training and the words of `render`."""
    runs = [name for name in gallery(repo) if not name.startswith("sweep")]
    for name, layout in itertools.product(runs, ("story", "field", "weights", "losses")):
        yield name, f"film={layout}"
    for name, layout in itertools.product(SWEPT.split(), ("sweep", "losses")):
        yield f"sweep-{name}", f"film={layout}"
    for line in LOOKS.replace("\n", "|").split("|"):
        yield tuple(line.split())


def tables(folder: Path) -> None:
    """The gallery's own data, and a table of five inputs and a label."""

    def write(name: str, header: str, *columns: Any) -> None:
        np.savetxt(folder / f"{name}.csv", np.column_stack(columns), "%.17g", ",", header=header, comments="")

    stream = np.random.RandomState(0)
    kind = np.arange(140) % 14
    turn = 2 * np.pi * kind / 14
    ring = np.stack([np.cos(turn), np.sin(turn)], 1) * (2 + kind[:, None] % 2) + 0.2 * stream.randn(140, 2)
    write("classes", f"x1,x2,{CLASSES}", ring, np.eye(14)[kind])
    x = stream.uniform(-2, 2, (60, 2))
    write("real", "x1,x2,y", x, 3 * np.sin(1.5 * x[:, 0]) * np.cos(x[:, 1]))
    line = np.linspace(-3, 3, 40)
    write("curve", "x,y", line, 4 * np.sin(2 * line))
    x = stream.randn(80, 5) * [1, 2, 0.5, 1, 1]
    write("table", "a,b,c,d,e,label", x, x[:, 0] * x[:, 1] > 0)


def train(program: Program, name: str, line: str) -> Found:
    """Train, and hash what is left on disk."""
    folder = program.folder("trainings", name)
    tables(folder)
    line = line if re.search(r"\bfilm\b", line) else f"{line} film=none"
    found: Found = {part: {} for part in PARTS}
    found["text"][f"training {name}  $ {line}"] = program.text(line, folder)
    records = sorted(folder.glob("outputs/**/record.json"))
    for number, path in enumerate(records):
        label = name if len(records) == 1 else f"{name}/{number:03d}"
        try:
            kept = record(path.parent)
        except (OSError, KeyError, ValueError) as error:
            kept = {"error": str(error)}, {}, {}
        found["numbers"][label], found["rows"][label], found["settings"][label] = kept
    for path in sorted(folder.glob("outputs/**/*.gif")):
        found["frames"][f"training {name}/{ID.sub('', str(path.relative_to(folder)))}"] = frames(path)
    return found


def record(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Numbers, rows and settings of one record."""
    arrays = {path.stem: np.load(path) for path in sorted(folder.glob("*.npy"))}
    table = arrays.pop("runs")
    with np.load(folder / "data.npz") as data:
        arrays |= {f"data {key}": data[key] for key in data.files}
    about = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    settings = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    rows = {f"column {name}": digest(table[name]) for name in table.dtype.names}
    rows |= {f"record {key}": compact(value) for key, value in about.items() if key not in {*VOLATILE, "config"}}
    rows["order of columns"] = " ".join(table.dtype.names)
    rows["order of keys"] = " ".join(about)
    rows["files"] = " ".join(sorted(path.name for path in folder.iterdir()))
    rows["config.yaml is that of record.json"] = settings == about["config"]
    return {name: digest(array) for name, array in arrays.items()}, rows, dict(dotted(settings))


def digest(array: Any) -> str:
    head = f"{array.dtype.str} {array.shape}"
    return f"{hashlib.sha256(head.encode() + array.tobytes()).hexdigest()[:16]} {head}"


def compact(value: Any) -> Any:
    """One value a line: what is nested becomes its JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def dotted(settings: dict[str, Any], start: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from dotted(value, f"{start}{key}.")
        else:
            yield start + key, compact(value)


def beyond(settings: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """What is not as in the plain run; what is missing says so.  Columns of runs.npy always stay."""
    both = {**dict.fromkeys(defaults, "absent"), **settings}
    return {key: v for key, v in both.items() if key.startswith("column ") or (key, v) not in defaults.items()}


def film(program: Program, name: str, *words: str) -> Found:
    """Render from a record, and hash what is drawn."""
    run = "".join(word for word in words if word.startswith("#"))
    ending = next((word for word in words if word.startswith(".")), ".png" if "--still" in words else ".gif")
    rest = [word for word in words if word[0] not in "#."]
    path = program.folder("films") / (re.sub(r"\W+", "-", " ".join([name, *words])) + ending)
    few = [] if "--still" in words else ["film.frames=6"]
    line = shlex.join(["render", f"latest{run}", *rest, *few, "--output", str(path)])
    printed = program.text(line, program.folder("trainings", name))
    return {"frames": {" ".join([name, *words]): frames(path) if path.is_file() else printed}}


def frames(path: Path) -> dict[str, Any]:
    """A hash of each frame as decoded to RGB, and durations in milliseconds."""
    with Image.open(path) as image:
        size, loop = image.size, image.info.get("loop")
        decoded = [
            (frame.convert("RGB").tobytes(), frame.info.get("duration")) for frame in ImageSequence.Iterator(image)
        ]
    hashes = " ".join(hashlib.sha256(pixels).hexdigest()[:12] for pixels, _ in decoded)
    durations = " ".join(str(duration) for _, duration in decoded)
    return {"hashes": hashes, "durations": durations, "size": "x".join(map(str, size)), "loop": loop}


def session(program: Program, name: str, lines: list[str]) -> Found:
    folder = program.folder("sessions", name)
    tables(folder)
    return {"text": distinct(name, ((line, program.text(line, folder)) for line in lines))}


def distinct(name: str, texts: Iterator[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Keys of a session's texts; a command that comes again has its turn as well."""
    found: dict[str, Any] = {}
    for command, text in texts:
        key = next(
            key
            for turn in itertools.count(1)
            if (key := f"{name}  $ {command}" + f"  ({turn})" * (turn > 1)) not in found
        )
        found[key] = text
    return found


def document(program: Program, path: Path) -> Found:
    """The blocks of one document, in a process of its own since Python blocks share their names."""
    folder = program.folder("pages", path.stem)
    name = str(path.relative_to(program.repo))
    words = [sys.executable, str(Path(__file__).resolve()), "page", name, "--repo", str(program.repo)]
    pipe: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    done = subprocess.run(words, cwd=folder, env=program.environment, check=False, **pipe)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr}")
    blocks = [
        (command, code, *(program.plain(text, folder) for text in both))
        for command, code, *both in json.loads(done.stdout)
    ]
    return {"text": distinct(name, ((command, printed(code, out, err)) for command, code, out, err in blocks))}


def page(path: Path) -> list[tuple[str, int | None, str, str]]:
    """Command or name of each block with exit code, output and errors, run in this folder one after the other."""
    found: list[tuple[str, int | None, str, str]] = []
    names: dict[str, Any] = {}
    for kind, text in BLOCK.findall(path.read_text(encoding="utf-8")):
        if kind == "python":
            found.append((f"python: {text.strip().splitlines()[0]}", *python(text, names)))
            continue
        for command in re.findall(r"^\$ (.*)$", text, re.MULTILINE):
            if "timeout " in command or "kill " in command:
                found.append((command, None, "", "left out: it is killed after some time"))
                continue
            try:
                done = subprocess.run(
                    ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=LIMIT
                )
                found.append((command, done.returncode, done.stdout, done.stderr))
            except subprocess.TimeoutExpired:
                found.append((command, None, "", f"left out: took more than {LIMIT} s"))
    return found


def python(text: str, names: dict[str, Any]) -> tuple[int, str, str]:
    """What a block prints; the value of an expression is shown as by an interactive shell."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            for node in ast.parse(text).body:
                exec(compile(ast.Interactive([node]), "block", "single"), names)
        except Exception:
            code = 1
            err.write(traceback.format_exc(limit=0))
    return code, out.getvalue(), err.getvalue()


def show(part: str, before: dict[str, Any], now: dict[str, Any]) -> int:
    """Print each difference in a line or a few; returns how many there are."""
    count = 0
    for name in sorted(before.keys() | now.keys()):
        then, found = before.get(name), now.get(name)
        if then == found:
            continue
        count += 1
        if then is None or found is None:
            print(f"{part:<9} {name}: {'new' if then is None else 'gone'}")
            continue
        print(f"{part:<9} {name}")
        for key in sorted(then.keys() | found.keys()):
            old, new = then.get(key, "absent"), found.get(key, "absent")
            if old != new and isinstance(old, list) and isinstance(new, list):
                lines = [
                    line
                    for line in difflib.unified_diff(old, new, lineterm="", n=0)
                    if line[:2] not in ("--", "++", "@@")
                ]
                print("\n".join(f"            {line[:200]}" for line in lines[:12]))
                print(f"            … {len(lines) - 12} lines more\n" * (len(lines) > 12), end="")
            elif old != new:
                print(f"            {key}: {str(old)[:150]} → {str(new)[:150]}")
    return count


if __name__ == "__main__":
    sys.exit(main())
