"""Redis Cluster: CRC16 of the key, or of its hash tag, modulo 16384.

The CRC is CRC-16/XMODEM (polynomial 0x1021, start 0, nothing reflected), which the standard library has as
``binascii.crc_hqx``. Keys that must live together share a hash tag: ``{user1000}.following``.

Source: Redis Cluster specification, "Key distribution model" and "Hash tags".
"""

from binascii import crc_hqx
from collections.abc import Iterable
from typing import Final

SLOTS: Final = 16384


def crc16(data: bytes) -> int:
    """CRC-16/XMODEM, 0 to 65535."""
    return crc_hqx(data, 0)


def hash_tag(key: bytes) -> bytes:
    """What is hashed: between the first ``{`` and the first ``}`` after it if that is not empty, else the whole key."""
    start = key.find(b"{")
    if start < 0:
        return key
    end = key.find(b"}", start + 1)
    return key[start + 1 : end] if end > start + 1 else key


def slot(key: bytes) -> int:
    """The slot of a key, 0 to 16383. The empty key is in slot 0."""
    return crc_hqx(hash_tag(key), 0) % SLOTS


def slots(keys: Iterable[bytes]) -> list[int]:
    """The slots of many keys; the same numbers as ``slot``, several times faster."""
    return [crc_hqx(key if b"{" not in key else hash_tag(key), 0) % SLOTS for key in keys]
