"""Workers of other machines: Dask's distributed scheduler (extra ``cluster``).

The one room of the engines that imports something besides the standard library, and only when a cluster is named.
Dask itself gives the work of a dead worker to another; one that kills worker after worker comes back as an error, and
the hunt hands its seeds out one by one.
"""

import re
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from importlib import import_module
from typing import Any, Final, TypeVar

from engines.errors import UserError

R = TypeVar("R")
PATIENCE_S = 10
ADDRESS: Final = re.compile(r"(?:[a-z]+://)?(?:\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+):(?P<port>[0-9]{1,5})", re.ASCII)
PORT_MAX: Final = 65_535
ACCEPTED: Final = "an address as tcp://host:8786 is accepted"


class Cluster:
    """The workers of a scheduler."""

    def __init__(self, address: str) -> None:
        given = ADDRESS.fullmatch(address)
        if given is None or not 0 < int(given["port"]) <= PORT_MAX:
            raise UserError(f"--cluster {address or repr(address)}: no address with a host and a port: {ACCEPTED}")
        try:
            make: Any = import_module("distributed").Client
        except ImportError:
            raise UserError("--cluster needs Dask: pip install 'dp-tui[cluster]'") from None
        self.address = address
        self._client: Any = make.__new__(make)
        try:
            self._client.__init__(address, timeout=PATIENCE_S, set_as_default=False)
        except (OSError, ValueError, TypeError, ImportError) as error:
            self._client.status = "closed"  # else its finalizer waits for an end that never comes, and complains
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(f"--cluster {address}: no scheduler of Dask answers there ({said}); {ACCEPTED}") from None
        self._executor = self._client.get_executor(pure=False, retries=2)
        self.width = sum(self._client.nthreads().values())
        if not self.width:
            self.close()
            raise UserError(f"--cluster {address}: the scheduler has no workers: start some with dask worker {address}")

    def submit(self, job: Callable[..., R], /, *given: Any) -> "Future[R]":
        """Hand out a job."""
        future: Future[R] = self._executor.submit(job, *given)
        return future

    def lost(self, error: BaseException) -> bool:
        """A worker died, or the scheduler lost the job."""
        return isinstance(error, CancelledError) or type(error).__name__ in (
            "KilledWorker", "CommClosedError", "FutureCancelledError", "LostResult",
        )  # fmt: skip

    def renew(self) -> None:
        """The scheduler replaces its workers itself."""

    def close(self) -> None:
        """Leave; the cluster stays."""
        self._executor.shutdown(wait=False)
        self._client.close(timeout=2)


__all__ = ["Cluster"]
