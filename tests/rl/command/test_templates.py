"""Templates: files beside the modules, filled in one pass."""

import re

import pytest

from rl.command import templates

FIELDS = {"TITLE": "a __STYLE__ b", "STYLE": "p { color: red }\n", "MAIN": "<p>__MAIN__</p>\n"}


def test_inserted_text_is_not_searched_again():
    text = templates.fill("rl.pages", "page.html", FIELDS)
    assert text.count("a __STYLE__ b") == 2 and "<p>__MAIN__</p>" in text and "color: red" in text


def test_a_missing_field_is_an_error():
    with pytest.raises(KeyError, match="MAIN"):
        templates.fill("rl.pages", "page.html", {name: FIELDS[name] for name in ("TITLE", "STYLE")})


@pytest.mark.parametrize(
    "path", ["rl.pages/page.css", "rl.sweeps/comparison.css", "rl.watch/player.css", "rl.watch/player.js"]
)
def test_styles_and_scripts_have_no_fields(path):
    package, name = path.split("/")
    assert not re.search(r"__[A-Z]+__", templates.read(package, name))
