"""Tables are read in two ways, which give the same answers: every test runs in both."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from gradcli.tables import columnar


@pytest.fixture(params=["polars", "python"], autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What reads and writes tables."""
    if request.param == "polars" and find_spec("polars") is None:
        pytest.skip("polars is not installed")
    monkeypatch.setattr(columnar, "is_installed", lambda: request.param == "polars")
    return str(request.param)
