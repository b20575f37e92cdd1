"""The app on the toy pattern, for tests through a pty: `python -m tests.tui.toy_app [--theme NAME] [--glyphs NAME]`.

Leaving prints the farewell and what the driver counted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    from tui.terminal.capability import detect

    capability = detect(os.environ, True, True, sys.stderr.encoding)
    for name, value in capability.textual_environ().items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))

    from tests.toy import TOY
    from tui.app import DpTui
    from tui.glyphs import glyphs_for
    from tui.session import Session
    from tui.state import State
    from tui.terminal.driver import AckDriver
    from tui.theme import theme_for

    state = State(folder=Path(options["--state"])) if "--state" in options else State(sandbox=True)
    glyphs = glyphs_for(options.get("--glyphs", capability.glyphs))
    session = Session((TOY,), TOY.pattern.name, glyphs=glyphs, save_folder=state.save_folder)
    theme = theme_for(options.get("--theme"), os.environ)
    app = DpTui(session, theme=theme, capability=capability, state=state, strict=True)
    app.run()
    print("BYE", app.return_code, app.farewell)
    if isinstance(driver := app._driver, AckDriver):
        print("SENT", driver.frames_sent, "SKIPPED", driver.frames_skipped, "DRAWN", app.frames)
    raise SystemExit(app.return_code)


if __name__ == "__main__":
    main()
