"""`torch.func`: functions of functions, which nest in each other."""
