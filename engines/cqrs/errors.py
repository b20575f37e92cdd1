"""What a person or program may get wrong with commands, queries and read models; each names thing, place and remedy."""

from engines.errors import UserError


class CqrsError(UserError):
    """A mistake in what was asked of either side."""


class UnknownCommand(CqrsError):
    """No handler takes a command of this name."""


class UnknownQuery(CqrsError):
    """No read model answers a query of this name."""


class BadFields(CqrsError):
    """A field of a command or query is missing, unknown, or not of its type."""


class UnknownProjection(CqrsError):
    """There is no projection of this name."""


class NotOrders(CqrsError):
    """A store whose events are not those of orders."""


class NotReadModels(CqrsError):
    """A file that holds no read models of this program."""


class NotCaughtUp(CqrsError):
    """A new version of a projection cannot be swapped in before it is where the old one is."""


__all__ = [
    "BadFields",
    "CqrsError",
    "NotCaughtUp",
    "NotOrders",
    "NotReadModels",
    "UnknownCommand",
    "UnknownProjection",
    "UnknownQuery",
]
