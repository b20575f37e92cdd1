"""The panels: one folder a pattern."""
