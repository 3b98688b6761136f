#!/bin/sh
# Temperatures from resistances, by a line whose two parameters were fitted together, and so are
# correlated: leaving that out overstates the uncertainty. An empty cell stays empty.
set -eu
cd "$(dirname "$0")"

line="t = (resistance - r0)/slope"
gradcli map "$line" calibration.tsv --r0 100.05 --slope 0.3861 --no-grad \
    --sigma resistance=noise --sigma r0=0.03 --sigma slope=0.0004 --corr r0,slope=-0.9

echo "without the correlation:"
gradcli map "$line" calibration.tsv --r0 100.05 --slope 0.3861 --no-grad \
    --sigma resistance=noise --sigma r0=0.03 --sigma slope=0.0004 | cut -f 5
