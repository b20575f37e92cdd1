"""The screen: the only package that imports textual and rich. It draws what `engines` snapshots hold, nothing else."""
