#!/bin/sh
# Newton's method for x**2 = 2: a value and a slope a step, by command substitution.
set -eu

x=1
for step in 1 2 3 4; do
    f=$(gradcli eval "x**2 - 2" --x "$x" --dtype float64 --get value)
    slope=$(gradcli eval "x**2 - 2" --x "$x" --dtype float64 --get x.grad)
    x=$(gradcli eval "x - f/slope" --dtype float64 --x "$x" --f "$f" --slope "$slope" --get value)
    printf 'step %d: %.8f\n' "$step" "$x"
done
