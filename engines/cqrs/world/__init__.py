"""CQRS alive: two roads on a simulated network, the gap between them, and a plain CRUD table beside it.

    users > command nodes > event store > bus > projectors > read replicas > users

messages       what machines send each other
events         what happens, one record a kind
server         a machine that does one thing at a time, with a line before it
node           the write side: command nodes, and the event store with its outbox
bus            the broker between the roads
table          a read model as machines keep it, and the code it is made by
projector      builds read models from events, one generation beside another
replica        serves queries from copies of the read models
saga           the process that carries an order through three services
services       stock, bank and dispatch
client         users: they write, read, and read what they wrote
twin           the CRUD table under the same load
meter          what was served, how fast, and what it cost
checks         what must hold
ledger         what was promised and done, against which the checks compare
rules          rules that can be switched off; what all machines share
options        settings of a run
commands       what a person can ask for
chaos          what both roads survive, and what they owe afterwards
picture        the machines by their names, and what the snapshot holds of them
engine         the world
snapshot       what there is to see
scenarios      the stories
"""
