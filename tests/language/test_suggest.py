"""What was probably meant: the quick way to near words finds what looking at all of them finds."""

from __future__ import annotations

import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.language.allowed import namespace as names
from gradcli.language.allowed.namespace import Namespace
from gradcli.language.telling.suggest import Words, distance

WORDS = st.text(
    "abcABé_1\N{CYRILLIC SMALL LETTER A}\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", max_size=12
)


def near(word: str, candidates: list[str]) -> list[str]:
    """By the distance to every candidate."""
    if len(word) < 2:
        return []
    limit = min(3, (len(word) + 1) // 3)
    folded = word.lower()
    scored = []
    for candidate in set(candidates) - {word}:
        other = candidate.lower()
        far = distance(folded, other, limit)
        part = min(len(folded), len(other)) >= 4 and (folded in other or other in folded)
        if far <= limit or part:
            scored.append((far, abs(len(candidate) - len(word)), candidate))
    scored.sort()
    return [candidate for far, _, candidate in scored[:3] if far <= scored[0][0] + 1]


@settings(derandomize=True, deadline=None, max_examples=500)
@given(WORDS, st.lists(WORDS, max_size=12))
def test_near_words(word: str, candidates: list[str]) -> None:
    assert Words(candidates).near(word) == near(word, candidates)


def test_every_misspelling_of_a_name() -> None:
    known = Namespace().candidates()
    words = Words(known)
    for word in [
        "sinn",
        "Tanh",
        "logsumexpp",
        "max_pool",
        "nn",
        "adaptive_max_pool",
        "softmx",
        "ones_",
    ]:
        assert words.near(word) == near(word, known)


def test_what_was_meant_is_remembered_within_bounds() -> None:
    namespace = Namespace()
    asked = []

    def known() -> list[str]:
        asked.append(1)
        return ["sin", "cos"]

    for _ in range(2):
        assert namespace.meant("sinn", "", known) == "did you mean 'sin'?"
        assert namespace.meant("sinn", "torch", lambda: ["sinh"]) == "did you mean 'sinh'?"
    assert asked == [1]
    tracemalloc.start()
    try:
        for number in range(3000):
            namespace.meant("\N{GREEK SMALL LETTER PI}" * (number % 300) + str(number), "", known)
        assert tracemalloc.get_traced_memory()[0] < 1.1 * names.MOST_HINTS
    finally:
        tracemalloc.stop()
