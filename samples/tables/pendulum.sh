#!/bin/sh
# The acceleration of gravity from lengths and periods of a pendulum, and how sure it is: lengths
# have uncertainties of their own, all periods that of the watch.
set -eu
cd "$(dirname "$0")"

gradcli map "g = 4*pi**2*L/T**2" pendulum.csv --sigma L=sL --sigma T=0.004 --shares --no-grad

# The mean of the runs, each weighted with 1/sigma**2.
gradcli map "g = 4*pi**2*L/T**2" pendulum.csv --sigma L=sL --sigma T=0.004 --no-grad |
    gradcli map "w = 1/g_sigma**2; wg = w*g" --no-grad |
    awk -F, 'NR > 1 {w += $(NF-1); wg += $NF} END {printf "g = %.3f +- %.3f\n", wg/w, 1/sqrt(w)}'
