"""The views over all runs of a page: the table, its filter, the losses, results by settings, a map, cells."""

import re
from collections import Counter
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from some_pages import Opened, opened, until

import xortrain
from xortrain.api import Sweep
from xortrain.records.query import ask_all

CONDITIONS = (
    "lr > 0.5 and outcome = 'solved'",
    "lr = 1 or lr = 10",
    "not (outcome = 'solved' or lr < 1)",
    "lr in (1, 3) and seed not in (0, 2)",
    "seed between 3 and 5",
    "outcome like 's%'",
    "outcome not like '%A%'",
    "solved_at is null",
    "solved_at is not null and solved_at <= 80",
    "final_loss < 0.5 and architecture.hidden = '[3]'",
    '"lr" <> 3 and seed != 1 and 2 >= seed',
    "lr not between .5 and .9e1 and not .3 = lr",
    "number between 10 and 30 or number = 3",
    "id like '%#1_'",
    "solved_at > 60",  # neither true nor false for a run that has none
)
REFUSED = {
    "lr >": "missing at the end",
    "colour = 1": "colour",
    "lr + 1 = 2": "+",
    "count(*) > 1": "count",
    "lr = 'a": "'",
    "seed = 1 or lr != NULL": "!= null is never true; write is null or is not null",
}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """Runs that differ in two settings and the seed, some of which diverge or stay on a plateau."""
    root = tmp_path_factory.mktemp("runs") / "root"
    words = ("lr=1,3,10,0.3", "architecture.hidden=[2],[3]", "seed=range(0,6)", "activation=sigmoid,tanh")
    return xortrain.sweep(*words, f"root={root}", "film=none", "track.frames=9")


@pytest.fixture(scope="module")
def page(sweep: Sweep, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweep.page(tmp_path_factory.mktemp("runs") / "p.html")


def root_of(sweep: Sweep) -> str:
    return str(sweep[0].config["root"])


def numbers(sweep: Any) -> list[int]:
    return sorted(int(run.row["number"]) for run in sweep)


def fill(found: Opened, condition: str) -> list[int]:
    """Filter the table; the numbers of the runs that are left."""
    found.page.fill("#filter", condition)
    found.page.keyboard.press("Enter")
    found.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return [int(text.rpartition("#")[2]) for text in found.page.evaluate(ORDER)]


ORDER = "() => xortrain.state.order.map((run) => xortrain.page.column('run').text(run))"


def test_a_filter_leaves_the_runs_that_where_finds(found: Opened, sweep: Sweep) -> None:
    counts = set()
    for condition in CONDITIONS:
        expected = numbers(xortrain.runs(root_of(sweep), where=condition))
        assert sorted(fill(found, condition)) == expected, condition
        assert f"{len(expected)} of {len(sweep)} runs" in found.page.get_by_role("status").first.inner_text()
        counts.add(len(expected))
    assert not {0, len(sweep)} & counts
    assert sorted(fill(found, "")) == numbers(sweep)


def test_the_number_of_a_run_has_the_name_of_its_column(found: Opened, sweep: Sweep) -> None:
    for condition in ("run = 17", "run in (3, 40)", "run between 5 and 9", "not run > 2", "7 >= run"):
        where = condition.replace("run", "number")
        assert sorted(fill(found, condition)) == numbers(xortrain.runs(root_of(sweep), where=where)) != [], condition


MIXED = (
    "architecture.bias = true",
    "not architecture.bias",
    "architecture.bias in (false) or seed = 3",
    "name is null",
    "name is not null",
    "name <> 'another'",
    "name < 'z' and tags not like 'b'",
    "tags = '' or notes is not null",
)


def test_a_filter_finds_what_where_finds_where_words_are_missing_and_settings_are_true_or_false(
    tmp_path: Path, browser: Any
) -> None:
    """Runs of two records, of which one has a name and the other tags."""
    short = ("epochs=3", "film=none", f"root={tmp_path}")
    xortrain.sweep("architecture.bias=true,false", "seed=0,1", "name=first", "notes=mine", *short)
    xortrain.sweep("architecture.hidden=[3]", "seed=2,3,4", "tags=[b]", *short)
    every = xortrain.runs(str(tmp_path))
    with opened(browser, every.page(tmp_path / "p.html")) as found:
        for condition in MIXED:
            _, ids = ask_all(tmp_path, f"select id from runs where {condition} order by id")
            fill(found, condition)
            assert sorted(found.page.evaluate(ORDER)) == [name for (name,) in ids], condition
            assert 0 < len(ids) < len(every), condition
        for given, advice in {"bias": "Did you mean architecture.bias?", 'name = "a"': "in single quotes: 'a'"}.items():
            fill(found, given)
            assert found.page.inner_text("#filter-problem").endswith(advice)


def test_a_word_of_a_column_is_advised_as_a_condition_that_holds(found: Opened, sweep: Sweep) -> None:
    outcomes = {run.outcome for run in sweep}
    assert "solved" in outcomes
    for word in outcomes:
        fill(found, word)
        problem = found.page.inner_text("#filter-problem")
        advice = problem.partition("Did you mean ")[2].removesuffix("?")
        assert advice == f"outcome = '{word}'"
        assert fill(found, advice)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_row_is_legible_under_the_pointer(dark: bool, browser: Any, page: Path) -> None:
    """Also that of the shown run, over which the pointer is after a click, and a selected one."""
    with opened(browser, page, 1400, 900, dark=dark) as found:
        found.page.click("#run-2 td.box")
        for run in (1, 2, 3):
            found.page.click(f"#run-{run} td.run")
            until(found.page, f"document.querySelector('#run-{run}[aria-current=true]') !== null")
            for other in (run, 2, 5):
                found.page.hover(f"#run-{other} td:last-child")
                ink, paper = found.page.evaluate(COLOURS, f"#run-{other}")
                assert abs(_luminance(ink) - _luminance(paper)) > 0.3, (other, ink, paper)


COLOURS = """(row) => ["color", "backgroundColor"].map((name) => getComputedStyle(document.querySelector(row))[name])"""


def _luminance(colour: str) -> float:
    """From 0 to 1, of a colour as in rgb(29, 104, 169)."""
    return float(np.array([0.213, 0.715, 0.072]) @ [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]])


def test_the_results_and_the_run_are_in_sight_in_the_table(browser: Any, page: Path) -> None:
    """At first the outcome and when it came, with the loss; however far the table is moved, the run."""
    with opened(browser, page, 1400, 900) as found:
        right = found.page.evaluate("document.getElementById('table').getBoundingClientRect().right")
        for name in ("run", "outcome", "final_loss", "solved_at"):
            box: Any = found.page.locator(f"#table th[data-name={name}]").bounding_box()
            assert box["x"] + box["width"] <= right
        cell = found.page.locator("#run-0 td.run")
        before = cell.bounding_box()
        left = "document.getElementById('table').scrollLeft"
        found.page.evaluate(f"{left} = 300")
        assert found.page.evaluate(left) > 0
        assert cell.bounding_box() == before


def test_what_a_filter_does_not_know_is_one_line_and_the_table_stays(found: Opened) -> None:
    for condition, named in REFUSED.items():
        before = fill(found, "lr = 1")
        assert found.page.get_attribute("#filter", "aria-invalid") == "false"
        assert fill(found, condition) == before, condition
        problem = found.page.inner_text("#filter-problem")
        assert named in problem
        assert "\n" not in problem
        assert found.page.get_attribute("#filter", "aria-invalid") == "true"


def test_a_filter_that_no_run_meets_says_so(found: Opened) -> None:
    for condition, problem in (("run = '#17'", "No run meets the filter."), ("lr > 0", "")):
        assert bool(fill(found, condition)) == (problem == "")
        assert found.page.inner_text("#filter-problem") == problem
        assert found.page.get_attribute("#filter", "aria-invalid") == "false"


def test_a_click_on_a_head_sorts_by_its_column_and_another_turns_it(found: Opened, sweep: Sweep) -> None:
    losses = {int(run.row["number"]): float(run.row["final_loss"]) for run in sweep}
    for sign in (1, -1):
        found.page.click("#table th[data-name=final_loss] button")
        found.page.wait_for_selector(f"#table th[aria-sort={'ascending' if sign > 0 else 'descending'}]")
        order = fill(found, "")
        known = [losses[number] for number in order if np.isfinite(losses[number])]
        assert known == sorted(known, reverse=sign < 0)
        assert len(known) > 90
        assert not any(np.isfinite(losses[number]) for number in order[len(known) :])  # what is not known stands last


def test_only_rows_in_sight_exist_and_keys_walk_through_all(found: Opened, sweep: Sweep) -> None:
    rows = found.page.locator("#table tbody tr[data-run]")
    assert 10 < rows.count() < len(sweep)
    found.page.focus("#table table")
    found.page.keyboard.press("End")
    until(found.page, f"() => xortrain.state.run === {len(sweep) - 1}")
    found.page.wait_for_selector(f"#run-{len(sweep) - 1}[aria-current=true]")
    found.page.keyboard.press("Home")
    found.page.keyboard.press("ArrowDown")
    found.page.keyboard.press("Space")
    found.page.keyboard.press("Shift+ArrowDown")
    until(found.page, "() => xortrain.state.selected.size === 2")
    until(found.page, "() => document.querySelector('#count').textContent.endsWith('2 selected')")
    found.page.keyboard.press("Escape")
    until(found.page, "() => xortrain.state.selected.size === 0")


def test_a_short_table_is_as_high_as_its_rows_and_a_long_one_as_before(browser: Any, tmp_path: Path) -> None:
    for runs, height in ((3, 118), (100, 480)):
        sweep = xortrain.sweep(f"seed=range(0,{runs})", "epochs=2", "film=none", f"root={tmp_path}")
        with opened(browser, sweep.page(tmp_path / "p.html"), 390, 844) as found:
            assert found.page.evaluate("document.getElementById('table').clientHeight") == pytest.approx(height, abs=16)


def test_with_forced_colours_the_shown_run_is_marked_in_the_table(browser: Any, page: Path) -> None:
    with opened(browser, page, before=";") as found:
        found.page.emulate_media(forced_colors="active")
        colours = found.page.evaluate("""() => ["true", "none"].map((mark) => {
            const rows = [...document.querySelectorAll("#table [data-run]")];
            const row = rows.find((one) => (one.ariaCurrent ?? "none") === mark);
            return ["backgroundColor", "color"].map((name) => getComputedStyle(row)[name]);
        })""")
        assert colours[0] != colours[1]


@pytest.mark.parametrize("times", [("10-00-01-000007", "10-00-02-000007"), ("10-00-01-000007", "10-00-01-000008")])
def test_a_run_of_several_records_is_named_by_the_time_of_its_record(
    times: tuple[str, str], browser: Any, tmp_path: Path
) -> None:
    """With parts of a second only where the records need them."""
    for time in times:
        sweep = xortrain.sweep("seed=0,1", "epochs=2", "film=none", f"root={tmp_path}")
        assert sweep.folder
        sweep.folder.rename(sweep.folder.with_name(time))
    wanted = {f"{time if times[0][:8] == times[1][:8] else time[:8]}#{number}" for time in times for number in (0, 1)}
    with opened(browser, xortrain.runs(str(tmp_path)).page(tmp_path / "p.html"), before=TEXTS) as found:
        assert set(found.page.locator("#table td.run").all_inner_texts()) == wanted
        assert wanted <= {text.split(" ")[-1] for text in found.page.evaluate("texts.cells")}


def test_no_name_below_a_cell_is_cut_on_a_phone(browser: Any, tmp_path: Path) -> None:
    sweep = xortrain.sweep("seed=range(0,120)", "film=none", f"root={tmp_path}")
    with opened(browser, sweep.page(tmp_path / "p.html"), 390, 844, before=TEXTS) as found:
        texts = found.page.evaluate("texts.cells")
        assert {text.split(" ")[-1] for text in texts} == {f"#{number}" for number in range(100)}
        found.page.check("#table th.box input")
        until(found.page, "xortrain.state.selected.size === 120")
        texts += found.page.evaluate("texts.cells")
        unsigned = [number for number in range(100, 120) if sweep[number].outcome == "training"]
        assert {f"#{number}" for number in unsigned} & set(texts)  # beside a sign there is no room for it
        assert not [text for text in texts if "…" in text]


def test_columns_can_be_chosen(found: Opened) -> None:
    heads = found.page.locator("#table th[data-name]")
    before = heads.count()
    found.page.click("#columns > summary")
    box = found.page.locator("#columns label", has_text="outcome").locator("input")
    box.uncheck()
    until(found.page, f"() => document.querySelectorAll('#table th[data-name]').length === {before - 1}")
    box.check()
    until(found.page, f"() => document.querySelectorAll('#table th[data-name]').length === {before}")
    for leave in ("Escape", "Tab", "a click"):
        assert found.page.evaluate("document.getElementById('columns').open")
        if leave == "Escape":
            found.page.keyboard.press(leave)
            assert found.page.evaluate("document.activeElement.textContent") == "Columns"
        elif leave == "Tab":
            found.page.locator("#columns input").last.focus()
            found.page.keyboard.press(leave)
        else:
            found.page.click("#losses-title")
        assert not found.page.evaluate("document.getElementById('columns').open"), leave
        found.page.click("#columns > summary")


def test_the_first_settings_are_those_that_explain_most_of_what_was_solved(found: Opened, sweep: Sweep) -> None:
    solved = np.array([run.outcome == "solved" for run in sweep], float)
    shares = {}
    for name in ("lr", "architecture.hidden", "activation"):
        groups = np.array([str(_setting(run.config, name)) for run in sweep])
        means = {group: solved[groups == group].mean() for group in set(groups)}
        shares[name] = np.var([means[group] for group in groups]) / np.var(solved)
    best = sorted(shares, key=lambda name: -shares[name])
    assert all(shares[one] > shares[other] + 0.01 for one, other in pairwise(best))
    axes = [found.page.input_value(f"#settings-{axis}") for axis in "xy"]
    assert axes == best[:2]


def _setting(config: Any, name: str) -> Any:
    for part in name.split("."):
        config = config[part]
    return config["name"] if isinstance(config, dict) else config


def test_a_cell_says_how_many_of_its_runs_were_solved(found: Opened, sweep: Sweep) -> None:
    """Arrows walk over the cells; each says its runs, and Enter selects them."""
    found.page.select_option("#settings-x", "lr")
    found.page.select_option("#settings-y", "")
    found.page.focus("#settings-plot")
    for rate in (0.3, 1, 3, 10):
        found.page.keyboard.press("ArrowRight")
        runs = [run for run in sweep if run.config["lr"] == rate]
        count = sum(run.outcome == "solved" for run in runs)
        words = f"lr {rate:g}: {count} of {len(runs)} runs solved"
        until(found.page, "(words) => document.querySelector('#settings-note').textContent.startsWith(words)", words)
    found.page.keyboard.press("Enter")
    until(found.page, "() => xortrain.state.selected.size === 24")
    until(found.page, "() => document.querySelector('#side .note').textContent.startsWith('24 runs')")


def test_each_share_stands_beside_its_point(browser: Any, tmp_path: Path) -> None:
    """Also where four points are near each other, and the last one is near the end of the picture."""
    before = """globalThis.beside = [];
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, ...rest) {
        if (this.textAlign === "left" && text.endsWith(" %")) beside.push([text, x + this.measureText(text).width]);
        return fillText.call(this, text, x, ...rest);
    };"""
    sweep = xortrain.sweep("lr=0.3,1,3,10", "seed=range(0,25)", "film=none", f"root={tmp_path}")
    solved = [sum(run.outcome == "solved" for run in sweep if run.config["lr"] == rate) for rate in (0.3, 1, 3, 10)]
    with opened(browser, sweep.page(tmp_path / "p.html"), before=before) as found:
        texts, ends = zip(*found.page.evaluate("beside"), strict=True)
        assert list(texts[-4:]) == [f"{4 * count} %" for count in solved]
        assert max(ends) <= found.page.evaluate("document.getElementById('settings-plot').clientWidth")


def test_results_of_a_filter_say_of_how_many_runs_they_are(found: Opened, sweep: Sweep) -> None:
    left = fill(found, "lr = 1 and outcome = 'solved'")
    words = f"Of the {len(left)} of {len(sweep)} runs that meet the filter."
    until(found.page, NOTE_BEGINS, words)
    found.page.focus("#settings-plot")
    found.page.keyboard.press("ArrowRight")
    until(found.page, "() => /of [0-9]+ shown runs? solved/.test(document.querySelector('#settings-note').textContent)")


DRAWN = """() => {
    globalThis.drawn = [];
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
        if (text.startsWith("[")) drawn.push(text);
        return fillText.call(this, text, ...place);
    };
}"""


def test_the_words_of_an_axis_stay_in_their_order_when_the_table_is_sorted(tmp_path: Path, browser: Any) -> None:
    names = ["[3]", "[2]", "[10]"]
    path = xortrain.sweep(f"architecture.hidden={','.join(names)}", "seed=range(0,3)", "epochs=30", "film=none").page(
        tmp_path / "p.html"
    )
    with opened(browser, path) as found:
        found.page.evaluate(DRAWN)
        for _ in range(2):
            found.page.evaluate("drawn.length = 0")
            found.page.click("#table th[data-name=final_loss] button")
            until(found.page, "drawn.length >= 3")
            assert found.page.evaluate("drawn.slice(0, 3)") == names


@pytest.mark.parametrize("second", ["", "architecture.hidden"])
def test_the_outcome_of_each_run_has_its_legend_and_a_part_for_each_run(
    second: str, found: Opened, sweep: Sweep
) -> None:
    found.page.select_option("#settings-x", "lr")
    found.page.select_option("#settings-y", second)
    found.page.select_option("#settings-measure", "outcome")
    until(found.page, "document.querySelector('#settings-note .legend') !== null")
    outcomes = {run.outcome for run in sweep}
    kinds = found.page.locator("#settings-note .legend").all_inner_texts()
    assert any("solved" in text for text in kinds) == ("solved" in outcomes)
    assert len(kinds) == len({text.split()[0] for text in kinds}) > 1
    assert set(found.page.evaluate(POINTED_RUNS)) - {-1} == set(range(len(sweep)))


POINTED_RUNS = """() => {
    const canvas = document.querySelector("#settings-plot"), found = [];
    const { left, top, width, height } = canvas.getBoundingClientRect();
    for (let x = 0; x < width; x += 9) {
        for (let y = 0; y < height; y += 9) {
            canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: left + x, clientY: top + y }));
            found.push(xortrain.state.hover);
        }
    }
    return found;
}"""
PLACES = """() => [...document.querySelectorAll("canvas, section, fieldset")].map((one) => {
    const { left, top, width, height } = one.getBoundingClientRect();
    return [one.id, left, top + scrollY, width, height];
})"""
POINTED = "#field, #hidden, #outputs, #diagram, #one-losses, #losses-plot, #settings-plot, #cells"


@pytest.mark.parametrize("width", [1400, 1000, 390])
def test_nothing_moves_under_the_pointer(width: int, browser: Any, page: Path) -> None:
    with opened(browser, page, width, 900) as found:
        before = found.page.evaluate(PLACES)
        for canvas in found.page.locator(POINTED).all():
            canvas.scroll_into_view_if_needed()
            box: Any = canvas.bounding_box()
            for share in (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9):
                found.page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
                found.page.evaluate("() => new Promise(requestAnimationFrame)")
                assert found.page.evaluate(PLACES) == before


def test_a_run_that_is_picked_comes_into_sight_and_there_is_a_way_back(browser: Any, page: Path) -> None:
    with opened(browser, page, 390, 844) as found:
        found.page.evaluate("addEventListener('pointerdown', () => { globalThis.place ??= scrollY; })")
        for selector in ("#run-3 td.run", "#cells"):
            found.page.evaluate("globalThis.place = undefined")
            found.page.click(selector, position={"x": 12, "y": 12})
            until(found.page, "Math.abs(document.getElementById('one').getBoundingClientRect().top) < 2")
            found.page.get_by_role("button", name="back to where this run was picked").click()
            until(found.page, "Math.abs(scrollY - place) < 2")
    with opened(browser, page, 1400, 900) as found:
        found.page.click("#run-3 td.run")
        assert found.page.evaluate("scrollY") == 0  # it is in sight already
        assert not found.page.locator("#back").is_visible()


NOTE_BEGINS = "(words) => document.querySelector('#settings-note').textContent.startsWith(words)"
HOVERED = (
    "() => xortrain.state.hover < 0 ? '' : xortrain.page.column('run').text(xortrain.state.hover).replace(/.*#/, '#')"
)


def test_the_pointer_finds_the_nearest_curve(found: Opened, sweep: Sweep) -> None:
    """At the height of a run's loss that is far from all others."""
    losses = np.array([run.losses for run in sweep])
    last = np.log(np.where(np.isfinite(losses[:, 100]), losses[:, 100], 1e9))
    gaps = np.abs(last[:, None] - last) + 1e9 * np.eye(len(sweep))
    lonely = int(np.argmax(np.where(losses[:, 100] < losses.max(1) / 2, gaps.min(1), 0)))
    number = sweep[lonely].row["number"]
    place = found.page.evaluate("() => document.querySelector('#losses-plot').getBoundingClientRect().toJSON()")
    heights = range(int(place["top"]) + 10, int(place["bottom"]) - 30)
    for share in (0.45, 0.5, 0.55):
        for y in heights:
            found.page.mouse.move(place["left"] + 50 + share * (place["width"] - 150), y)
            if found.page.evaluate(HOVERED) == f"#{number}":
                break
        else:
            continue
        break
    else:
        pytest.fail("no place of the picture finds the curve")
    until(found.page, "(words) => document.querySelector('#losses-note').textContent.startsWith(words)", f"#{number} ")


FAR_OFF = """() => {
    const { runs, lossRows } = xortrain.page.populations[0];
    const far = (i) => 10 ** (8 + (i % runs) + Math.floor(i / runs));
    for (let i = 0; i < lossRows.length; i++) lossRows[i] = i % runs < 20 ? far(i) : i % 7;
}"""


def test_curves_that_leave_a_linear_axis_far_above_are_drawn(tmp_path: Path, browser: Any) -> None:
    """The density of curves takes as many steps as it has pixels, also where a hundredth of the runs diverge."""
    sweep = xortrain.sweep("seed=range(0,2100)", "epochs=3", "film=none", f"root={tmp_path}")
    with opened(browser, sweep.page(tmp_path / "p.html")) as found:
        found.page.evaluate(FAR_OFF)
        found.page.get_by_label("log axis").click()
        until(found.page, "!document.querySelector('#losses-tools input').checked")
        assert found.said == []


def test_a_loss_is_said_with_the_epoch_after_which_it_was_recorded(tmp_path: Path, browser: Any) -> None:
    """Snapshots and losses are kept after different epochs; the words name a loss that the record has."""
    sweep = xortrain.sweep("lr=1,3", "seed=0,1", "epochs=300", "track.losses=7", "film=none", f"root={tmp_path}")
    with opened(browser, sweep.page(tmp_path / "p.html")) as found:
        for run, epoch in product((0, 3), (0, 60, 149, 150, 299, 300)):
            found.page.evaluate("([run, epoch]) => xortrain.change({ run, epoch })", [run, epoch])
            words = re.search(r"loss (\S+) at epoch (\d+)$", found.page.inner_text("#losses-note"))
            assert words
            row = sweep[run].loss_epochs.tolist().index(int(words[2]))
            assert float(words[1]) == pytest.approx(sweep[run].losses[row], rel=1e-3)
            assert sweep[run].loss_epochs[row] == max(e for e in sweep[run].loss_epochs if e <= epoch)


@pytest.mark.parametrize("grid", ["geomspace(0.01,10,37)", "linspace(0.1,1.3,25)", "linspace(0.3,2.7,49)"])
def test_ranges_of_an_even_grid_have_equally_many_runs(grid: str, tmp_path: Path, browser: Any) -> None:
    """Whose values are edges of ranges: a value belongs to the range that begins with it, the last one to the last."""
    sweep = xortrain.sweep(f"lr={grid}", "seed=0,1", "epochs=1", "film=none", f"root={tmp_path}")
    with opened(browser, sweep.page(tmp_path / "p.html")) as found:
        found.page.focus("#settings-plot")
        counts = []
        for _ in range(12):
            found.page.keyboard.press("ArrowRight")
            found.page.evaluate("() => new Promise(requestAnimationFrame)")
            counts.append(int(re.findall(r" of (\d+) runs", found.page.inner_text("#settings-note"))[0]))
    assert len(set(counts[:-1])) == 1
    assert counts[-1] == counts[0] + 2


def test_learnt_is_not_solved_in_any_view(tmp_path: Path, browser: Any) -> None:
    """Each kind of outcome has its key in sight; the losses count what the records do."""
    words = ("data=moons", "data.noise=0,0.3", "data.examples=40", "seed=range(0,3)", "activation=tanh")
    more = ("lr=0.001,0.3,2", "loss=mse", "output=identity", "architecture.hidden=[8]", "epochs=400", "film=none")
    sweep = xortrain.sweep(*words, *more, f"root={tmp_path}")
    counts = Counter({"solved": "solved", "learnt": "learnt"}.get(run.outcome, "not solved") for run in sweep)
    assert set(counts) == {"solved", "learnt", "not solved"}
    with opened(browser, sweep.page(tmp_path / "p.html"), before=TEXTS) as found:
        drawn = found.page.evaluate("texts['losses-plot']")
        assert {text for text in drawn if "solved" in text or "learnt" in text} == {
            f"{count} {name}" for name, count in counts.items()
        }
        assert "· learnt" in found.page.inner_text("#side-note")
        found.page.select_option("#settings-measure", "outcome")
        until(found.page, "document.querySelector('#settings-note .legend') !== null")
        room: Any = found.page.locator("#settings-note").bounding_box()
        keys = found.page.locator("#settings-note .legend").all()
        assert {key.inner_text()[2:].split(",")[0] for key in keys} >= {"solved", "learnt", "diverged", "stuck"}
        for key in keys:
            box: Any = key.bounding_box()
            assert box["x"] + box["width"] <= room["x"] + room["width"]
            assert box["y"] + box["height"] <= room["y"] + room["height"]


def test_the_share_of_held_out_examples_that_are_right_is_in_the_table(tmp_path: Path, browser: Any) -> None:
    words = ("data=moons", "data.examples=40", "data.test=0.3", "seed=0,1", "epochs=9", "film=none")
    sweep = xortrain.sweep(*words, f"root={tmp_path}")
    with opened(browser, sweep.page(tmp_path / "p.html")) as found:
        place = found.page.locator("#table th").all_inner_texts().index("test_accuracy")
        shown = [float(found.page.locator(f"#run-{k} td").nth(place).inner_text()) for k in range(2)]
    assert shown == pytest.approx([run.row["test_accuracy"] for run in sweep], rel=1e-3)


def test_ranges_of_whole_numbers_have_whole_ends(tmp_path: Path, browser: Any) -> None:
    """A range has the runs from its first number up to the next range; the last one includes its end."""
    sweep = xortrain.sweep("seed=range(0,1300)", "epochs=60", "track.frames=2", "film=none", f"root={tmp_path}")
    solved = np.array([run.outcome == "solved" for run in sweep])
    with opened(browser, sweep.page(tmp_path / "p.html")) as found:
        found.page.select_option("#settings-x", "seed")
        found.page.select_option("#settings-measure", "solved")
        found.page.focus("#settings-plot")
        end = 0
        while end < 1299:
            found.page.keyboard.press("ArrowRight")
            start = "(words) => document.querySelector('#settings-note').textContent.startsWith(words)"
            until(found.page, start, f"seed {end:,} – ")
            words = found.page.inner_text("#settings-note")
            said = re.match(r"seed [\d,]+ – ([\d,]+): (\d+) of (\d+) runs solved", words)
            assert said, words
            first, end = end, int(said[1].replace(",", ""))
            runs = solved[first : end + (end == 1299)]
            assert (int(said[2]), int(said[3])) == (runs.sum(), len(runs))


def test_runs_are_counted_in_whole_numbers(tmp_path: Path, browser: Any) -> None:
    sweep = xortrain.sweep("seed=0,1,2", "epochs=5", "film=none", f"root={tmp_path}")
    with opened(browser, sweep.page(tmp_path / "p.html"), before=TEXTS) as found:
        assert found.page.input_value("#settings-measure") == "runs"
        drawn = set(found.page.evaluate("texts['']"))  # a layer, without an id
        assert {"0", "1"} <= drawn
        assert not {"0.2", "0.25", "0.4", "0.5", "0.6", "0.8"} & drawn


def test_ticks_of_any_size_are_whole(tmp_path: Path, browser: Any) -> None:
    words = ("lr=1,1e6", "activation=relu", "loss=mse", "output=identity", "epochs=30", "film=none")
    with opened(browser, xortrain.sweep(*words, f"root={tmp_path}").page(tmp_path / "p.html"), before=TEXTS) as found:
        assert any("e" in text for text in found.page.evaluate("texts['losses-plot']"))
        assert found.page.evaluate("least['losses-plot']") >= 0
        assert found.said == []


def test_long_names_and_numbers_stay_legible(tmp_path: Path, browser: Any) -> None:
    """They are shortened, neither squeezed nor cut at the left; the name of an axis is not on its numbers."""
    names = "temperature of it,pressure inside the vessel before and after all of it,phase"
    phases = [f"{name} state of matter" for name in ("solid", "liquid", "gaseous", "ionised")]
    rows = [f"{k},{10_000 * (k % 17)},{phases[k % 4]}" for k in range(40)]
    (tmp_path / "t.csv").write_text("\n".join([names, *rows]))
    words = ("data=csv", f"data.path={tmp_path / 't.csv'}", "lr=0.1,1", "activation=tanh,relu", "epochs=20")
    page = xortrain.sweep(*words, "film=none", f"root={tmp_path}").page(tmp_path / "p.html")
    with opened(browser, page, before=TEXTS) as found:
        assert found.page.evaluate("squeezed") >= 0.84
        assert found.page.evaluate("least.diagram") >= 0
        assert found.page.evaluate("least.field") >= 13  # behind the name
        assert any(text.endswith("…") for text in found.page.evaluate("texts.diagram"))
        assert found.said == []


TEXTS = """globalThis.texts = {};
globalThis.least = {};
globalThis.squeezed = 1;
const { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y, room = Infinity) {
    const { id } = this.canvas, width = this.measureText(text).width;
    const left = x - ({ right: width, center: width / 2 }[this.textAlign] ?? 0);
    (texts[id] ??= []).push(text);
    if (this.getTransform().b === 0) least[id] = Math.min(least[id] ?? Infinity, left);
    squeezed = Math.min(squeezed, room / width);
    return fillText.call(this, text, x, y, Math.min(room, 1e6));
};"""
"""The texts of each canvas, the left end of the leftmost one that is not upright, and how far one is squeezed."""


IS_IN_TABLE = """() => {
    const places = [`#run-${xortrain.state.run}`, "#table thead", "#table"].map((one) => document.querySelector(one));
    const [row, head, table] = places.map((one) => one?.getBoundingClientRect());
    return row && row.top >= head.bottom - 1 && row.bottom <= table.bottom + 1;
}"""


def test_a_pixel_of_a_map_plays_its_run_which_is_trained_here(tmp_path: Path, browser: Any) -> None:
    sweep = xortrain.sweep(
        "lr=geomspace(0.1,10,12)", "init.scale=geomspace(0.2,5,12)", "film=map", "epochs=80", f"root={tmp_path}"
    )
    with opened(browser, sweep.page(tmp_path / "map.html")) as found:
        assert found.page.evaluate("() => xortrain.page.populations[0].frameEpochs.length") <= 2  # no snapshots between
        box = found.page.evaluate("() => document.querySelector('#settings-plot').getBoundingClientRect().toJSON()")
        found.page.mouse.click(box["left"] + 0.6 * box["width"], box["top"] + 0.5 * box["height"])
        until(found.page, "() => xortrain.state.run > 0")
        run = sweep[int(found.page.evaluate("() => xortrain.state.run"))]
        assert "lr" in found.page.inner_text("#one-title")
        until(found.page, IS_IN_TABLE)  # whose height changes with the words of the run
        found.page.keyboard.press("End")
        until(found.page, "() => xortrain.shown(xortrain.page).epoch === 80")
        shown = found.page.evaluate(
            "() => { const s = xortrain.shown(xortrain.page); return [[...s.theta], s.isLive]; }"
        )
        assert found.said == []
    assert shown[1] is True
    np.testing.assert_allclose(shown[0], run.parameters[-1], rtol=1e-9, atol=1e-9)
