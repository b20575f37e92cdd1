"""Keys to nodes: one file for each way to do it.

base         what every strategy can do, and the membership rules they share
circle       a circle of tokens: the ground of every ring
ring         consistent hashing with virtual nodes
bounded      the same with a bound on the load of a node
cassandra    Cassandra's ring
ketama       the ring of memcached clients
modulo       hash(key) mod n
range        neighbours in key order live together
chunks       ranges of keys, each on one node
balancer     MongoDB's balancer
slots        Redis Cluster's slots
jump         jump consistent hash
rendezvous   every node bids for a key
maglev       a table that the nodes fill in turns
"""
