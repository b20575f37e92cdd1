"""The one exception class for mistakes of the user.

A broken *check* is shown, never raised; a bug of ours is an ``assert``. What is left is input that cannot
be used, and its message says what is wrong, where, and what would be accepted.
"""


class UserError(Exception):
    """A mistake of the user: what, where, and what would be accepted."""
