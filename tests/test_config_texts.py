"""Names, notes and tags are strings, even if they look like numbers or lists."""

import re

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from some_runs import composed

from xortrain.config.overrides import TEXTS, prepare

ANY = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
LOOKALIKES = [
    "1e3",
    "007",
    "true",
    "null ",
    "[1,2]",
    "{a: 1}",
    "a,b",
    "it's",
    'say "hi"',
    "a=b",
    "C:\\runs\\",
    "ünïcödé",
    " ",
]


@pytest.mark.parametrize("key", TEXTS)
@given(text=ANY | st.text("\\'\", $[]{}=ab", min_size=1))
def test_text_settings_are_passed_unchanged(key: str, text: str) -> None:
    """Exceptions are null, quoted text and OmegaConf's ${…}."""
    if text == "null" or text[0] in "'\"" or text.startswith("${"):
        return
    (override,) = OverridesParser.create().parse_overrides(prepare([f"{key}={text}"]))
    assert override.value() == text


@given(text=ANY | st.text("\\'\", $[]{}()=ab", min_size=1))
def test_a_text_without_a_comma_is_one_value_in_a_sweep_too(text: str) -> None:
    """A further exception is what looks like a call, as of a range."""
    if text == "null" or text[0] in "'\"" or text.startswith("${") or re.search(r",|^\s*\w+\(", text):
        return
    (override,) = OverridesParser.create().parse_overrides(prepare([f"data.path={text}"], many=True))
    assert not override.is_sweep_override()
    assert override.value() == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a (1),b", ["a (1)", "b"]),
        ("choice(a,b)", ["a", "b"]),
        ("'a,b',\"c\"", ["a,b", "c"]),
        ("[a],[b]", [["a"], ["b"]]),
    ],
)
def test_commas_and_functions_still_give_several_values(value: str, expected: list[str]) -> None:
    (override,) = OverridesParser.create().parse_overrides(prepare([f"name={value}"], many=True))
    assert list(override.sweep_iterator(transformer=lambda own: getattr(own, "text", own))) == expected


@pytest.mark.parametrize("text", LOOKALIKES)
def test_a_name_is_always_a_string(text: str) -> None:
    assert composed(f"name={text}")["name"] == text


def test_null_means_no_name_and_quotes_are_removed() -> None:
    assert composed("name=null")["name"] is None
    assert composed("name='null'")["name"] == "null"
    assert composed("notes=")["notes"] == ""
    assert composed('notes="a, b"')["notes"] == "a, b"


def test_tags_targets_and_frozen_parameters_are_lists_of_strings() -> None:
    assert composed("tags=[a, 2024,1e3,ü,null]")["tags"] == ["a", "2024", "1e3", "ü", "null"]
    assert composed("tags=[]")["tags"] == []
    assert composed("tags=['a, b',c]")["tags"] == ["a, b", "c"]
    assert composed("tags=alone")["tags"] == ["alone"]
    assert composed("freeze=b1")["freeze"] == ["b1"]
    assert composed("data=csv", "data.targets=[-1,y]")["data"]["targets"] == ["-1", "y"]
    assert composed("data=csv", "data.inputs=[length (cm),x]")["data"]["inputs"] == ["length (cm)", "x"]
    assert composed("data=csv", "data.inputs=length (cm)")["data"]["inputs"] == ["length (cm)"]


def test_whole_numbers_may_have_a_decimal_point_or_an_exponent() -> None:
    config = composed("epochs=2e1", "seed=3.0", "lr=2")
    assert (config["epochs"], config["seed"], config["lr"]) == (20, 3, 2.0)
    assert [type(config[key]) for key in ("epochs", "seed", "lr")] == [int, int, float]
