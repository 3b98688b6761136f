# backward() of a scalar leaves the gradients in the leaves.
import torch

x = torch.tensor(3.0, requires_grad=True)
y = torch.tensor(7.0, requires_grad=True)
z = x + y
z.backward()
print(x.grad, y.grad, z)
