"""Histories that other tools wrote, and those that other tools read.

edn        the notation, small and exact
records    invocations and returns become operations; keys, faults, files of returns alone
reading    which format a stream is, line by line
timeline   the ASCII timeline, in and out
shiviz     logs with vector clocks, in and out
"""
