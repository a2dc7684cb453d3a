"""Plain words: no phrase that a second-language reader has to decode, and two texts that stay short."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough  # checks of the source, for those who change it

ROOT = Path(__file__).parents[1]
SOURCES = "nnlite/**/*.py rl/**/*.py ext/**/*.h ext/**/*.pyx ext/**/*.pxi bench/**/*.py"
TEXTS = f"{SOURCES} tests/**/*.py docs/**/*.md *.md".split()
BANNED = ["is held to", "are held to", "gone on with", "as it were", "whoever", "besides", "so many"]
BANNED += [f"{be} {participle}" for be in ("is", "are", "was") for participle in ("told", "asked for")]
GAP = r"(?:\s|#|//|\*)+"  # between two words, also of a folded comment
PHRASE = re.compile("|".join(rf"\b{phrase.replace(' ', GAP)}\b" for phrase in BANNED), re.IGNORECASE)
OPENING = re.compile(r'"""What |^\s*(?:/\*|//|#:) What ', re.MULTILINE)
QUOTED = re.compile(r"`[^`\n]*`")
LONGEST = {"README.md": 130, "CONTRIBUTING.md": 90}


def violations(text: str) -> list[tuple[int, str]]:
    """(line, words) of every banned phrase; words in backquotes are quotations."""
    text = QUOTED.sub(lambda quoted: " " * len(quoted[0]), text)
    found = [*PHRASE.finditer(text), *OPENING.finditer(text)]
    return sorted((text.count("\n", 0, f.start()) + 1, " ".join(f[0].split())) for f in found)


def test_nobody_has_to_decode_a_sentence():
    files = {path for pattern in TEXTS for path in ROOT.glob(pattern)} - {Path(__file__)}
    found = [
        f"{path.relative_to(ROOT).as_posix()}:{line}: {words}"
        for path in sorted(files)
        for line, words in violations(path.read_text(encoding="utf-8"))
    ]
    assert not found, f"{len(found)} phrases:\n" + "\n".join(found)


@pytest.mark.parametrize("name", LONGEST)
def test_the_first_two_texts_stay_short(name):
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= LONGEST[name]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('x = 1\n"""What the user is shown."""', 2),
        ("# a kernel that is held\n#   to its twin", 1),
        ("\n\nBesides, it is quick.", 3),
        (" * with so\n * many threads", 1),
    ],
)
def test_a_planted_phrase_is_found(text, line):
    assert [number for number, _ in violations(text)] == [line]
    assert not violations("The file says what it is. For many games, see `so many`.")
