"""The expressions of a graph of symbols, each once, in an order in which code can compute them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from xortrain.symbols.array import Fold, Node, Symbolic
from xortrain.symbols.protocol import LATER, Operation


class Graph:
    """Expressions that are each there once, arguments before what is made of them.

    ``names`` are the inputs as the code has them, ``varying`` those that change in each turn of its loop.  With
    ``folds_units`` a fold of one element stands for one over all units of a layer.
    """

    def __init__(
        self, names: Mapping[Node, str], varying: Iterable[Node] = (), folds_units: bool = False
    ) -> None:  # fmt: skip
        self.entries: list[tuple[Any, tuple[int, ...]]] = []
        self.varies: list[bool] = []
        self._places: dict[tuple[Any, tuple[int, ...]], int] = {}
        self._folds_units = folds_units
        changing = set(varying)
        self._of_node = {node: self._place(name, (), node in changing) for node, name in names.items()}

    def _place(self, operation: Any, arguments: tuple[int, ...], varies: bool = False) -> int:
        """The place of an expression, new or known; that of an input has its name, that of a number the number."""
        key = (operation, arguments)
        if key not in self._places:
            self._places[key] = len(self.entries)
            self.entries.append(key)
            self.varies.append(varies or (any(self.varies[k] for k in arguments) and not isinstance(operation, Fold)))
        return self._places[key]

    def add(self, node: Node | float) -> int:
        """The place of what a node computes."""
        if not isinstance(node, Node):
            return self._place(float(node), ())
        if node not in self._of_node:
            assert node.operation is not None, "an input without a name"
            if node.operation in LATER:
                arguments = (Symbolic(np.array(one, object)) for one in node.arguments)
                self._of_node[node] = self.add(LATER[node.operation](*arguments).nodes.item())
                return self._of_node[node]
            self._of_node[node] = self._joined(node.operation, tuple(map(self.add, node.arguments)))
        return self._of_node[node]

    def _joined(self, operation: Operation, arguments: tuple[int, ...]) -> int:
        numbers = [self.entries[k][0] for k in arguments]
        if all(isinstance(one, float) for one in numbers):
            return self._place(float(operation(*numbers)), ())
        if operation is np.positive:
            return arguments[0]
        if operation is np.multiply and 1.0 in numbers:
            return arguments[1 - numbers.index(1.0)]
        if isinstance(operation, Fold) and not (self._folds_units and self.varies[arguments[0]]):
            total, *rest = arguments
            for k in rest:
                total = self._joined(operation.ufunc, (total, k))
            return total
        return self._place(operation, arguments)

    def uses(self, places: Iterable[int]) -> Counter[int]:
        """How often each expression is used for these, in all."""
        counts, waiting = Counter[int](places), list(dict.fromkeys(places))
        while waiting:
            for k in self.entries[waiting.pop()][1]:
                counts[k] += 1
                if counts[k] == 1:
                    waiting.append(k)
        return counts
