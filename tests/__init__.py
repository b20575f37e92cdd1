"""Tests: never shipped."""
