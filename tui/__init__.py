"""The screen: the only package that imports textual and rich. It draws what `engines` snapshots hold, nothing else."""

__version__ = "0.1.0"
"""The version of the distribution; pyproject.toml reads it from here."""
