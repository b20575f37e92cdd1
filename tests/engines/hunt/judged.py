"""What hunts of all variants judge, as digests: run as a program, on whichever engines are found first."""

import hashlib
from typing import Final

from engines.hunt.jobs import Request, batch
from engines.sim import kernel
from tests.patterns import PATTERNS

SEEDS: Final = tuple(range(4))

if __name__ == "__main__":
    print("interpreted" if (kernel.__file__ or "").endswith(".py") else "compiled")
    for pattern in PATTERNS:
        for variant in pattern.variants:
            if variant.chaos is not None:
                judged = batch(Request(pattern.name, variant.name, variant.engine_version), SEEDS)
                print(pattern.name, variant.name, hashlib.sha256(repr(judged).encode()).hexdigest())
