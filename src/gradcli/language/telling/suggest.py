"""What somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable


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


def suggestions(word: str, candidates: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` candidates near `word`, the nearest first.

    Near is a distance of at most a third of the word's length (at most 3), or, for words of four
    letters and more, one being part of the other.
    """
    if len(word) < 2:
        return []
    limit = min(3, (len(word) + 1) // 3)
    folded = word.lower()
    scored = []
    for candidate in dict.fromkeys(candidates):
        if candidate == word:
            continue
        other = candidate.lower()
        far = distance(folded, other, limit)
        if far <= limit:
            scored.append((far, abs(len(candidate) - len(word)), candidate))
        elif len(word) >= 4 and len(other) >= 4 and (folded in other or other in folded):
            scored.append((limit + 1, abs(len(candidate) - len(word)), candidate))
    scored.sort()
    nearest = scored[0][0] if scored else 0
    return [candidate for far, _, candidate in scored[:count] if far <= nearest + 1]


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """A hint such as "did you mean 'sin' or 'sinh'?", or "" where nothing is near."""
    near = [f"'{candidate}'" for candidate in suggestions(word, candidates)]
    if not near:
        return ""
    listed = near[0] if len(near) == 1 else f"{', '.join(near[:-1])} or {near[-1]}"
    return f"did you mean {listed}?"
