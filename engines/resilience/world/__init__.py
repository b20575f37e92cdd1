"""Services that call each other, and what protects them: the resilience pattern alive in the simulated world.

Clients call ``api``, which calls ``auth``, ``catalog``, ``cart`` and ``payment``, each with its database. Every call of
one to another is an *edge* with a pipeline of its own: retry, breaker, limiter, timeout and bulkhead in an order that
can be changed, and hedging, outlier detection, deadlines and a fallback beside it.

what crosses the screen
    commands     what a person can ask
    events       what happens, a record per kind
    snapshot     what there is to see
    rules        rules that can be switched off to see why they are there
    options      the settings of a run, and what follows from them for every edge
    scenarios    the stories
    chaos        what befalls it at random in a hunt, and what it owes afterwards
machines
    messages     what services say to each other
    node         a machine that serves
    caller       a machine that calls others
    client load  the clients, and what they do
    agenda       what a machine has to do later
edges
    edge         one service calling another: the layers a call goes through
    calls attempts    what an edge keeps of calls, and of requests on the wire
    protection   the parts that protect an edge, made and retuned
the world
    engine       all of it in the simulated world
    topology     who calls whom, on which machines
    shop         what a person has set, for machines that restart
    ledger       what happened, counted once for everybody
    checks recount    the guarantees, recounted from facts
    view subject      takes the snapshot; which edge it shows at length
"""
