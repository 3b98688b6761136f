# torch.Tensor always makes the default dtype, torch.tensor infers one.
import torch

print(torch.Tensor([1, 2]).dtype, torch.tensor([1, 2]).dtype, torch.tensor([1.0, 2.0]).dtype)
print(torch.Tensor([1, 2]).type(), torch.tensor([1, 2]).type())
