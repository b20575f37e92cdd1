"""The user's own data: a FILE is read as a stream, judged, and reported or played like any run.

One module a pattern, each a ``Reader``; ``tui.options.FORMATS`` lists which patterns have one.
"""

from typing import Final, cast

from engines.errors import UserError
from engines.sim.recording import SourceFile
from engines.sim.source import Source
from tui.options import DataOptions
from tui.userdata.common import Opening, Reader, name_of

REOPENED: Final = ("model", "parser")
"""Options that say how a FILE is read: a saved run keeps them."""


def reader(pattern: str) -> Reader:
    """The module that reads the data of a pattern; imported when it is needed."""
    match pattern:
        case "consistency":
            from tui.userdata import consistency as module
        case "consensus":
            from tui.userdata import consensus as module  # type: ignore[no-redef]
        case "cqrs":
            from tui.userdata import cqrs as module  # type: ignore[no-redef]
        case "events":
            from tui.userdata import events as module  # type: ignore[no-redef]
        case "sharding":
            from tui.userdata import sharding as module  # type: ignore[no-redef]
        case "resilience":
            from tui.userdata import resilience as module  # type: ignore[no-redef]
        case "tracing":
            from tui.userdata import tracing as module  # type: ignore[no-redef]
        case _:
            raise AssertionError(f"{pattern} reads no data")
    return cast(Reader, module)


def reopen(pattern: str, file: SourceFile) -> Source:
    """The FILE of a saved run, read again. UserError if it is gone or was changed."""
    for name, _ in file.options:
        if name not in REOPENED:
            raise UserError(f"{file.path}: read with an option {name!r}: one of {', '.join(REOPENED)} is accepted")
    how = dict(file.options)
    options = DataOptions(skip_bad=file.skip_bad, model=how.get("model"), parser=how.get("parser"))
    opening = reader(pattern).opening(file.path, options)
    source = opening.variant.source if opening.variant else None
    if source is None or source.sha256 != file.sha256:
        found = source.sha256 if source else "no recorded data"
        raise UserError(f"{file.path}: changed since the run was saved: SHA-256 {found}, recorded is {file.sha256}")
    return source


__all__ = ["Opening", "Reader", "name_of", "reader", "reopen"]
