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
        newest = self.types.get(event.type)
        if newest is None:
            known = ", ".join(sorted(self.types)) or "none"
            why = f"nobody knows an event of type {event.type!r}; known: {known}"
            raise UnknownEvent(event.stream, event.revision, why)
        if event.version == newest:
            return event.data, (newest,)
        if event.version > newest:
            why = f"{event.type} version {event.version} is newer than what is known here (version {newest})"
            raise UnknownEvent(event.stream, event.revision, why)
        data = event.data
        passed = [event.version]
        for version in range(event.version, newest):
            step = self.steps.get((event.type, version))
            if step is None:
                lacks = f"there is no upcaster from version {version} to {version + 1}"
                raise UnknownEvent(event.stream, event.revision, f"{event.type} version {event.version}: {lacks}")
            data = step(data)
            passed.append(version + 1)
        return data, tuple(passed)


__all__ = ["Upcast", "Upcasters"]
