"""Other libraries, imported where they are needed: each is in an extra of the package."""

from importlib import import_module
from typing import Any

from xortrain.errors import UserError


def imported(module: str, extra: str, what: str) -> Any:
    """A module of another library; raises UserError with its extra if it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        raise UserError(f"{what}: needs {module.partition('.')[0]}; pip install 'xortrain[{extra}]'") from None
