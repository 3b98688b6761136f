"""`python -m gradcli` is the same program as `gradcli`."""

from __future__ import annotations

import sys

from gradcli.cli.main import main

sys.exit(main())
