"""One hypothesis profile for all: the same examples on every run, and no verdict on a slow machine."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("house", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
