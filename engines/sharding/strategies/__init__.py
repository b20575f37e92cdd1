"""Keys to nodes: one file for each way to do it."""
