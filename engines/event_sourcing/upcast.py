"""Upcasters: events of an old schema are lifted on reading, step by step; what was written is never rewritten."""

from collections.abc import Callable, Mapping
from typing import Any

from engines.event_sourcing.errors import UnknownEvent
from engines.event_sourcing.events import RecordedEvent

Upcast = Callable[[Any], Any]
"""The data of version n as data of version n + 1."""


class Upcasters:
    """Which types are known, their newest version, and the steps to it."""

    def __init__(self, types: Mapping[str, int], steps: Mapping[tuple[str, int], Upcast] | None = None) -> None:
        """``types``: type -> newest version; ``steps``: (type, n) -> how to come from n to n + 1."""
        self.types = dict(types)
        self.steps = dict(steps or {})

    def lift(self, event: RecordedEvent) -> tuple[Any, tuple[int, ...]]:
        """Its data in the newest version, and the versions passed through. UnknownEvent names stream and revision."""
        where = f"stream {event.stream!r} revision {event.revision}"
        newest = self.types.get(event.type)
        if newest is None:
            known = ", ".join(sorted(self.types)) or "none"
            raise UnknownEvent(f"{where}: nobody knows an event of type {event.type!r}; known: {known}")
        if event.version > newest:
            raise UnknownEvent(
                f"{where}: {event.type} version {event.version} is newer than what is known here (version {newest})"
            )
        data = event.data
        passed = [event.version]
        for version in range(event.version, newest):
            step = self.steps.get((event.type, version))
            if step is None:
                raise UnknownEvent(
                    f"{where}: {event.type} version {event.version}: there is no upcaster from version {version} "
                    f"to {version + 1}"
                )
            data = step(data)
            passed.append(version + 1)
        return data, tuple(passed)


__all__ = ["Upcast", "Upcasters"]
