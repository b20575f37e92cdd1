"""What consensus is about here: a small store of integers, as operations that every replica executes alike."""

from typing import Final

OPERATIONS: Final = ("set", "add", "del", "get")


def execute(values: dict[str, int], op: str, key: str, value: int) -> int | None:
    """Execute one operation on the store; return the key's value after it, of ``del`` the one it had.

    None: there is no such key.
    """
    match op:
        case "set":
            values[key] = value
        case "add":
            values[key] = values.get(key, 0) + value
        case "del":
            return values.pop(key, None)
        case "get":
            return values.get(key)
        case _:
            raise AssertionError(f"unknown operation {op!r}")
    return values[key]


def written(op: str, key: str, value: int) -> str:
    """An operation as people write it: ``y=3``, ``y+=1``, ``del y``, ``y?``."""
    return {"set": f"{key}={value}", "add": f"{key}+={value}", "del": f"del {key}", "get": f"{key}?"}[op]


__all__ = ["OPERATIONS", "execute", "written"]
