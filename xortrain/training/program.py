"""The programs of the machine for a task: one step of `nets`, recorded on arrays of slots, in the parts that it has.

They depend on the settings of a run alone, never on how many runs there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np

from xortrain.errors import first_line
from xortrain.machine.run import PART, STEP, operation_codes, structures
from xortrain.nets import Array, Numbers
from xortrain.nets.network import Pass
from xortrain.nets.optimizers import SCHEDULES
from xortrain.nets.setting import in_use
from xortrain.symbols import SymbolError
from xortrain.symbols.assembly import Code, assembled
from xortrain.symbols.tape import Instruction, Places, Slots, Tape
from xortrain.training.learner import Descent, options_in_use
from xortrain.training.success import STOP_RULES, JudgedEpoch
from xortrain.training.task import Task

FEW_NUMBERS = 100  # that all runs share
SIZES = 16, 12, 8  # examples of a part: the first size that divides all, else 16; small tiles multiply four at a time
MOST_KNOWN = 32  # programs that are kept


@dataclass(frozen=True)
class Program:
    """What the machine needs to train runs of a task, but for their numbers: `machine.run` says what each is."""

    numbers: dict[str, int]
    arrays: dict[str, Array]

    @cached_property
    def work(self) -> int:
        """About how many numbers of a run are computed in an epoch."""
        code = self.arrays["code"].astype(int)
        costs = np.append(0, np.cumsum(code[:, 1] * code[:, 2] * np.maximum(1, code[:, 3])))
        ends = np.flatnonzero(code[:, 0] == operation_codes()["end"])
        work_at: Any = lambda starts: costs[ends[np.searchsorted(ends, starts)]] - costs[starts]
        of_part = work_at(self.arrays["parts"][:, -3:]).sum(axis=1)
        judge, train, test = (self.arrays[name] for name in ("judge", "train", "test"))
        updates = train[:, 3].sum() if len(train) else 1
        steps = sum(of_part[rows[:, 0].astype(int)].sum() for rows in (judge, train, test))
        return int(steps + updates * work_at(np.array([self.numbers["update"]]))[0])


def per_run(task: Task, judge: Task) -> list[Array]:
    """The numbers (runs,) that each run has of its own, in the order in which programs have them; the rates first."""
    rates = list(task.lr) if task.lr.ndim == 2 else [task.lr]
    return [*rates, *(value for group in _groups(task, judge) for value in group.values())]


def _groups(task: Task, judge: Task) -> Iterator[Mapping[str, Array]]:
    """The settings that are numbers, group by group: of layers, losses, optimizer and stop rule."""
    yield from (layer.settings for layer in task.network.layers)
    yield from (in_use(one.criterion.row.settings, one.criterion.settings) for one in (task, judge))
    yield options_in_use(task)
    yield task.stop.settings


def program(task: Task, judge: Task, state: Numbers, memory: Numbers) -> Program:
    """The programs of a task that another may judge; raises SymbolError for what cannot be recorded."""
    key = _key(task, judge, state, memory)
    with _LOCK:
        if key not in _KNOWN:
            if len(_KNOWN) >= MOST_KNOWN:
                _KNOWN.pop(next(iter(_KNOWN)))
            try:
                _KNOWN[key] = _Recorder(task, judge, state, memory).program()
            except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
                raise SymbolError(first_line(error)) from error  # rows of a user's own may do anything
        return _KNOWN[key]


_KNOWN, _LOCK = dict[Any, Program](), Lock()


def _key(task: Task, judge: Task, state: Numbers, memory: Numbers) -> Any:
    """What programs depend on."""
    layers = tuple((layer.units, layer.row, *layer.settings) for layer in task.network.layers)
    losses = tuple((one.criterion.row, one.criterion.reduction) for one in (task, judge))
    kept = tuple((name, *value.shape[:-1]) for group in (state, memory) for name, value in group.items())
    names = tuple(tuple(group) for group in _groups(task, judge))
    is_constant = SCHEDULES[task.schedule.name].is_constant
    rules = (Descent(task).row, STOP_RULES[task.stop.name], *task.stop.words.items(), is_constant)
    sizes = (len(task.data.x), len(task.test.x) if task.test else 0, task.batch_size, task.lr.ndim, *task.freeze)
    return layers, losses, kept, names, rules, sizes, replace(task.network, layers=()), task.theta.dtype


def program_of(task: Task) -> Program:
    """The programs with which the training of a task begins."""
    memory = STOP_RULES[task.stop.name].start(task.theta, 0)
    return program(task, task, Descent(task).start(task.theta, task.lr), memory)


class _Recorder:
    """Records the programs of a task on one tape, and writes them one after the other."""

    def __init__(self, task: Task, judge: Task, state: Numbers, memory: Numbers) -> None:
        network, size = task.network, task.network.size
        penalties = {"l1", "l2"} & options_in_use(task).keys()  # know of each parameter whether it is a weight
        self.task, self.tape = task, Tape(FEW_NUMBERS + (size if penalties else 0), task.theta.dtype)
        new = self.tape.new
        self.theta = new(size, 1)
        self.state, self.memory = (
            {name: new(*value.shape[:-1], 1) for name, value in group.items()} for group in (state, memory)
        )
        self.setting = new(len(per_run(task, judge)), 1)
        rates = self.setting[: size if task.lr.ndim == 2 else 1].reshape(*task.lr.shape[:-1], 1)
        self.rate = rates if SCHEDULES[task.schedule.name].is_constant else new(*rates.shape)
        given = (self.setting[k] for k in range(rates.size, len(self.setting)))
        groups: list[Any] = [{name: next(given) for name in group} for group in _groups(task, judge)]
        *layers, loss, judged_loss, options, self.rule = groups
        own = zip(network.layers, layers, strict=True)
        self.network = replace(network, layers=tuple(replace(layer, settings=of) for layer, of in own))
        self.criterion = replace(task.criterion, settings=loss, output_settings=layers[-1])
        self.judge = replace(judge.criterion, settings=judged_loss, output_settings=layers[-1])
        self.descent = Descent(task, options)
        self.g, self.frozen = new(size, 1), new(len(self.descent.frozen), 1)
        self.single = {name: new(1) for name in ("epoch", "right", "sound", "stops", "loss", "test_loss")}
        self.spans = [(kind, count, _parts(first, count)) for kind, first, count in _spans(task)]
        most = dict(sorted((kind, size) for kind, _, parts in self.spans for _, size in parts))  # the largest of each
        self.xt = {kind: (new(n, network.inputs, 1), new(n, network.outputs, 1)) for kind, n in most.items()}
        self.fixed = self.tape.size
        self.code, self.length, self.slots = list[Code](), 0, 0

    def program(self) -> Program:
        task, examples = self.task, len(self.task.data.x)
        self._write([[Instruction("end", np.zeros((1, 1), int), [])]])  # no program is at place 0, which is for none
        parts: dict[tuple[str, int, int], list[int]] = {}
        steps: dict[str, list[list[int]]] = {"judge": [], "train": [], "test": []}
        for kind, count, of_span in self.spans:
            for first, size in of_span:
                if (kind, size, count) not in parts:
                    parts[kind, size, count] = self._part(kind, size, count)
                place = list(parts).index((kind, size, count))
                steps[kind].append([place, first, first == of_span[0][0], first == of_span[-1][0]])
        update, (stop, needs) = self._update(), self._stop()
        named = {"theta": self.theta, "setting": self.setting, "g": self.g, "rate": self.rate, "frozen_at": self.frozen}
        first_of: Any = lambda slots: int(slots.places.flat[0]) if slots.size else 0
        groups = {"state": [*self.state.values()], "memory": [*self.memory.values()]}
        numbers = {
            **{name: first_of(slots) for name, slots in (named | self.single).items()},
            **{name: first_of(group[0]) if group else 0 for name, group in groups.items()},
            "states": sum(slots.size for slots in groups["state"]),
            "memories": sum(slots.size for slots in groups["memory"]),
            "slots": self.slots, "inputs": self.network.inputs, "outputs": self.network.outputs,
            "thetas": self.theta.size, "settings": self.setting.size, "rates": self.rate.size,
            "frozen": self.frozen.size, "constants": len(self.tape.numbers), "update": update, "stop": stop,
            "stop_needs": needs, "is_full_batch": int(task.batch_size is None), "ordered": examples,
            "judging": len(steps["judge"]), "training": len(steps["train"]), "testing": len(steps["test"]),
        }  # fmt: skip
        arrays: dict[str, Array] = {
            "code": np.concatenate(self.code),
            "parts": structures(PART, list(parts.values())),
            **{name: structures(STEP, rows) for name, rows in steps.items()},
            "constant_slots": np.arange(len(self.tape.numbers), dtype=np.int32),
            "constant_numbers": self.tape.numbers.astype(task.theta.dtype),
            "frozen_rows": np.array(self.descent.frozen, np.int32),
        }
        return Program(numbers, arrays)

    def _write(
        self, sections: Sequence[Sequence[Instruction]], kept: Sequence[Places] = (), unread: Sequence[int] = ()
    ) -> tuple[list[int], list[Places]]:
        """Write sections that run one after the other; where each begins, and where they leave what is ``kept``."""
        made, places, top = assembled(sections, self.fixed, self.tape.blocks, operation_codes(), unread, kept)
        self.slots = max(self.slots, top)
        starts = []
        for section in made:
            starts.append(self.length)
            self.code.append(section)
            self.length += len(section)
        return starts, places

    def _part(self, kind: str, size: int, count: int) -> list[int]:
        """Write how some examples of ``count`` are computed: forward, their loss, backward; returns a PART."""
        g, at = [self.g], int(self.g.places[0, 0])
        self.tape.added_to = range(at, at + self.g.size if size < count else at)
        empty: Any = lambda shape, dtype: g.pop() if g else self.tape.new(*shape)  # the gradient is the first
        x, t = (slots[:size] for slots in self.xt[kind])
        theta, x, t, total = (*map(_as_array, (self.theta, x, t)), self.tape.new(1))
        net = Pass(self.network, theta, x, empty=empty)
        net.forward()
        forward = self.tape.taken()
        if kind != "train":
            total[...] = replace(self.judge, examples=count).total(net.z[-1], net.y, t)
        loss = self.tape.taken()
        if kind == "train" or (kind == "judge" and self.task.batch_size is None):
            net.backward(replace(self.criterion, examples=count).delta(net.z[-1], net.y, t))
        y: Any = net.y
        starts, (y_at, loss_at) = self._write([forward, loss, self.tape.taken()], [y.places[..., 0], total.places])
        y0, y1 = (int(np.diff(y_at, axis=axis).ravel()[:1].sum()) for axis in (0, 1))  # 0 along an axis of length 1
        return [size, x.places.flat[0], t.places.flat[0], y_at[0, 0], y0, y1, loss_at.item(), *starts]

    def _update(self) -> int:
        state: dict[str, Any] = dict(self.state)
        theta, g, rate, frozen = map(_as_array, (self.theta, self.g, self.rate, self.frozen))
        self.descent.update(theta, g, state, rate, frozen)
        for name, value in state.items():
            self.state[name][...] = value  # an optimizer may have put another array in its place
        (start,), _ = self._write([self.tape.taken()], unread=self.g.places.ravel().tolist())
        return start

    def _stop(self) -> tuple[int, int]:
        """Where the stop rule is, 0 for none; and what it needs of every epoch: 1 the loss, 2 the held-out one."""
        needs, rule = set[int](), STOP_RULES[self.task.stop.name]
        if rule.holds is None:
            return 0, 0

        def losses(name: str, bit: int) -> Array:
            needs.add(bit)
            return _as_array(self.single[name])

        epoch: Any = self.single["epoch"]
        theta, right, sound = map(_as_array, (self.theta, self.single["right"], self.single["sound"]))
        memory: Any = self.memory
        judged = JudgedEpoch(
            epoch, theta, right, sound, lambda: losses("loss", 1), lambda: losses("test_loss", 2), memory
        )
        self.single["stops"][...] = rule.holds(judged, **self.rule, **self.task.stop.words)
        (start,), _ = self._write([self.tape.taken()])
        return start, sum(needs)


def _as_array(slots: Slots) -> Any:
    """Slots where arrays are asked for, which they stand for."""
    return slots


def _spans(task: Task) -> list[tuple[str, int, int]]:
    """What examples are for, the first of them and how many: all that judge, those that are held out, each batch."""
    examples, batch = len(task.data.x), task.batch_size or 0
    spans = [("judge", 0, examples)] + ([("test", 0, len(task.test.x))] if task.test else [])
    return spans + [("train", at, min(batch, examples - at)) for at in (range(0, examples, batch) if batch else ())]


def _parts(first: int, count: int) -> list[tuple[int, int]]:
    """Examples in parts of one size, but for the last: the first of each, and how many."""
    size = next((size for size in SIZES if count % size == 0), SIZES[0])
    return [(at, min(size, first + count - at)) for at in range(first, first + count, size)]
