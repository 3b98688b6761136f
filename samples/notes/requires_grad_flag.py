# A tensor records nothing until it is told that it requires grad.
import torch

a = torch.ones(2, 2) * 4
a = (a * 3) / (a - 1)
print(a.requires_grad)
a.requires_grad_(True)
print(a.requires_grad)
