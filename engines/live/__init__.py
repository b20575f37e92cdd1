"""The only room in which an engine touches the world outside: processes that really run and really die.

writer     a process that appends to a store on the disk, to be killed while somebody counts

Nothing here is simulated, so nothing here can be replayed.
"""
