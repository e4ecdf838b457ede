"""Runs are found by id, path, number or `latest`, and unknown names are errors."""

import json
from pathlib import Path

import pytest
from make_records import BIG, LATER, RUN, SWEEP, four_records

from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.naming import named


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write two runs, a sweep of twelve runs and a sweep of two populations to outputs/ of the working directory."""
    monkeypatch.chdir(tmp_path)
    return four_records(Path("outputs"), {}, {})


GOOD = [
    (f"outputs/{RUN}", RUN),
    (f"./outputs/{RUN}/", RUN),
    (f"outputs/sweeps/{SWEEP}", SWEEP),
    (RUN, RUN),
    (f"sweeps/{SWEEP}", SWEEP),
    (SWEEP, SWEEP),
    ("2026-11-21/19-39", RUN),
    ("sweeps/2026-11-21/19-41", SWEEP),
    ("outputs/2026-11-21/19-40", LATER),
    ("latest", BIG),
]


@pytest.mark.parametrize(("name", "expected"), GOOD)
def test_names_find_records(root: Path, name: str, expected: str) -> None:
    found = named(name, root)
    assert (found.entry.id, found.number) == (expected, None)


def test_an_absolute_path_finds_a_record_from_any_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = (root / RUN).absolute()
    monkeypatch.chdir("/")
    assert named(str(path), root).entry.folder == path


@pytest.mark.parametrize("sweep", [SWEEP, "latest", BIG, f"outputs/sweeps/{BIG}", "2026-11-21/19-42"])
@pytest.mark.parametrize("number", [0, 2, 5])
def test_a_number_selects_a_job_of_a_sweep(root: Path, sweep: str, number: int) -> None:
    part, place = named(f"{sweep}#{number}", root).run()
    assert part.rows.at(place)["number"] == number


def test_the_id_of_a_population_is_its_sweep_and_folder(root: Path) -> None:
    name = f"{BIG}/population-001"
    assert named(name, root).entry.folder == root / "sweeps" / name
    assert named(f"{name}#3", root).run()[1] == 0


def test_a_number_finds_a_job_in_any_population(root: Path) -> None:
    """The second population of the big sweep starts with job 3."""
    part, place = named(f"{BIG}#4", root).run()
    assert (part.folder.name, place) == ("population-001", 1)


def test_only_a_sweep_needs_a_number(root: Path) -> None:
    assert named(RUN, root).run()[1] == 0
    with pytest.raises(UserError, match=r"latest: a sweep of 6 runs; name one of them, as in latest#0"):
        named("latest", root).run()


BAD = [
    ("2026-11-21", "2026-11-21: 4 ids begin like this, the last ones .*; add a few characters"),
    ("", ": no such run under outputs. Nearest: "),
    ("2026-11-21/19-93-21-123456", "no such run under outputs. Nearest: .*2026-11-21/19-39-21-123456"),
    ("nothing", "no such run under outputs. Nearest: 2026-11-21/19-42"),
    ("latest#6", "latest#6: no such number; this sweep has 0 … 5"),
    (f"{RUN}#1", "this is a single run; leave out #1"),
    (f"{RUN}#x", "this is a single run; leave out #x"),
    ("latest#-1", "latest#-1: no such number; this sweep has 0 … 5"),
    ("latest#x", "latest#x: no such number; this sweep has 0 … 5"),
    ("latest#99999999999999999999999", "no such number; this sweep has 0 … 5"),
    ("../outputs", "no such run"),
    ("/etc/passwd", "no such run"),
    ("\x1b[2J", "no such run"),
    ("outputs", "no such run|ids begin like this"),
]


@pytest.mark.parametrize(("name", "message"), BAD)
def test_an_unknown_name_is_a_one_line_error_with_the_nearest_match(root: Path, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        named(name, root)
    assert str(caught.value).isprintable()


def test_an_empty_root_has_no_names(tmp_path: Path) -> None:
    for name in ("latest", "2026"):
        with pytest.raises(UserError, match=r"no (such )?run"):
            named(name, tmp_path / "nowhere")


def test_latest_is_the_newest_readable_record_in_any_folder(root: Path) -> None:
    (root / "sweeps" / BIG / layout.SWEEP).write_text("{")
    assert named("latest", root).entry.id == SWEEP
    metadata = root / RUN / layout.RECORD
    metadata.write_text(json.dumps(json.loads(metadata.read_text()) | {"started": "2027-01-01T00:00:00+00:00"}))
    assert named("latest", root).entry.id == SWEEP  # its id is later, whatever the record says
    (root / "2026-11-21").rename(root / "mine")
    assert named("latest", root).entry.id == RUN.replace("2026-11-21", "mine")
    assert named("mine/19-39", root).entry.folder == root / "mine" / "19-39-21-123456"
