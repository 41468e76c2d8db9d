"""``python -m imagemill``."""

from __future__ import annotations

from imagemill.app.cli import main

if __name__ == "__main__":
    main()
