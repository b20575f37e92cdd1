"""Records of which a run makes a hundred thousand a second: messages, events, what checks take down.

They are named tuples. ``Vote(1, True)`` goes through a function in Python that knows the names of the fields, and that
takes longer than making the tuple; ``new(Vote, (1, True))`` goes past it. It is worth that on the way of every message
and nowhere else: all fields must be there, in their order, and nobody checks them.
"""

from typing import Final

new: Final = tuple.__new__

__all__ = ["new"]
