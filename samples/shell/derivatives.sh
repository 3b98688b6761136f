#!/bin/sh
# A step of CI: formulas of docstrings, and what must hold of a loss and its gradient.
set -u

step() {
    name=$1
    shift
    if gradcli check "$@" >/dev/null; then echo "ok      $name"; else echo "not ok  $name"; fi
}

step "softplus is what the docstring says" \
    "log(1 + exp(x))" --claim "x: sigmoid(x)" --claim "d2/dx2: sigmoid(x)*(1 - sigmoid(x))"
step "the loss falls towards the target" \
    "(x - 2)**2" --x 3 --assert "x.grad > 0" --assert "value < 2"
step "a gradient is not cut on its way" "x * exp(-x.detach())" --points 20
step "the norm has gradients of its own" "(w**2).sum().sqrt()" --w "1 2 3"
