"""The codes that make a terminal itself again, whoever has left it as it is. No terminal is needed to know them."""

from typing import Final

RESTORED: Final = "\x1b[?2026l\x1b[?1016l\x1b[0m"
"""What Textual leaves switched on: synchronized output broken off in the middle, mouse reports in pixels, a colour."""
RESTORE: Final = (
    "\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1004l\x1b[<u"
    f"\x1b[?1049l\x1b[?25h{RESTORED}"
)
"""Everything that a full screen may have switched on, off; the screen of before, the cursor, the plain colours."""
