"""The word in a link that lets its holder in."""

from __future__ import annotations

import secrets
from typing import Final

TOKEN_BYTES: Final = 24


def token() -> str:
    """A word that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def same(one: str, other: str) -> bool:
    """Whether two words are equal, in a time that does not tell how far they are."""
    return secrets.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
