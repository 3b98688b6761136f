"""How much disk gradcli takes with all that it pulls in.

    python benchmarks/size.py [--torch-python PYTHON]

Installs the repository into a fresh environment (from the package index that pip is set to) and
adds up the files, pip itself left out. PYTHON is an interpreter that has torch: the packages beside
it are added up, too. Exit status 1: more than 260 MB.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIMIT = 260e6
WITHOUT = ("pip", "setuptools", "wheel", "distutils-precedence.pth")


def measure(packages: Path) -> dict[str, int]:
    """Bytes by entry of a directory of packages, files of several links counted once."""
    sizes: dict[str, int] = {}
    seen: set[tuple[int, int]] = set()
    for entry in packages.iterdir():
        if entry.name.partition("-")[0] in WITHOUT:
            continue
        files = entry.rglob("*") if entry.is_dir() else [entry]
        for file in files:
            state = file.lstat()
            if file.is_file() and (state.st_dev, state.st_ino) not in seen:
                seen.add((state.st_dev, state.st_ino))
                sizes[entry.name] = sizes.get(entry.name, 0) + state.st_size
    return sizes


def packages_of(python: str | Path) -> Path:
    """Where an interpreter has its packages."""
    probe = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--torch-python", metavar="PYTHON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
        python = Path(directory, "bin", "python")
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ROOT]
        subprocess.run(install, check=True)
        sizes = measure(packages_of(python))
    for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:8]:
        print(f"{name:24} {size / 1e6:7.1f} MB")
    total = sum(sizes.values())
    print(f"{'all':24} {total / 1e6:7.1f} MB   at most {LIMIT / 1e6:.0f}")
    if options.torch_python:
        theirs = sum(measure(packages_of(options.torch_python)).values())
        print(f"{'PyTorch':24} {theirs / 1e6:7.1f} MB")
    return 0 if total <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
