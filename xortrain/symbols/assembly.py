"""From recorded instructions to the code of the machine: simplified, with few slots, each a row of whole numbers."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from xortrain.symbols.protocol import SymbolError
from xortrain.symbols.tape import Instruction, Places, meet, overlap

Code = npt.NDArray[np.int32]
NEAR = 8  # instructions between a product and the sum that it becomes part of
FIELDS = 18
"""Whole numbers of an instruction: those of `instruction` in machine.c."""


def assembled(
    sections: Sequence[Sequence[Instruction]], fixed: int, blocks: Sequence[int], codes: dict[str, int],
    unread: Collection[int] = (), kept: Sequence[Places] = (),
) -> tuple[list[Code], list[Places], int]:  # fmt: skip
    """The code of sections that are run one after the other, where they left ``kept``, and how many slots it all takes.

    The first ``fixed`` slots stay where they are, and outlive the sections unless ``unread``; ``blocks`` are the first
    slots of arrays.  ``codes`` has the operations that the machine knows.
    """
    where = [number for number, section in enumerate(sections) for _ in section]
    lines = [Instruction(i.operation, i.out, list(i.arguments), i.start) for section in sections for i in section]
    size = 1 + max((int(p.max()) for i in lines for p in (i.out, *i.reads) if p.size), default=fixed)
    outlives = np.zeros(max(size, fixed), bool)
    outlives[:fixed] = True
    outlives[list(unread)] = False
    for places in kept:
        outlives[places] = True
    numbered = list(zip(where, lines, strict=True))
    numbered = _without_copies(numbered, fixed, blocks, outlives)
    numbered = _fused(numbered, outlives)
    numbered = _needed(numbered, outlives)
    moved, top = _placed([line for _, line in numbered], fixed, blocks, outlives)
    code: list[list[Any]] = [[] for _ in sections]
    for number, line in numbered:
        code[number] += _rows(line, moved, codes)
    end = [[codes["end"], *[0] * (FIELDS - 1)]]
    return [np.array(rows + end, np.int32) for rows in code], [moved[places] for places in kept], top


Lines = list[tuple[int, Instruction]]


def _without_copies(lines: Lines, fixed: int, blocks: Sequence[int], outlives: npt.NDArray[np.bool_]) -> Lines:
    """Uses of the copy of a whole array become uses of what it is a copy of, where neither is written again."""
    size = len(outlives)
    writes, ends = np.zeros(size, int), {*blocks, size}
    for _, line in lines:
        np.add.at(writes, line.out.ravel(), 1)
    stands_for, left = np.arange(size), []
    for number, line in lines:
        line.arguments = [stands_for[places] for places in line.arguments]
        line.start = None if line.start is None else stands_for[line.start]
        if line.operation == "positive":
            (source,) = line.arguments
            is_once = (writes[line.out] == 1).all() and not outlives[line.out].any()
            begin, end = int(line.out.min()), int(line.out.max()) + 1
            is_whole = {begin, end} <= ends and line.out.size == end - begin
            if is_once and is_whole and (writes[source] <= (source >= fixed)).all():
                stands_for[line.out] = source
                continue
        left.append((number, line))
    return left


def _fused(lines: Lines, outlives: npt.NDArray[np.bool_]) -> Lines:
    """Products that are used by one sum become a part of it, and so does what is added to sums of products."""
    gone = set[int]()
    for k, (_, line) in enumerate(lines):
        if line.operation not in ("multiply", "dot") or line.start is not None:
            continue
        for j in range(k + 1, min(k + NEAR, len(lines))):
            follower = lines[j][1]
            if j not in gone and (new := _joined(line, follower)) and _is_over(line.out, lines[j:], outlives):
                gone.add(k)
                lines[j] = lines[j][0], new
            if j not in gone and (k in gone or any(meet(line.out, places) for places in follower.reads)):
                break
            if any(meet(follower.out, places) for places in (line.out, *line.reads)):
                break
    return [line for k, line in enumerate(lines) if k not in gone]


def _joined(product: Instruction, total: Instruction) -> Instruction | None:
    """One instruction for a product and the sum or difference in which it is a term."""
    if total.operation not in ("add", "subtract"):
        return None
    same = [_equal(places, product.out) for places in total.arguments]
    if sum(same) != 1 or (total.operation == "subtract" and same[0]):
        return None
    other = total.arguments[1 - same.index(True)]
    if meet(product.out, other):
        return None
    if product.operation == "dot":
        if total.operation == "subtract" or total.out.size != product.out.size:
            return None
        if any(meet(total.out, places) for places in product.arguments):
            return None
        shape = product.out.shape
        return Instruction("dot", total.out.reshape(shape), product.arguments, other.reshape(shape))
    name = "fma" if total.operation == "add" else "fnma"
    factors = [places.reshape(total.out.shape) for places in product.arguments]
    if any(overlap(total.out, places) for places in factors):
        return None
    return Instruction(name, total.out, [*factors, other])


def _equal(one: Places, other: Places) -> bool:
    return one.size == other.size and bool((one.ravel() == other.ravel()).all())


def _is_over(out: Places, lines: Lines, outlives: npt.NDArray[np.bool_]) -> bool:
    """Whether the numbers of these slots are not read after the first of the lines."""
    first, *later = (line for _, line in lines)
    if _covers(first.out, out):
        return True
    for line in later:
        if any(meet(out, places) for places in line.reads):
            return False
        if _covers(line.out, out):
            return True
    return not outlives[out].any()


def _covers(one: Places, other: Places) -> bool:
    return _equal(one, other) or (meet(one, other) and bool(np.isin(other, one).all()))


def _needed(lines: Lines, outlives: npt.NDArray[np.bool_]) -> Lines:
    """The lines whose results are used."""
    live, kept = outlives.copy(), []
    for number, line in reversed(lines):
        if live[line.out].any():
            live[line.out] = False
            for places in line.reads:
                live[places] = True
            kept.append((number, line))
    return kept[::-1]


def _placed(
    lines: Sequence[Instruction], fixed: int, blocks: Sequence[int], outlives: npt.NDArray[np.bool_]
) -> tuple[Places, int]:
    """The final place of each slot, and how many there are: arrays that are not used at the same time share slots."""
    size = len(outlives)
    starts = np.unique([fixed, *(block for block in blocks if fixed <= block < size)])
    first, last = np.full(len(starts), len(lines)), np.full(len(starts), -1)
    block_of = np.searchsorted(starts, np.arange(size), side="right") - 1
    for k, line in enumerate(lines):
        for places in (line.out, *line.reads):
            if places.size and (slot := places.flat[0]) >= fixed:  # no array has slots of two blocks
                block = block_of[slot]
                first[block], last[block] = min(first[block], k), k
    last[block_of[np.flatnonzero(outlives[fixed:]) + fixed]] = len(lines)
    ends = np.append(starts[1:], size)
    moved, taken, top = np.arange(size), list[tuple[int, int, int]](), fixed  # taken: first slot, end, last use
    for block in sorted(np.flatnonzero(last >= 0), key=lambda b: first[b]):
        taken = sorted(one for one in taken if one[2] >= first[block])
        length, place = int(ends[block] - starts[block]), fixed
        for begin, end, _ in taken:
            if place + length <= begin:
                break
            place = max(place, end)
        taken.append((place, place + length, int(last[block])))
        moved[starts[block] : ends[block]] = np.arange(place, place + length)
        top = max(top, place + length)
    return moved, top


def _rows(line: Instruction, moved: Places, codes: dict[str, int]) -> Iterator[list[int]]:
    """An instruction in rows of whole numbers; several if no strides lead through its slots."""
    name = line.operation if line.start is None else "dot_from"
    if name not in codes:
        raise SymbolError(f"numpy.{line.operation}")
    out = moved[line.out]
    if line.operation == "dot":
        a, b = (moved[places] for places in line.arguments)
        start = moved[line.start] if line.start is not None else out
        rows, terms = a.shape
        sides = [side for places in (out, a, b, start) if (side := _strides(places))]
        if len(sides) < 4:
            raise SymbolError("a sum of products over scattered numbers")
        (d, d0, d1), (a_, a0, ak), (b_, b1, bk), (c, c0, c1) = sides
        yield [codes[name], rows, len(b), terms, d, d0, d1, a_, a0, 0, ak, b_, 0, b1, bk, c, c0, c1]
        return
    arrays = [out, *(moved[places] for places in line.arguments)]
    yield from _elementwise(codes[name], [array.reshape(out.shape) for array in arrays])


def _elementwise(code: int, arrays: list[Places]) -> Iterator[list[int]]:
    arrays = _collapsed(arrays)
    if not arrays[0].size:
        return
    sides = [side for places in arrays if (side := _strides(places))]
    if len(sides) < len(arrays):
        for rows in zip(*arrays, strict=True):
            yield from _elementwise(code, [np.asarray(row) for row in rows])
        return
    (d, d0, d1), *inputs = sides
    flat = [number for start, s0, s1 in inputs for number in (start, s0, s1)] + [0] * (9 - 3 * len(inputs))
    a, a0, a1, b, b0, b1, c, c0, c1 = flat
    n0, n1 = arrays[0].shape
    yield [code, n0, n1, 0, d, d0, d1, a, a0, a1, 0, b, b0, b1, 0, c, c0, c1]


def _collapsed(arrays: list[Places]) -> list[Places]:
    """The arrays with two axes: those of length 1 dropped, neighbours joined where one stride leads through both."""
    shape = [n for n in arrays[0].shape if n != 1]
    arrays = [array.reshape(shape) for array in arrays]
    flat = [array.ravel() for array in arrays]
    if all(_strides(one[None]) for one in flat):
        return [one[None] for one in flat]
    return [array[:, None] if array.ndim == 1 else array for array in arrays]  # scattered: element by element


def _strides(places: Places) -> tuple[int, int, int] | None:
    """The first slot of a matrix and the strides of its axes; None if no strides lead through it."""
    if places.ndim != 2:
        return None
    start = int(places[0, 0])
    s0 = int(places[1, 0]) - start if len(places) > 1 else 0
    s1 = int(places[0, 1]) - start if places.shape[1] > 1 else 0
    grid = start + s0 * np.arange(len(places))[:, None] + s1 * np.arange(places.shape[1])
    return (start, s0, s1) if (grid == places).all() else None
