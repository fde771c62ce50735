"""Every input of the corpus, and some damaged by chance: sound or refused, quickly, in no more
memory than before.
"""

import random
import time
from pathlib import Path

import pytest
from fuzz.run import NAMES
from fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
DAMAGED = 300  # inputs a target
LONGEST = 1.0  # seconds


def test_every_target_has_a_corpus():
    assert set(TARGETS) == set(NAMES) == {folder.name for folder in CORPUS.iterdir()}
    assert all(any(folder.iterdir()) for folder in CORPUS.iterdir())


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_breaks_nothing(name):
    for path in sorted((CORPUS / name).iterdir()):
        since = time.process_time()
        TARGETS[name](path.read_bytes())
        assert time.process_time() - since < LONGEST, path


@pytest.mark.parametrize("name", TARGETS)
def test_what_chance_makes_of_it_breaks_nothing(name):
    draw = random.Random(0)
    inputs = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    for _ in range(DAMAGED):
        TARGETS[name](damaged(draw, inputs))


def damaged(draw: random.Random, inputs: list[bytes]) -> bytes:
    """one of them with bytes flipped, cut, doubled, or with a piece of another."""
    data = bytearray(draw.choice(inputs))
    for _ in range(draw.randrange(1, 6)):
        at = draw.randrange(len(data) + 1)
        kind = draw.randrange(4)
        if kind == 0 and data:
            data[at % len(data)] = draw.randrange(256)
        elif kind == 1:
            del data[at : at + draw.randrange(8)]
        elif kind == 2:
            data[at:at] = data[at : at + draw.randrange(16)]
        else:
            other = draw.choice(inputs)
            start = draw.randrange(len(other) + 1)
            data[at:at] = other[start : start + draw.randrange(32)]
    return bytes(data)
