"""Sums of single precision, bit for bit as PyTorch adds them up."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradcli.kernels.summing import LONGEST, total
from gradcli.language import Machine, compile_text

RECORDED = {
    1: 0.6613521575927734,
    3: 1.0670875310897827,
    5: -1.1785893440246582,
    6: -4.141903400421143,
    7: 0.9121612310409546,
    8: -1.6286840438842773,
    9: 5.186965465545654,
    20: 2.5304765701293945,
    31: -1.4280083179473877,
    32: -6.821571350097656,
    35: -4.863147258758545,
    64: 0.7307758331298828,
    100: -15.925206184387207,
    127: 7.7778472900390625,
    300: 8.221559524536133,
    511: 3.066498041152954,
    512: 18.312946319580078,
    513: -48.23160934448242,
    600: -20.312301635742188,
    1000: 20.94158172607422,
    2048: 54.87380599975586,
    4000: -80.38359069824219,
    4096: 24.749433517456055,
}
"""By the number of elements, what PyTorch answers on one thread to

    torch.manual_seed(n); torch.randn(n).sum().item()
"""


@pytest.mark.parametrize("count", RECORDED)
def test_the_last_bit_is_that_of_pytorch(count: int) -> None:
    text = f"torch.manual_seed({count}); x = torch.randn({count})\n(x.sum().item(), x)"
    found, values = Machine().run(compile_text(text))
    assert found == RECORDED[count]
    assert total(values._array) == np.float32(found)


def test_another_order_gives_other_bits() -> None:
    differing = 0
    for count, recorded in RECORDED.items():
        text = f"torch.manual_seed({count}); torch.randn({count})"
        differing += float(np.sum(Machine().run(compile_text(text))._array)) != recorded
    assert differing > len(RECORDED) // 3


@pytest.mark.parametrize("count", [1, 4, 7, 8, 31, 33, 512, 513, 1023, LONGEST])
def test_sums_of_whole_numbers_are_exact(count: int) -> None:
    values = np.arange(count, dtype=np.float32)
    assert total(values) == math.fsum(range(count))


def test_means_and_kept_dimensions_are_sums_too() -> None:
    text = "torch.manual_seed(100); x = torch.randn(10, 10)\n(x.mean().item(), x.sum((0, 1), True))"
    mean, kept = Machine().run(compile_text(text))
    assert mean == float(np.float32(RECORDED[100]) / np.float32(100))
    assert kept._array.shape == (1, 1)
    assert kept._array.item() == RECORDED[100]


NORMS = {
    1: 0.6613521575927734,
    3: 0.8268834352493286,
    5: 1.1821966171264648,
    7: 2.561983108520508,
    8: 1.731561303138733,
    13: 3.322115421295166,
    16: 4.501161575317383,
    20: 4.496049880981445,
    23: 4.5873236656188965,
    33: 4.559803485870361,
    64: 8.690855979919434,
    100: 10.579462051391602,
    255: 15.59422779083252,
    1000: 31.63721466064453,
    4096: 65.11343383789062,
}
"""The same of `torch.randn(n).norm().item()`."""


@pytest.mark.parametrize("count", NORMS)
def test_the_last_bit_of_a_norm_is_that_of_pytorch(count: int) -> None:
    text = f"torch.manual_seed({count}); torch.randn({count}).norm().item()"
    assert Machine().run(compile_text(text)) == NORMS[count]


def test_the_last_bits_of_norms_of_rows_are_those_of_pytorch() -> None:
    text = "torch.manual_seed(0); torch.randn(5, 29).norm(dim=1).tolist()"
    assert Machine().run(compile_text(text)) == [
        5.317409992218018,
        4.5123748779296875,
        6.650453567504883,
        5.9270782470703125,
        4.360630989074707,
    ]
