"""Name the wheel in dist/ after this Python and a system: ``python .ci/tag_wheel.py manylinux_2_17_x86_64``.

A wheel that holds compiled kernels is of use to that Python on that system; all others take the plain one. Installers
choose the wheel with the closest name. Needs the package ``wheel``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DIST = Path(__file__).resolve().parents[1] / "dist"


def main() -> None:
    """Rename the one wheel there is, inside and outside."""
    wheels = sorted(DIST.glob("*-py3-none-any.whl"))
    if len(wheels) != 1 or len(sys.argv) != 2:
        raise SystemExit(f"expected one plain wheel in {DIST} and the tag of a system, got {wheels} and {sys.argv[1:]}")
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    tags = ("--python-tag", python, "--abi-tag", python, "--platform-tag", sys.argv[1])
    subprocess.run([sys.executable, "-m", "wheel", "tags", "--remove", *tags, wheels[0]], check=True)


if __name__ == "__main__":
    main()
