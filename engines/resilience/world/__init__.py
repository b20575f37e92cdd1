"""Services that call each other, and what protects them: the resilience pattern alive in the simulated world.

Clients call ``api``, which calls ``auth``, ``catalog``, ``cart`` and ``payment``, each with its database. Every call of
one to another is an *edge* with a pipeline of its own: retry, breaker, limiter, timeout and bulkhead in an order that
can be changed, and hedging, outlier detection, deadlines and a fallback beside it.
"""
