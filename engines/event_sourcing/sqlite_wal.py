"""The log beside a SQLite file: whether what is damaged in it was acknowledged.

Source: the format of the WAL as SQLite documents it: 32 bytes of header, then frames of 24 bytes and a page, each with
a checksum over all before it.
"""

import struct


def wal_damage(path: str) -> str:
    """Whether the WAL beside a file was damaged before a commit that was acknowledged; empty: no.

    SQLite takes the first frame whose checksum is wrong for the torn end of the log, and drops it with all that
    follows. That is right for the last transaction, which was never acknowledged. But a commit is synced before the
    next one begins: if frames of the same generation stand behind a later commit, what broke was acknowledged.
    A log that is being written while it is read may look like that once, but not twice.
    """
    first = _wal_damage(path)
    return first if first and first == _wal_damage(path) else ""


def _wal_damage(path: str) -> str:
    try:
        with open(path + "-wal", "rb") as file:
            log = file.read()
    except OSError:
        return ""
    if len(log) < 32:
        return ""
    magic, _, size, _, salt1, salt2, sum1, sum2 = struct.unpack(">8I", log[:32])
    order = {0x377F0682: "<", 0x377F0683: ">"}.get(magic)
    frame = size + 24
    if order is None or not 512 <= size <= 65_536 or _wal_sum(order, log[:24], 0, 0) != (sum1, sum2):
        return "its header is damaged" if _plausible(log) else ""
    state = (sum1, sum2)
    broken = commit_after = -1
    for at in range(32, len(log) - frame + 1, frame):
        head = log[at : at + 24]
        _, commit, one, two, *found = struct.unpack(">6I", head)
        if (one, two) != (salt1, salt2):
            if broken < 0:
                # Of an older generation, or damaged itself: the next frame tells.
                broken = at
            continue
        if broken < 0:
            state = _wal_sum(order, head[:8] + log[at + 24 : at + frame], *state)
            if state != tuple(found):
                broken = at
        elif commit_after >= 0:
            return f"byte {broken}: a frame is damaged, and an acknowledged commit stands behind it"
        if broken >= 0 and commit:
            commit_after = at
    return ""


def _wal_sum(order: str, data: bytes, s1: int, s2: int) -> tuple[int, int]:
    """The checksum of SQLite's log, over pairs of 32-bit words."""
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for x, y in zip(words[::2], words[1::2], strict=True):
        s1 = (s1 + x + s2) & 0xFFFFFFFF
        s2 = (s2 + y + s1) & 0xFFFFFFFF
    return s1, s2


def _plausible(log: bytes) -> bool:
    """Whether a log with a damaged header holds two frames of one generation, the first of them a commit."""
    for size in (4_096, 1_024, 2_048, 8_192, 16_384, 32_768, 65_536, 512):
        frame = size + 24
        salts = [log[at + 8 : at + 16] for at in range(32, len(log) - frame + 1, frame)]
        if len(salts) > 1 and salts[0] == salts[1]:
            return True
    return False


__all__ = ["wal_damage"]
