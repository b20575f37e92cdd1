"""Keys to numbers: the hash functions of real systems, and the default of this library.

fast      64 bits of BLAKE2b: the default
crc16     Redis Cluster's slots
murmur3   Cassandra's tokens
ketama    the points of memcached clients
"""
