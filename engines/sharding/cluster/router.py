"""A router (``mongos``, a proxy): clients send everything to it; it caches the map and follows redirects for them."""

from collections import deque
from typing import Any, Final

from engines.sharding.cluster import messages as m
from engines.sharding.cluster.courier import Courier, Errand
from engines.sim.node import Context

QUEUE_MAX: Final = 256


class Router:
    """One of them."""

    def __init__(self, id: str, courier: Courier) -> None:
        self.id = id
        self.courier = courier
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
            self.courier.on_message(ctx, src, message, self.on_done)
        self.drain(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """What the courier waited for."""
        self.courier.on_timer(ctx, name, self.on_done)
        self.drain(ctx)

    def on_synced(self, ctx: Context) -> None:
        """A router keeps nothing on disk."""

    def drain(self, ctx: Context) -> None:
        """Send what waits, while there is room."""
        while self.queue and self.courier.free():
            src, request = self.queue.popleft()
            self.courier.send(ctx, request.op, request.keys, request.value, "", (src, request.serial))

    def on_done(self, ctx: Context, errand: Errand, status: str, items: tuple[m.Item, ...]) -> None:
        """Tell the client."""
        src, serial = errand.origin
        if status == "ok":
            self.done += 1
            ctx.send(src, m.Answer(serial, items))
        elif status == "fail":
            self.failed += 1
            ctx.send(
                src, m.Refusal(serial, errand.hops[-1].answer if errand.hops else "TRYAGAIN", "the router gave up")
            )
