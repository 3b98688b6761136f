"""Absolute values and signs of complex numbers in single precision, bit for bit."""

from __future__ import annotations

import pytest

from gradcli.language import Machine, compile_text

RECORDED = {
    1: ([0.5042991042137146], [(0.9273199439048767 + 0.37426963448524475j)]),
    3: (
        [0.5812999606132507, 0.43850135803222656, 0.968056321144104],
        [
            (0.9771236777305603 + 0.21267138421535492j),
            (0.14348192512989044 - 0.9896529912948608j),
            (0.03373349457979202 - 0.9994308352470398j),
        ],
    ),
    8: (
        [0.9989325404167175, 1.04204523563385, 0.07656323164701462],
        [
            (-0.8429180383682251 - 0.5380420088768005j),
            (0.7750765085220337 + 0.6318673491477966j),
            (0.24213102459907532 - 0.9702435731887817j),
        ],
    ),
    13: (
        [0.6428276300430298, 0.48854824900627136, 0.48390671610832214],
        [
            (0.6472309231758118 + 0.7622939348220825j),
            (-0.416938453912735 + 0.9089347124099731j),
            (-0.39784249663352966 + 0.9174537658691406j),
        ],
    ),
    24: (
        [1.0969023704528809, 1.1530003547668457, 1.1330333948135376],
        [
            (0.9835870862007141 - 0.18043404817581177j),
            (-0.6238464117050171 + 0.781546950340271j),
            (0.774632453918457 - 0.6324117183685303j),
        ],
    ),
}
"""What PyTorch answers, seeded by the number of elements, to

    z = torch.randn(n, dtype=torch.complex64); z.abs().tolist()[-3:], z.sgn().tolist()[-3:]
"""


@pytest.mark.parametrize("count", RECORDED)
def test_the_last_bit_is_that_of_pytorch(count: int) -> None:
    text = (
        f"torch.manual_seed({count}); z = torch.randn({count}, dtype=torch.complex64)\n"
        "(z.abs().tolist()[-3:], z.sgn().tolist()[-3:])"
    )
    assert Machine().run(compile_text(text)) == RECORDED[count]
