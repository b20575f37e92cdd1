"""A bare Textual app, `python -m benchmarks.bare_app`: one word on the screen, the floor under every first paint."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static

WORD = "bare-textual"


class BareApp(App[None]):
    """Nothing but what Textual needs to show a word."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield Static(WORD)


if __name__ == "__main__":
    BareApp().run()
