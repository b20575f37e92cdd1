"""``python -m tui`` is ``dp-tui``."""

import sys


def main() -> None:
    """Run it. Ctrl+C while Python still reads the program ends it like any other."""
    try:
        from tui.cli import main as command

        command()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
