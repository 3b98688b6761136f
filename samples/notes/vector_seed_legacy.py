# The seed weighs the elements; torch.Tensor makes floats of integers.
import torch

x = torch.ones(4, requires_grad=True)
z = x + 2
z.backward(torch.Tensor([1, 2, 3, 4]))
print(x.grad)
print(x.type())
