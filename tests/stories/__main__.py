"""``python -m tests.stories [NAMES]``: write the files of all stories and pictures anew, or of those named."""

import sys
from functools import partial

from tests.stories.pictures import PICTURES, drawn
from tests.stories.played import reading, stories


def main(names: list[str]) -> None:
    """Write what was asked for, say what changed."""
    wanted = {story.path: partial(reading, story) for story in stories() if story.name in names or not names}
    wanted |= {one.path: partial(drawn, one) for one in PICTURES if one.pattern in names or not names}
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        before, now = path.read_text(encoding="utf-8") if path.exists() else "", text()
        if before != now:
            path.write_text(now, encoding="utf-8")
            print(path.relative_to(path.parents[2]))


if __name__ == "__main__":
    main(sys.argv[1:])
