"""What the package says of itself: one version, one license, a citation, and a guide that names what exists."""

import re
import tomllib
from pathlib import Path

import yaml

from xortrain import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_newest_part_of_the_changelog_is_of_this_version() -> None:
    changelog = (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")
    assert re.findall(r"^## ([\d.]+), \d{4}-\d\d-\d\d$", changelog, re.MULTILINE)[0] == __version__


def test_the_citation_has_what_its_format_requires_and_agrees_with_the_package() -> None:
    """Citation File Format 1.2.0: four keys are required, and an author that is no person has a name."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"]
    assert (citation["title"], citation["license"]) == (PROJECT["name"], PROJECT["license"])
    assert citation["authors"] == PROJECT["authors"]
    assert citation["abstract"] == PROJECT["description"]


def test_the_guide_for_contributors_names_files_that_exist() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:xortrain|conf|tests|docs)/[\w/.-]*)`", guide)
    folders = {name.rpartition("/")[0] if "NAME" in name else name for name in named}
    assert len(folders) > 15
    assert [name for name in folders if not (ROOT / name).exists()] == []
