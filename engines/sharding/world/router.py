"""A router (``mongos``, a proxy): clients send everything to it; it caches the map and follows redirects for them."""

from collections import deque
from typing import Any, Final

from engines.sharding.world import messages as m
from engines.sharding.world.events import Ending, RefusalReason, Said
from engines.sharding.world.requests import InFlight, Requests
from engines.sim.node import Context

QUEUE_MAX: Final = 256


class Router:
    """One of them."""

    def __init__(self, id: str, requests: Requests) -> None:
        self.id = id
        self.requests = requests
        self.queue: deque[tuple[str, m.Request]] = deque()
        self.done = 0
        self.failed = 0

    def on_start(self, ctx: Context) -> None:
        """Wait for requests."""

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """A client's request, or a node's answer."""
        if isinstance(message, m.Request):
            if len(self.queue) < QUEUE_MAX:
                self.queue.append((src, message))
        else:
            self.requests.on_message(ctx, src, message, self.on_done)
        self.drain(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """A request timed out, or its pause is over."""
        self.requests.on_timer(ctx, name, self.on_done)
        self.drain(ctx)

    def on_synced(self, ctx: Context) -> None:
        """A router keeps nothing on disk."""

    def drain(self, ctx: Context) -> None:
        """Send what waits, while there is room."""
        while self.queue and self.requests.free():
            src, request = self.queue.popleft()
            self.requests.send(ctx, request.op, request.keys, request.value, "", (src, request.serial))

    def on_done(self, ctx: Context, request: InFlight, status: Ending, items: tuple[m.Item, ...]) -> None:
        """Tell the client."""
        src, serial = request.origin
        if status is Ending.OK:
            self.done += 1
            ctx.send(src, m.Answer(serial, items))
        elif status is Ending.FAIL:
            self.failed += 1
            said = request.hops[-1].said if request.hops else Said.TRYAGAIN
            ctx.send(src, m.Refusal(serial, said, RefusalReason.ROUTER))
