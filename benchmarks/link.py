"""What a slow link does to an app, measured through a throttled pty: keys, bytes, the first picture.

Every function takes a command line and returns a record. Numbers of one machine mean little alone, so each comes with
what it is to be compared to, measured in the same run: with and without acknowledgement, moving and paused, beside
a bare Textual app.

    key_latency([".venv/bin/dp-tui", "raft"], ("space", "PAUSE"), ("space", "RUN"), rate=8_000, acknowledge=True)
    traffic([".venv/bin/dp-tui", "raft"], size=(80, 24))
    first_paint([".venv/bin/dp-tui", "raft"], "Raft")

A press is a pair: the key, and what shows that it was understood (a text on the screen, or a predicate), which must not
hold before.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.bare_app import WORD
from tests.ptyscreen import PtyApp, python

Shows: TypeAlias = "str | Callable[[PtyApp], object]"
Press: TypeAlias = tuple[str, Shows]
Size: TypeAlias = tuple[int, int]

RATES = (8_000, 32_000, 125_000)


@dataclass(frozen=True, slots=True)
class KeyLatency:
    """Seconds from a key to the picture that shows it. `lost` presses were not answered within the limit."""

    rate: int | None
    acknowledge: bool
    seconds: tuple[float, ...]
    lost: int
    limit_s: float

    @property
    def median_s(self) -> float:
        """A lost press counts as the limit: a lower bound."""
        return statistics.median(self._all)

    @property
    def worst_s(self) -> float:
        return max(self._all)

    @property
    def _all(self) -> tuple[float, ...]:
        return self.seconds + (self.limit_s,) * self.lost


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes a second on an unthrottled line while everything moves, and how many came in `paused_s` of pause."""

    size: Size
    moving_bytes_per_s: float
    paused_bytes: int
    moving_s: float
    paused_s: float


@dataclass(frozen=True, slots=True)
class FirstPaint:
    """Seconds from the start of the process to its first picture, the best of several alternating runs."""

    app_s: float
    bare_s: float
    runs: int

    @property
    def ratio(self) -> float:
        return self.app_s / self.bare_s


def key_latency(
    argv: Sequence[str],
    press: Press,
    undo: Press,
    *,
    rate: int | None,
    acknowledge: bool,
    started: Shows | None = None,
    size: Size = (80, 24),
    rounds: int = 3,
    moving_s: float = 5.0,
    limit_s: float = 30.0,
    env: Mapping[str, str | None] | None = None,
    round_trip_s: float = 0.0,
) -> KeyLatency:
    """Time `press` on a line of `rate` bytes a second, each time after the app has been moving for `moving_s`.
    `round_trip_s`: how long the road is, there and back.

    `undo` brings the app back into motion and is not timed. `started` tells that the app is up. After a lost press
    nothing more is pressed, since its late effect would be taken for the next one's; what is left out counts as lost.
    """
    seconds: list[float] = []
    environ = {"DP_TUI_ACK": "1" if acknowledge else "0", **(env or {})}
    with PtyApp(argv, size, environ, throttle=rate, latency=round_trip_s) as app:
        app.wait_for(started or _anything, 60.0)
        with contextlib.suppress(AssertionError):
            for _ in range(rounds):
                time.sleep(moving_s)
                app.send(press[0])
                seconds.append(app.wait_for(press[1], limit_s))
                app.send(undo[0])
                app.wait_for(undo[1], limit_s)
    return KeyLatency(rate, acknowledge, tuple(seconds), rounds - len(seconds), limit_s)


def key_latencies(
    argv: Sequence[str], press: Press, undo: Press, *, rates: Sequence[int] = RATES, rounds: int = 3
) -> tuple[KeyLatency, ...]:
    """Every rate, with and without acknowledgement."""
    return tuple(
        key_latency(argv, press, undo, rate=rate, acknowledge=acknowledge, rounds=rounds)
        for rate in rates
        for acknowledge in (True, False)
    )


def traffic(
    argv: Sequence[str],
    *,
    pause: str = "space",
    started: Shows | None = None,
    size: Size = (80, 24),
    warm_s: float = 2.0,
    moving_s: float = 5.0,
    paused_s: float = 3.0,
    env: Mapping[str, str | None] | None = None,
) -> Traffic:
    """Count what the app writes while it moves and, after `pause` and a second to settle, while it is paused."""
    with PtyApp(argv, size, env) as app:
        app.wait_for(started or _anything, 60.0)
        time.sleep(warm_s)
        moving, moving_s = _count(app, moving_s)
        app.send(pause)
        time.sleep(1.0)
        paused, paused_s = _count(app, paused_s)
    return Traffic(size, moving / moving_s, paused, moving_s, paused_s)


def pictures(argv: Sequence[str], round_trip_s: float, *, size: Size = (80, 24), span_s: float = 4.0) -> float:
    """Pictures a second on a road of this length, once the window of those on their way has opened."""
    with PtyApp(argv, size, latency=round_trip_s) as app:
        app.wait_for(_anything, 60.0)
        time.sleep(6.0 if round_trip_s else 2.0)
        before, start = app.raw.count(b"\x1b[6n"), time.monotonic()
        time.sleep(span_s)
        return (app.raw.count(b"\x1b[6n") - before) / (time.monotonic() - start)


def first_paint(argv: Sequence[str], shows: Shows | None = None, *, size: Size = (80, 24), runs: int = 7) -> FirstPaint:
    """Start the app and a bare Textual app in turn. `shows` tells the app's first picture (default: any text)."""
    app_s: list[float] = []
    bare_s: list[float] = []
    for _ in range(runs):
        bare_s.append(_paint_once(python("-m", "benchmarks.bare_app"), WORD, size))
        app_s.append(_paint_once(argv, shows or _anything, size))
    return FirstPaint(min(app_s), min(bare_s), runs)


def _paint_once(argv: Sequence[str], shows: Shows, size: Size) -> float:
    with PtyApp(argv, size) as app:
        app.wait_for(shows, 60.0)
        return time.monotonic() - app.started


def _count(app: PtyApp, span_s: float) -> tuple[int, float]:
    before, start = app.bytes_out, time.monotonic()
    time.sleep(span_s)
    return app.bytes_out - before, time.monotonic() - start


def _anything(app: PtyApp) -> bool:
    return bool(app.text().strip())
