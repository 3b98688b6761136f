#!/bin/sh
# What went wrong, from the exit code alone.
set -u

try() {
    gradcli eval "$@" >/dev/null 2>&1
    case $? in
    0) echo "fine:            $1" ;;
    1) echo "does not work:   $1" ;;
    2) echo "is misused:      $1" ;;
    3) echo "does not parse:  $1" ;;
    esac
}

try "x*y" --x 2 --y 3
try "x*y" --x "[1,2]" --y "[1,2,3]"
try "x*y" --x 2
try "x*(y" --x 2 --y 3
