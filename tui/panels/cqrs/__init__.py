"""The panel of CQRS: both roads, and the gap between them."""
