#!/bin/sh
# Resistors in parallel: the whole, how it follows each of them, and what tolerances of 5 % do to it
# where they come to the second order. The whole must be less than the least.
set -eu
cd "$(dirname "$0")"

whole="R = 1/(1/R1 + 1/R2 + 1/R3)"
gradcli map "$whole" resistors.jsonl --assert "R < min(R1, R2, R3)"
gradcli map "$whole" resistors.jsonl --to csv --no-grad --where "R2 < inf" \
    --sigma R1=0.05*R1 --sigma R2=0.05*R2 --sigma R3=0.05*R3 --shares --second
