"""Execute recordings in another process, under another hash seed or another Python.

Reads a JSON list of recordings from standard input, writes the list of the digests they come to.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from engines.sim.recording import read
from tests.patterns import PATTERNS

if __name__ == "__main__":
    recordings = [read(text, "stdin", PATTERNS) for text in json.load(sys.stdin)]
    json.dump([recording.verify()[1] for recording in recordings], sys.stdout)
