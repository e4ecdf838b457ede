"""Continues training runs from their end or from any recorded snapshot, with the same or other settings.

The new record has the whole history, so it needs no other.  Data, network and start are those of its parent.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xortrain.config.check import check
from xortrain.config.compose import changed
from xortrain.config.own_rows import refuse_changed
from xortrain.errors import UserError, counted
from xortrain.nets.optimizers import OPTIMIZERS, SCHEDULES
from xortrain.records.index import Entry, id_of
from xortrain.records.layout import START, column_of, setting_of
from xortrain.runner.engines import Engine
from xortrain.runner.plan import within_budget
from xortrain.runner.sweep import run_sweep
from xortrain.runner.train import train_in_memory, train_into_folder
from xortrain.setup.earlier import Origin, have_same, stages_until
from xortrain.setup.examples import refuse_unfit_targets
from xortrain.setup.film_config import refuse_unfit_films, with_one
from xortrain.setup.own_data import OwnData
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup, recorded_epochs, refuse_contradictions, with_known
from xortrain.setup.set_parameters import Entries, places_of, split_words, with_entries_set
from xortrain.trained.checkpoints import JUDGES, checkpoint_of, first_untrained
from xortrain.trained.opening import open_trained
from xortrain.trained.run_data import RunData, TrainedRuns, place_of_epoch
from xortrain.training.engine import chosen_engine, refuse_missing_machine

SAME = ("data", "architecture", "activation", "init", "seed", "dtype", "engine")
"""The settings and groups that a continued training has from its parent."""
_MORE = re.compile(r"epochs=\+(\d{1,10})")


@dataclass(frozen=True)
class Continuation:
    """Trained runs, and the setup with which they are trained on from the epoch of its origin.

    ``then_set`` are the parameters that are set by hand at that epoch.
    """

    parent: TrainedRuns
    setup: Setup
    then_set: Entries

    @property
    def epoch(self) -> int:
        """The epoch from which it goes on."""
        assert self.setup.origin is not None
        return self.setup.origin.epoch

    def recorded(self, setup: Setup) -> "Continuation":
        """The same with the recorded epochs of a setup; those before its epoch are the nearest of the parent's."""
        before = self.parent.setup
        losses = with_known(setup.loss_epochs, before.loss_epochs, self.epoch)
        frames = np.union1d(with_known(setup.frame_epochs, before.frame_epochs, self.epoch), self.epoch)
        return replace(self, setup=replace(self.setup, loss_epochs=losses, frame_epochs=frames))

    def remarks(self) -> list[str]:
        """What is kept of the parent, and what is not as it would be in one longer training."""
        before, p, epoch = self.parent.setup, self.setup.population, self.epoch
        kept = [
            f"{(new < epoch).sum()} of {(old < epoch).sum()} {what}"
            for what, old, new in (
                ("losses", before.loss_epochs, self.setup.loss_epochs),
                ("snapshots", before.frame_epochs, self.setup.frame_epochs),
            )
            if (new < epoch).sum() < (old < epoch).sum()
        ]
        lines = [f"Epochs 0 to {epoch} are those of the parent{'; it keeps ' * bool(kept)}{' and '.join(kept)}."]
        lines += self._set_by_hand()
        optimizer, ended = p.shared("optimizer.name"), int((first_untrained(self.parent.rows) <= epoch).sum())
        if epoch and optimizer != self.setup.settings_of(epoch - 1).shared("optimizer.name"):
            lines.append(f"optimizer={optimizer} starts fresh at epoch {epoch}, with lr={p.values('lr')[0]:g}.")
        if ended:
            stay = "stays as it was" if ended == 1 else "stay as they were"
            lines.append(f"{ended:,} of {counted(p.runs, 'run')} had ended by epoch {epoch}, and {stay}.")
        return lines

    def _set_by_hand(self) -> list[str]:
        """What is set at the epoch from which it goes on."""
        listed = [f"{column_of(f'{START}.{name}')} set to {value:g}" for name, value in self.then_set.items()]
        return [f"Epoch {self.epoch} is that of the parent with {', '.join(listed)}."] if listed else []


def continuation(
    parent: TrainedRuns, overrides: Sequence[str], origin: Origin, root: Path | str | None = None
) -> Continuation:
    """Check what is asked, and plan to train the runs of a population on; raises UserError for what cannot be."""
    before, epoch = parent.setup.population, origin.epoch
    entries, overrides = split_words(overrides)
    places_of(entries, parent.setup.shape.shapes)
    more = _MORE.fullmatch(["", *(word for word in overrides if word.lstrip("+").startswith("epochs="))][-1])
    words = [word for word in overrides if not _MORE.fullmatch(word)]
    config, touched = changed({**dict(before.config), **({} if root is None else {"root": str(root)})}, words)
    if more:
        config, touched = check({**config, "epochs": epoch + int(more[1])}), {*touched, "epochs"}
    if not epoch:  # what is set is a part of the start
        before = _with_start(before, entries)
        config = {**config, "init": before.config["init"]}
    varying = {key: v for key, v in before.varying.items() if not {key, key.partition(".")[0]} & touched}
    population = parent.setup.with_names(replace(before, config=config, varying=varying))
    _refuse_what_must_stay(before, population, words)
    _refuse_rates(parent.setup, population, epoch)
    plan = _continued(parent, population, origin, entries)
    if refuse_missing_machine(plan.setup.instruction_set):
        chosen_engine("compiled", plan.setup.first_task)  # which refuses new settings that the machine does not cover
    return plan


def _with_start(population: Population, entries: Entries) -> Population:
    """A population whose runs all start with these values of parameters."""
    init = population.config["init"]
    changed = {**init, "set": with_entries_set(init["set"], entries)}
    varying = {key: v for key, v in population.varying.items() if key.removeprefix(f"{START}.") not in entries}
    return replace(population, config={**population.config, "init": changed}, varying=varying)


def _continued(parent: TrainedRuns, population: Population, origin: Origin, then_set: Entries) -> Continuation:
    setup, before = parent.setup, parent.setup.population
    known, now = setup.earlier, before
    judge = next((key for key in JUDGES if not have_same(before, population, key)), None)
    if judge:
        _refuse_stopped(parent, judge, population, origin.epoch)
        known = tuple(replace(stage, population=_unstopped(stage.population)) for stage in known)
        now = _unstopped(before)
    losses, frames = recorded_epochs(population)
    earlier = stages_until(origin.epoch, known, now, population, then_set)
    setup = replace(
        setup, population=population, loss_epochs=losses, frame_epochs=frames, earlier=earlier, origin=origin
    )
    refuse_contradictions(setup)
    for part in (setup.train, setup.test):
        if part:
            refuse_unfit_targets(population, part.scaled(setup.scaling).t)
    return Continuation(parent, setup, then_set)


def _unstopped(population: Population) -> Population:
    """The same settings without a stop rule, for runs that it did not stop."""
    varying = {key: values for key, values in population.varying.items() if not key.startswith("stop.")}
    return replace(population, config={**population.config, "stop": {"name": "never"}}, varying=varying)


def _refuse_what_must_stay(before: Population, population: Population, words: Sequence[str]) -> None:
    """Raise UserError for other data, another network or another start."""
    if population.shared("dry_run"):
        raise UserError("dry_run=true: there is no estimate for a run that is continued; leave it out")
    for key in SAME:
        if not have_same(before, population, key):
            word = next(word for word in words if setting_of(word.partition("=")[0].lstrip("+")).split(".")[0] == key)
            raise UserError(f"{word}: a run keeps its {key} when it is continued; train a new run instead")
    if not have_same(before, population, "output"):
        was, now = (p.shared("output.name") for p in (before, population))
        raise UserError(f"output={now}: a run keeps its output when it is continued; leave it out, or add output={was}")


def _refuse_rates(setup: Setup, population: Population, epoch: int) -> None:
    """Raise UserError for too few epochs, and for rates of which the past would have needed to know."""
    total, schedule = population.epochs, population.shared("schedule.name")
    if total <= epoch:
        raise UserError(f"epochs={total}: {epoch} are trained already; add epochs=+500 for 500 more")
    optimizer, last = population.shared("optimizer.name"), setup.settings_of(max(0, epoch - 1))
    goes_on = epoch > 0 and optimizer == last.shared("optimizer.name")
    changed_rates = [key for key in ("lr", "layer_lr") if not have_same(last, population, key)]
    if goes_on and OPTIMIZERS[optimizer].rate_at_start and changed_rates:
        raise UserError(
            f"{changed_rates[0]}: optimizer={optimizer} uses it at its start only; leave it out, or use another one"
        )
    before, same = setup.population, schedule == setup.population.shared("schedule.name")
    if same and SCHEDULES[schedule].uses_total and total != before.epochs:
        known = f"which was {before.epochs}; add schedule=constant for the rest"
        raise UserError(f"epochs={total}: schedule={schedule} depends on the number of epochs, {known}")


def _refuse_stopped(parent: TrainedRuns, judge: str, population: Population, epoch: int) -> None:
    """Raise UserError if a rule stopped some runs by the loss or success rule that is to be changed."""
    rows = parent.rows
    stopped = int(((rows["diverged_at"] < 0) & (first_untrained(rows) <= epoch)).sum())
    if stopped:
        raise UserError(
            f"{judge}={population.shared(f'{judge}.name')}: a stop rule had ended {stopped:,} of these runs by epoch "
            f"{epoch}, judged by another {judge}; continue runs one by one, or from an earlier epoch"
        )


def continue_run(
    run: RunData, overrides: Sequence[str], epoch: int | None = None, root: Path | str | None = None,
    show: bool = False, own: OwnData | None = None,
) -> tuple[RunData, list[str]]:  # fmt: skip
    """Train one run on, in memory if that is where it is, else into a new record; returns it, and remarks.

    ``own`` are other examples for a run in memory, on which it is then judged too; a rule may have stopped it before.
    """
    rows = run.trained.rows[[run.place]]
    if run.folder:
        refuse_changed(run.setup.configs, run.trained.metadata)
    _refuse_unfinished(rows)
    from_epoch = _epoch_of_run(run, epoch)
    folder, number = run.folder, run.row["number"]
    name = id_of(folder.absolute(), Path(run.config["root"]).absolute()) if folder else ""
    suffix = f"#{number}" if folder and run.setup.population.runs > 1 else ""
    origin = Origin(f"{name}{suffix}", f"{folder}{suffix}" if folder else "", from_epoch)
    alone = run.setup.alone(run.place)
    settings = replace(alone.population, config=dict(with_one(run.config)))
    setup = replace(alone, population=settings)
    parent = replace(run.trained.take(np.array([run.place])), setup=setup.over(own) if own else setup)
    plan = continuation(parent, overrides, origin, root)
    plan = plan.recorded(plan.setup)
    if own is None:
        _refuse_stop_again(run, plan)
    config = plan.setup.population.config
    if folder and config["film"]["name"] != "none":
        refuse_unfit_films([config], 1)
    start = checkpoint_of(parent, plan.setup, slice(0, 1))
    if not folder:
        return RunData(train_in_memory(plan.setup, show, start)), plan.remarks()
    return train_into_folder(plan.setup, config["root"], show, start), plan.remarks()


def _refuse_unfinished(rows: np.ndarray) -> None:
    waiting = int((rows["outcome"] == 0).sum())
    if waiting:
        what = "it is" if len(rows) == 1 else f"{waiting:,} of {len(rows):,} runs {'is' if waiting == 1 else 'are'}"
        raise UserError(f"{what} not finished; xortrain resume trains what is missing")


def _epoch_of_run(run: RunData, epoch: int | None) -> int:
    """The epoch from which a run goes on, by default its last; raises UserError if it cannot."""
    row, kept = run.row, run.epochs
    diverged, done = row["diverged_at"], row["epochs_done"]
    if diverged >= 0 and (epoch is None or epoch >= diverged):
        earlier = kept[kept < diverged]
        hint = f"choose an earlier epoch, such as epoch {earlier[-1]}" if len(earlier) else "it cannot be continued"
        raise UserError(f"diverged at epoch {diverged}; {hint}")
    chosen = epoch if epoch is not None else int(done if done >= 0 else kept[-1])
    if chosen > done >= 0:
        raise UserError(f"epoch={chosen}: this run ended at epoch {done}")
    if chosen != done or done > kept[-1]:
        place_of_epoch(kept, chosen)
    return chosen


def _refuse_stop_again(run: RunData, plan: Continuation) -> None:
    """Raise UserError for a run that the rule that stopped it would stop at once."""
    before, population = run.setup.alone(run.place), plan.setup.population
    was_stopped = plan.epoch == run.row["epochs_done"] < before.population.epochs
    rule = before.settings_of(plan.epoch)
    if was_stopped and all(have_same(rule, population, key) for key in ("stop", *JUDGES)):
        name = population.shared("stop.name")
        raise UserError(f"stop={name}: stopped this run at epoch {plan.epoch}, and would again; add stop=never")


def continue_sweep(
    entry: Entry, overrides: Sequence[str], epoch: int | None, engine: Engine, root: Path | str, show: bool = False
) -> tuple[Path, list[str]]:
    """Train all runs of a sweep on, as a new sweep; returns its folder, and remarks."""
    plans = []
    for part in entry.parts:
        parent = open_trained(part.folder)
        refuse_changed(parent.setup.configs, parent.metadata)
        _refuse_unfinished(parent.rows)
        chosen = parent.setup.population.epochs if epoch is None else epoch
        place_of_epoch(parent.setup.frame_epochs, chosen)
        plans.append(continuation(parent, overrides, Origin(entry.id, entry.path, chosen), root))
    ended = [first_untrained(plan.parent.rows) for plan in plans]
    if all((ends <= plan.epoch).all() for ends, plan in zip(ended, plans, strict=True)):
        raise UserError(f"every run had ended by epoch {max(map(np.max, ended))}; choose an earlier epoch")
    within = within_budget([plan.setup for plan in plans], engine)
    plans = [plan.recorded(setup) for plan, setup in zip(plans, within.setups, strict=True)]
    for plan in plans:  # the first run stands for the others, which are checked when they are trained
        checkpoint_of(plan.parent, plan.setup, slice(0, 1))
    whole = replace(within, setups=tuple(plan.setup for plan in plans))
    remarks = list(dict.fromkeys(line for plan in plans for line in plan.remarks()))
    return run_sweep(whole, show, [plan.parent for plan in plans]), remarks
