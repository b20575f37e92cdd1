"""The bank account: the example everybody begins with. Money is counted in whole units of the smallest coin.

The balance is not stored, it is the sum of what happened. It may be *kept*, as a snapshot or in a projection: those
can be thrown away at any time, the events cannot.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from engines.event_sourcing.aggregate import Aggregate, Decided, Refused
from engines.event_sourcing.upcast import Upcasters

OPENED: Final = "AccountOpened"
DEPOSITED: Final = "MoneyDeposited"
WITHDRAWN: Final = "MoneyWithdrawn"
CLOSED: Final = "AccountClosed"


@dataclass(frozen=True, slots=True)
class Account:
    """The state of an account."""

    owner: str = ""
    balance: int = 0
    status: str = "absent"
    """``absent``, ``open`` or ``closed``."""
    movements: int = 0


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """Open an account."""

    owner: str


@dataclass(frozen=True, slots=True)
class Deposit:
    """Put money in."""

    amount: int


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take money out; never more than there is."""

    amount: int


@dataclass(frozen=True, slots=True)
class CloseAccount:
    """Close an empty account."""


def evolve(state: Account, type: str, data: Any) -> Account:
    """The fold."""
    match type:
        case "AccountOpened":
            return Account(owner=data["owner"], status="open")
        case "MoneyDeposited":
            return replace(state, balance=state.balance + data["amount"], movements=state.movements + 1)
        case "MoneyWithdrawn":
            return replace(state, balance=state.balance - data["amount"], movements=state.movements + 1)
        case _:
            return replace(state, status="closed")


def decide(state: Account, command: Any) -> tuple[Decided, ...]:
    """The rules."""
    match command:
        case OpenAccount(owner=owner):
            if state.status != "absent":
                raise Refused(f"the account is {state.status}: only an account that does not exist can be opened")
            return (Decided(OPENED, {"owner": owner}),)
        case Deposit(amount=amount) | Withdraw(amount=amount):
            if state.status != "open":
                raise Refused(f"the account is {state.status}: it must be open")
            if amount <= 0:
                raise Refused(f"an amount of {amount}: it must be positive")
            if isinstance(command, Deposit):
                return (Decided(DEPOSITED, {"amount": amount, "currency": "EUR"}),)
            if amount > state.balance:
                raise Refused(f"a withdrawal of {amount} with a balance of {state.balance}")
            return (Decided(WITHDRAWN, {"amount": amount}),)
        case CloseAccount():
            if state.status != "open" or state.balance:
                raise Refused(
                    f"the account is {state.status} with a balance of {state.balance}: only an empty one closes"
                )
            return (Decided(CLOSED, {}),)
        case _:
            raise Refused(f"an account knows no command {type(command).__name__}")


UPCASTERS: Final = Upcasters(
    {OPENED: 1, DEPOSITED: 3, WITHDRAWN: 1, CLOSED: 1},
    {
        # Version 1 called the amount "sum"; version 2 named no currency.
        (DEPOSITED, 1): lambda data: {"amount": data["sum"]},
        (DEPOSITED, 2): lambda data: {**data, "currency": "EUR"},
    },
)

ACCOUNT: Final[Aggregate[Account]] = Aggregate(
    "account",
    Account(),
    evolve,
    decide,
    UPCASTERS,
    schema=1,
    to_plain=lambda state: [state.owner, state.balance, state.status, state.movements],
    from_plain=lambda plain: Account(*plain),
)

__all__ = ["ACCOUNT", "Account", "CloseAccount", "Deposit", "OpenAccount", "Withdraw"]
