"""CQRS: commands change one model, queries read others, and events are the road between.

    from engines.cqrs import ORDER_SUMMARY, Command, CommandBus, MemoryModel, Projector
    from engines.event_sourcing import MemoryStore

    store = MemoryStore()  # or SqliteStore("shop.db"), and SqliteModels("rows.db")
    bus, summaries = CommandBus(store), Projector(MemoryModel(ORDER_SUMMARY))
    lines = [{"item": "book", "quantity": 2, "price": 1_900}]
    answer = bus.send(Command("c1", "CREATE_ORDER", "order-7", {"customer": "ada", "lines": lines}))
    again = bus.send(Command("c1", "CREATE_ORDER", "order-7", {"customer": "ada", "lines": lines}))  # executed once
    summaries.take(store.replay(summaries.model.position))  # until here the summary is behind: that is the gap
    print(summaries.model.get("order-7"), summaries.model.position >= answer.position)

commands           what somebody wants, and whether it can be understood
bus                decide, append with the expected revision, and every command once
saga               an order's long way: compensable steps, a pivot, steps that are only retried
outbox             a message exactly when its event; the inbox, its effect exactly once
projections        rows as the fold of events to a position; lag in two figures; a projection at a date
read_models        order summary, customer history, revenue by day; a second version, and one with a bug
sqlite_models      the rows in a SQLite file: row, position and checkpoint in one transaction
projector          duplicates, reordering, crashes and poison, on the way from bus to rows
deployment         which version is served: rebuild in place, blue-green
queries            any, read your writes, version token: and answers that say what they are
rebuild            all read models from somebody's events, and whether they can be trusted
demo               a store to play with
crud               the same shop without the pattern
verdict            when the pattern pays, and by which formula
errors             what can be asked wrongly
pattern recorded   the pattern as the program shows it; a store of orders as a run
world/             both roads alive, on a simulated network
"""

from engines.cqrs.bus import Answer, Append, CommandBus, Execution, Status
from engines.cqrs.commands import Command
from engines.cqrs.crud import CrudStore
from engines.cqrs.deployment import Deployment
from engines.cqrs.errors import (
    BadFields,
    CqrsError,
    NotCaughtUp,
    NotOrders,
    NotReadModels,
    UnknownCommand,
    UnknownProjection,
    UnknownQuery,
)
from engines.cqrs.outbox import Inbox, Message, Outbox, Relay, save_with_messages
from engines.cqrs.projections import Lag, MemoryModel, Model, Projection, changes_at, changes_of, fold, lag, model_at
from engines.cqrs.projector import Effect, Projector, rebuilder
from engines.cqrs.queries import Freshness, Outcome, Query, Reader, Reply
from engines.cqrs.read_models import (
    CUSTOMER_HISTORY,
    ORDER_SUMMARY,
    ORDER_SUMMARY_BUGGY,
    ORDER_SUMMARY_V2,
    PROJECTIONS,
    REVENUE_BY_DAY,
    OrderSummary,
    Purchase,
    Revenue,
    projection,
)
from engines.cqrs.saga import SAGA, Phase, Saga, due_us, request, saga_of
from engines.cqrs.sqlite_models import SqliteModel, SqliteModels
from engines.cqrs.verdict import FORMULA, Load, Verdict, weigh

__all__ = [
    "CUSTOMER_HISTORY",
    "FORMULA",
    "ORDER_SUMMARY",
    "ORDER_SUMMARY_BUGGY",
    "ORDER_SUMMARY_V2",
    "PROJECTIONS",
    "REVENUE_BY_DAY",
    "SAGA",
    "Answer",
    "Append",
    "BadFields",
    "Command",
    "CommandBus",
    "CqrsError",
    "CrudStore",
    "Deployment",
    "Effect",
    "Execution",
    "Freshness",
    "Inbox",
    "Lag",
    "Load",
    "MemoryModel",
    "Message",
    "Model",
    "NotCaughtUp",
    "NotOrders",
    "NotReadModels",
    "OrderSummary",
    "Outbox",
    "Outcome",
    "Phase",
    "Projection",
    "Projector",
    "Purchase",
    "Query",
    "Reader",
    "Relay",
    "Reply",
    "Revenue",
    "Saga",
    "SqliteModel",
    "SqliteModels",
    "Status",
    "UnknownCommand",
    "UnknownProjection",
    "UnknownQuery",
    "Verdict",
    "changes_at",
    "changes_of",
    "due_us",
    "fold",
    "lag",
    "model_at",
    "projection",
    "rebuilder",
    "request",
    "saga_of",
    "save_with_messages",
    "weigh",
]
