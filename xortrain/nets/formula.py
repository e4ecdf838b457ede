"""Formulas as trees of terms with values, so that a formula can be written with symbols or with numbers.

Python's operators join terms: ``W @ x + b`` is a formula, and so is ``1 / (1 + Call("exp", -z))``.  Products,
quotients and powers are element-wise, ``@`` is the matrix product.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xortrain.nets import Array

Written = Callable[..., "Term"]
"""A function as a formula: terms in, a term out."""
Join = Callable[["Term", Any], "Operation"]


def not_given(*arguments: Any, **settings: Any) -> Any:
    """Stands in a row of a user's own for a function that is to be worked out."""
    raise NotImplementedError("a row is used before what it lacks is worked out")


def _operator(sign: str) -> tuple[Join, Join]:
    """The method of an operator and its reflected method, as in __add__ and __radd__."""
    return (
        lambda left, right: Operation(sign, left, term(right)),
        lambda right, left: Operation(sign, term(left), right),
    )


class Term:
    """A part of a formula; a plain number joined to a term becomes a `Number`."""

    __add__, __radd__ = _operator("+")
    __sub__, __rsub__ = _operator("-")
    __mul__, __rmul__ = _operator("·")
    __truediv__, __rtruediv__ = _operator("/")
    __matmul__, _ = _operator("@")
    __pow__, _ = _operator("^")
    __gt__, __lt__ = _operator(">")[0], _operator("<")[0]
    __ge__, __le__ = _operator("≥")[0], _operator("≤")[0]

    def __neg__(self) -> "Call":
        return Call("-", self)


@dataclass(frozen=True, eq=False)
class Symbol(Term):
    """A name and its value."""

    name: str
    value: Array


@dataclass(frozen=True, eq=False)
class Number(Term):
    """A number, written the same way with symbols and with numbers."""

    value: float


@dataclass(frozen=True, eq=False)
class Operation(Term):
    """Two terms with an operator between them."""

    sign: str
    left: Term
    right: Term


@dataclass(frozen=True, init=False, eq=False)
class Call(Term):
    """A function of terms; ``-`` is the negative, ``T`` the transpose."""

    name: str
    arguments: tuple[Term, ...]

    def __init__(self, name: str, *arguments: Any) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "arguments", tuple(term(argument) for argument in arguments))


@dataclass(frozen=True, eq=False)
class Total(Term):
    """A sum over examples: Σ name with symbols, its parts with numbers; ``hidden`` counts the parts not written."""

    name: str
    parts: tuple[Array, ...]
    hidden: int = 0


def term(value: Any) -> Term:
    """A number as a term; a term as it is."""
    return value if isinstance(value, Term) else Number(float(value))


def symbol(name: str, value: Any) -> Symbol:
    """A symbol for an array or a number."""
    return Symbol(name, np.asarray(value))


def kron(left: Term, right: Term) -> Operation:
    """The Kronecker product; here of a column and a row, which is their outer product."""
    return Operation("⊗", left, right)
