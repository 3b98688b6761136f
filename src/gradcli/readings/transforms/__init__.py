"""`torch.func`: functions of functions, which nest in each other."""

from gradcli.readings.transforms import printing

printing.install()
