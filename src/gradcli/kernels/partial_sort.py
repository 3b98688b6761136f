"""Partial sorting that picks the same one of several equal elements as PyTorch does.

PyTorch's kernels select with the algorithms of the C++ standard library, which promise nothing
about equal elements; which of them comes first follows from the steps that GCC's library takes
(an introspective sort: partition around the median of three, insertion sort for short ranges, a
heap where partitions go wrong). The functions here take the same steps. They order `places`, a
list of indices into `keys`, in place; only `keys[a] < keys[b]` is ever asked.
"""

from __future__ import annotations

from typing import Any, Final

Keys = list[Any]

SHORT: Final = 16
"""Ranges up to this length are left to insertion sort."""


def sort(keys: Keys, places: list[int], stop: int | None = None) -> None:
    """`std::sort` of the first `stop` places (all by default)."""
    end = len(places) if stop is None else stop
    if end < 2:
        return
    ranges = [(0, end, 2 * (end.bit_length() - 1))]
    while ranges:
        first, last, depth = ranges.pop()
        while last - first > SHORT:
            if not depth:
                _heap_select(keys, places, first, last, last)
                _unheap(keys, places, first, last)
                break
            depth -= 1
            cut = _partition(keys, places, first, last)
            ranges.append((first, cut, depth))
            first = cut
    _insert(keys, places, 0, min(end, SHORT))
    for position in range(SHORT, end):
        _sink(keys, places, position)


def nth_element(keys: Keys, places: list[int], nth: int) -> None:
    """`std::nth_element`: the element at `nth` as after sorting, no larger one before it."""
    first, last = 0, len(places)
    if nth >= last:
        return
    depth = 2 * (last.bit_length() - 1)
    while last - first > 3:
        if not depth:
            _heap_select(keys, places, first, nth + 1, last)
            places[first], places[nth] = places[nth], places[first]
            return
        depth -= 1
        cut = _partition(keys, places, first, last)
        if cut <= nth:
            first = cut
        else:
            last = cut
    _insert(keys, places, first, last)


def partial_sort(keys: Keys, places: list[int], middle: int) -> None:
    """`std::partial_sort`: the smallest elements in order before `middle`."""
    _heap_select(keys, places, 0, middle, len(places))
    _unheap(keys, places, 0, middle)


def quick_select(keys: Keys, places: list[int], nth: int) -> None:
    """The quick select of PyTorch's `kthvalue`, which partitions in its own way."""
    first, last = 0, len(places) - 1
    while last > first + 1:
        _median_first(keys, places, first, last)
        pivot = keys[places[first]]
        low, high = first + 1, last
        while True:
            low += 1
            while keys[places[low]] < pivot:
                low += 1
            high -= 1
            while pivot < keys[places[high]]:
                high -= 1
            if high < low:
                break
            places[low], places[high] = places[high], places[low]
        places[first], places[high] = places[high], places[first]
        if high <= nth:
            first = low
        if high >= nth:
            last = high - 1
    if last == first + 1 and keys[places[last]] < keys[places[first]]:
        places[first], places[last] = places[last], places[first]


def _median_first(keys: Keys, places: list[int], first: int, last: int) -> None:
    """Orders first, middle and last so that the median comes first, the smallest second."""
    middle = first + (last - first) // 2
    places[middle], places[first + 1] = places[first + 1], places[middle]
    for a, b in ((first + 1, last), (first, last), (first + 1, first)):
        if keys[places[b]] < keys[places[a]]:
            places[a], places[b] = places[b], places[a]


def _partition(keys: Keys, places: list[int], first: int, last: int) -> int:
    """Splits a range around the median of three of its elements; where the upper part begins."""
    a, b, c = first + 1, first + (last - first) // 2, last - 1
    chosen = _median(a, b, c, keys[places[a]], keys[places[b]], keys[places[c]])
    places[first], places[chosen] = places[chosen], places[first]
    pivot = keys[places[first]]
    low, high = first + 1, last
    while True:
        while keys[places[low]] < pivot:
            low += 1
        high -= 1
        while pivot < keys[places[high]]:
            high -= 1
        if low >= high:
            return low
        places[low], places[high] = places[high], places[low]
        low += 1


def _median(a: int, b: int, c: int, x: Any, y: Any, z: Any) -> int:
    """Which of three positions holds the median of the keys x, y and z."""
    if x < y:
        if y < z:
            return b
        return c if x < z else a
    if x < z:
        return a
    return c if y < z else b


def _insert(keys: Keys, places: list[int], first: int, last: int) -> None:
    """Insertion sort of a range."""
    for position in range(first + 1, last):
        place = places[position]
        if keys[place] < keys[places[first]]:
            places[first + 1 : position + 1] = places[first:position]
            places[first] = place
        else:
            _sink(keys, places, position)


def _sink(keys: Keys, places: list[int], position: int) -> None:
    """Moves an element down behind the last one that is not larger."""
    place = places[position]
    key = keys[place]
    while position and key < keys[places[position - 1]]:
        places[position] = places[position - 1]
        position -= 1
    places[position] = place


def _adjust(keys: Keys, places: list[int], first: int, hole: int, length: int, place: int) -> None:
    """Puts an element into a heap with a hole: the hole goes down, then the element up."""
    top, child = hole, hole
    while child < (length - 1) // 2:
        child = 2 * (child + 1)
        if keys[places[first + child]] < keys[places[first + child - 1]]:
            child -= 1
        places[first + hole] = places[first + child]
        hole = child
    if length % 2 == 0 and child == (length - 2) // 2:
        child = 2 * child + 1
        places[first + hole] = places[first + child]
        hole = child
    parent = (hole - 1) // 2
    while hole > top and keys[places[first + parent]] < keys[place]:
        places[first + hole] = places[first + parent]
        hole = parent
        parent = (hole - 1) // 2
    places[first + hole] = place


def _heap_select(keys: Keys, places: list[int], first: int, middle: int, last: int) -> None:
    """Makes a heap, largest first, of the smallest elements of a range."""
    length = middle - first
    for parent in range((length - 2) // 2, -1, -1):
        _adjust(keys, places, first, parent, length, places[first + parent])
    for position in range(middle, last):
        place = places[position]
        if keys[place] < keys[places[first]]:
            places[position] = places[first]
            _adjust(keys, places, first, 0, length, place)


def _unheap(keys: Keys, places: list[int], first: int, last: int) -> None:
    """Sorts a heap."""
    while last - first > 1:
        last -= 1
        place = places[last]
        places[last] = places[first]
        _adjust(keys, places, first, 0, last - first, place)
