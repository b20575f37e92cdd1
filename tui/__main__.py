"""``python -m tui`` is ``dp-tui``."""

from tui.cli import main

main()
