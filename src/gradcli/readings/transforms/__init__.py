"""`torch.func`: functions of functions, which nest in each other."""

from gradcli.readings import wrappers

wrappers.install()
