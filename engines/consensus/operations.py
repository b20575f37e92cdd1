"""What consensus is about here: a small store of integers, as operations that every replica executes alike."""

from typing import Final

from engines.errors import UserError

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


def parse(text: str, *, reads: bool = False) -> tuple[str, str, int]:
    """``(op, key, value)`` of what a person typed; ``reads``: whether ``y?`` asks for a value.

    UserError says what would be accepted.
    """
    accepted = f"write y=3, y+=1, y-=1{', y?' if reads else ''} or del y"
    text = text.strip()
    if text.startswith("del "):
        op, key, number = "del", text[4:].strip(), "0"
    elif reads and text.endswith("?"):
        op, key, number = "get", text[:-1].strip(), "0"
    elif "+=" in text:
        op = "add"
        key, number = (part.strip() for part in text.split("+=", 1))
    elif "-=" in text:
        op = "add"
        key, number = (part.strip() for part in text.split("-=", 1))
        number = f"-{number}"
    elif "=" in text:
        op = "set"
        key, number = (part.strip() for part in text.split("=", 1))
    else:
        raise UserError(f"{text!r} is no command of the store: {accepted}" if text else f"nothing is asked: {accepted}")
    if not key:
        raise UserError(f"{text!r} names no key: {accepted}")
    if number in ("", "-"):
        raise UserError(f"{text!r} says no number: {accepted}")
    if not key.isascii() or not key.isidentifier() or len(key) > 8:
        raise UserError(f"{key!r} is no key: a letter, then letters, digits or _, 8 at most; {accepted}")
    try:
        value = int(number)
    except ValueError:
        raise UserError(f"{number!r} is no whole number: {accepted}") from None
    if abs(value) >= 1_000_000:
        raise UserError(f"{value} is too long to show: a number below 1,000,000 is accepted")
    return op, key, value


__all__ = ["OPERATIONS", "execute", "parse", "written"]
