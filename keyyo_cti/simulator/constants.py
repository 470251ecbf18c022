"""Constants of the protocol: states and sides of a call, and the callpark."""

from __future__ import annotations

SETUP = "SETUP"
CONNECT = "CONNECT"
RELEASE = "RELEASE"
MISSED = "MISSED"

CALLER = "caller"
CALLEE = "callee"
SIDES = (CALLER, CALLEE)

CALLPARK = "callpark"
"""The special number whose subscribers are notified of parked calls."""

ANY_SLOT = -1
"""The slot number that lets the callpark choose a free slot."""

PROTOCOL_VERSION = 1
