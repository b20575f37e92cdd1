"""The roles of a server, and which may follow which (paper, Figure 4; pre-candidates after dissertation 9.6).

follower      -> pre-candidate   heard no leader for an election timeout; asks who would vote for it
              -> candidate       the same without pre-vote
pre-candidate -> candidate       a majority would vote for it
candidate     -> leader          a majority voted for it
(pre-)candidate starts again at the next timeout
any           -> follower        a newer term, or a leader of this one; a leader also when it hears no quorum
"""

from enum import Enum
from typing import Final


class Role(Enum):
    """What a server is. A pre-candidate asks for votes without having started a term."""

    FOLLOWER = "follower"
    PRECANDIDATE = "precandidate"
    CANDIDATE = "candidate"
    LEADER = "leader"


FOLLOWER: Final = Role.FOLLOWER
PRECANDIDATE: Final = Role.PRECANDIDATE
CANDIDATE: Final = Role.CANDIDATE
LEADER: Final = Role.LEADER
"""By their bare names, as the paper has them: every message asks for one, and Python 3.11 is slow to find a member."""

EDGES: Final[dict[Role, tuple[Role, ...]]] = {
    FOLLOWER: (FOLLOWER, PRECANDIDATE, CANDIDATE),
    PRECANDIDATE: (FOLLOWER, PRECANDIDATE, CANDIDATE),
    CANDIDATE: (FOLLOWER, PRECANDIDATE, CANDIDATE, LEADER),
    LEADER: (FOLLOWER,),
}
"""From a role to those that may follow it. A follower that adopts a newer term stays one."""


__all__ = ["CANDIDATE", "EDGES", "FOLLOWER", "LEADER", "PRECANDIDATE", "Role"]
