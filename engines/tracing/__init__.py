"""Tracing: one trace id for a request, spans with parents, and from many of them the reason why it is slow."""
