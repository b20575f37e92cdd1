"""Replication designs alive: clients, replicas, messages, and what clients may rely on, measured.

messages events    everything that travels; everything that happens
client             a session; the linearizable register's two rounds
node               replicas: ABD, total order, causal broadcast, cache
dynamo mongo       replicas: N, R, W with stand-ins and repairs; a replica set with failover
ledger checks      what clients did, judged as it grows; what each design promises
rules options commands   what can be switched, chosen, asked
engine snapshot    the world of one variant, and what there is to see of it
scenarios table    the stories; what each rule keeps
chaos     what befalls it at random in a hunt, and what it owes afterwards
"""
