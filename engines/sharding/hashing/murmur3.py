"""Murmur3 x64 128, and the token of Cassandra's Murmur3Partitioner.

Cassandra's Java port reads the last (length mod 16) bytes as *signed* bytes and widens them to 64 bits, so a
byte >= 0x80 there sets all higher bits. Every token on every disk depends on it, so it is part of the
definition: ``signed_tail=True``. Blocks of 16 bytes are read unsigned, as everywhere.

Source: MurmurHash3_x64_128 (Appleby); Cassandra, ``MurmurHash.hash3_x64_128`` and ``Murmur3Partitioner.getToken``.
"""

from struct import unpack_from
from typing import Final

MASK64: Final = (1 << 64) - 1
C1: Final = 0x87C37B91114253D5
C2: Final = 0x4CF5AD432745937F
FMIX_1: Final = 0xFF51AFD7ED558CCD
FMIX_2: Final = 0xC4CEB9FE1A85EC53

MIN_TOKEN: Final = -(1 << 63)
"""The token of the empty key, and of nothing else."""
MAX_TOKEN: Final = (1 << 63) - 1


def hash128(data: bytes, seed: int = 0, *, signed_tail: bool = False) -> tuple[int, int]:
    """Both halves (h1, h2) of the 128-bit hash, unsigned. ``seed`` is an unsigned 32-bit number."""
    h1 = h2 = seed
    length = len(data)
    body = length & ~15
    for at in range(0, body, 16):
        k1, k2 = unpack_from("<QQ", data, at)
        h1 ^= _scramble_1(k1)
        h1 = (((_rotl(h1, 27) + h2) & MASK64) * 5 + 0x52DCE729) & MASK64
        h2 ^= _scramble_2(k2)
        h2 = (((_rotl(h2, 31) + h1) & MASK64) * 5 + 0x38495AB5) & MASK64
    if length > body:
        h1 ^= _scramble_1(_tail(data[body : body + 8], signed_tail))
        h2 ^= _scramble_2(_tail(data[body + 8 :], signed_tail))
    h1 ^= length
    h2 ^= length
    h1 = (h1 + h2) & MASK64
    h2 = (h2 + h1) & MASK64
    h1, h2 = _fmix(h1), _fmix(h2)
    h1 = (h1 + h2) & MASK64
    return h1, (h2 + h1) & MASK64


def token(key: bytes) -> int:
    """The signed 64-bit token of a partition key, -2**63 to 2**63 - 1.

    -2**63 is reserved for the empty key; a hash of that value becomes 2**63 - 1.
    """
    return _normalise(hash128(key, signed_tail=True)[0]) if key else MIN_TOKEN


def _normalise(h1: int) -> int:
    value = h1 - (1 << 64) if h1 >> 63 else h1
    return MAX_TOKEN if value == MIN_TOKEN else value


def _tail(data: bytes, signed: bool) -> int:
    """Up to eight last bytes, little endian; each sign-extended on its own if ``signed``."""
    if not signed:
        return int.from_bytes(data, "little")
    word = 0
    for i, byte in enumerate(data):
        word ^= (byte - 256 if byte >= 0x80 else byte) << 8 * i
    return word & MASK64


def _rotl(x: int, bits: int) -> int:
    return (x << bits | x >> 64 - bits) & MASK64


def _scramble_1(k: int) -> int:
    return _rotl(k * C1 & MASK64, 31) * C2 & MASK64


def _scramble_2(k: int) -> int:
    return _rotl(k * C2 & MASK64, 33) * C1 & MASK64


def _fmix(k: int) -> int:
    k = (k ^ k >> 33) * FMIX_1 & MASK64
    k = (k ^ k >> 33) * FMIX_2 & MASK64
    return k ^ k >> 33
