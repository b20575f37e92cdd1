"""Ketama: the hash of memcached clients. Four 32-bit points from every MD5 digest.

A node contributes the digests of ``host-0``, ``host-1``, ... and each 16-byte digest is read as four little-endian
numbers. A key's position is the first of the four of its own digest.

Source: libketama, ``ketama_md5_digest``, ``ketama_hashi`` and ``ketama_create_continuum`` (Last.fm, 2007).
"""

from hashlib import md5
from struct import unpack
from typing import Final

DIGESTS: Final = 40
"""Digests of a node of average weight: 160 points."""


def position(key: bytes) -> int:
    """Where a key lies on the circle, an unsigned 32-bit number."""
    return int.from_bytes(md5(key, usedforsecurity=False).digest()[:4], "little")


def points(host: str, digests: int = DIGESTS) -> list[int]:
    """The points of a node in the order they are made, four a digest; unsigned 32-bit numbers."""
    found: list[int] = []
    for k in range(digests):
        found += unpack("<4I", md5(f"{host}-{k}".encode(), usedforsecurity=False).digest())
    return found
