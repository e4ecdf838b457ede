"""Where conf/ is, and what an option of it says by itself.

In a wheel conf/ lies inside the package, in a checkout beside it.
"""

from functools import cache
from pathlib import Path
from typing import Any


@cache
def conf_folder() -> Path:
    """The folder with config.yaml."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent / "conf", package / "conf"):
        if (folder / "config.yaml").is_file() and (folder / "experiment").is_dir():
            return folder
    raise FileNotFoundError(f"no conf/config.yaml in {package} or beside it: xortrain is not installed whole")


def read(name: str) -> dict[str, Any]:
    """A file of conf/ as it stands, by its name without .yaml."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load((conf_folder() / f"{name}.yaml").read_text(encoding="utf-8"), Loader=loader)
    return content if isinstance(content, dict) else {}


def defaults_of(group: str, option: str) -> dict[str, Any]:
    """The keys of an option with their defaults, without its name."""
    return {key: value for key, value in read(f"{group}/{option}").items() if key not in ("name", "defaults")}


def chosen_by_default() -> dict[str, str]:
    """Group to option, as the defaults list of config.yaml has them."""
    pairs = [next(iter(item.items())) for item in read("config")["defaults"] if isinstance(item, dict)]
    return {group: option for group, option in pairs if " " not in group and option}
