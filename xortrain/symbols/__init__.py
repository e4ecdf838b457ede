"""Arrays of symbols: what is computed with them is recorded as a graph instead of being calculated.

They implement NumPy's protocols, so that a function written for NumPy arrays, in place and with ``out`` too, can be
run on them unchanged; other code is generated from its graph, and its derivative (`slopes`).
"""

from xortrain.symbols.array import Fold, Node, Symbolic, evaluate, name_of, node_of
from xortrain.symbols.graph import Graph
from xortrain.symbols.protocol import SymbolError

__all__ = ["Fold", "Graph", "Node", "SymbolError", "Symbolic", "evaluate", "name_of", "node_of"]
