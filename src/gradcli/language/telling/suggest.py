"""What somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

PART: Final = 4
"""Letters of a word that may be near because it is part of another."""


def distance(left: str, right: str, limit: int) -> int:
    """Damerau-Levenshtein distance (neighbours may swap), or `limit` + 1 where it is larger than
    `limit`.
    """
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for row, character in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            cost = min(
                previous[column] + 1,
                current[column - 1] + 1,
                previous[column - 1] + (character != other),
            )
            if row > 1 and column > 1 and character == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before, previous = previous, current
    return previous[-1] if previous[-1] <= limit else limit + 1


class Words:
    """Words to choose from, in an order in which questions about them are quick.

    A word has letters that another lacks; as many edits as there are such letters, or more, lead
    from one to the other. So most words need no distance.
    """

    __slots__ = ("joined", "lengths", "parts")

    def __init__(self, words: Iterable[str]) -> None:
        self.lengths: dict[int, list[tuple[str, str, int]]] = {}
        """By length: words as they are, in small letters, and what letters they have."""
        self.parts: dict[str, list[tuple[str, str]]] = {}
        """Words of `PART` letters and more, by their first letters."""
        for word in dict.fromkeys(words):
            folded = word.lower()
            self.lengths.setdefault(len(folded), []).append((word, folded, letters(folded)))
            if len(folded) >= PART:
                self.parts.setdefault(folded[:PART], []).append((word, folded))
        self.joined = "\n".join(folded for group in self.parts.values() for _, folded in group)

    def near(self, word: str, count: int = 3) -> list[str]:
        """Up to `count` words near `word`, the nearest first.

        Near is a distance of at most a third of the word's length (at most 3), or, for words of
        four letters and more, one being part of the other.
        """
        if len(word) < 2:
            return []
        limit = min(3, (len(word) + 1) // 3)
        folded = word.lower()
        found: dict[str, int] = {}
        if len(word) >= PART:
            found = dict.fromkeys(self._parts(folded), limit + 1)
        own = letters(folded)
        for length in range(len(folded) - limit, len(folded) + limit + 1):
            for candidate, other, its in self.lengths.get(length, ()):
                if (own & ~its).bit_count() <= limit and (its & ~own).bit_count() <= limit:
                    far = distance(folded, other, limit)
                    if far <= limit:
                        found[candidate] = far
        found.pop(word, None)
        scored = sorted((far, abs(len(near) - len(word)), near) for near, far in found.items())
        nearest = scored[0][0] if scored else 0
        return [candidate for far, _, candidate in scored[:count] if far <= nearest + 1]

    def _parts(self, folded: str) -> Iterator[str]:
        """The words of which `folded` is part, and those that are part of it."""
        if folded in self.joined:
            for group in self.parts.values():
                yield from (word for word, other in group if folded in other)
        for position in range(len(folded) - PART + 1):
            for word, other in self.parts.get(folded[position : position + PART], ()):
                if folded.startswith(other, position):
                    yield word


def letters(folded: str) -> int:
    """A bit for every letter that a word has, and one for every letter that it has twice; some
    letters share their bits.
    """
    once = twice = 0
    for letter in folded:
        bit = 1 << (ord(letter) & 63)
        twice |= once & bit
        once |= bit
    return once | twice << 64


def suggestions(word: str, candidates: Iterable[str] | Words, count: int = 3) -> list[str]:
    """Up to `count` candidates near `word`, the nearest first (see `Words.near`)."""
    words = candidates if isinstance(candidates, Words) else Words(candidates)
    return words.near(word, count)


def did_you_mean(word: str, candidates: Iterable[str] | Words) -> str:
    """A hint such as "did you mean 'sin' or 'sinh'?", or "" where nothing is near."""
    near = [f"'{candidate}'" for candidate in suggestions(word, candidates)]
    if not near:
        return ""
    listed = near[0] if len(near) == 1 else f"{', '.join(near[:-1])} or {near[-1]}"
    return f"did you mean {listed}?"
