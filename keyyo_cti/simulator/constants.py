"""The words of the CTI service: states of a call, sides of a call, the special number."""

from __future__ import annotations

SETUP = "SETUP"
CONNECT = "CONNECT"
RELEASE = "RELEASE"
MISSED = "MISSED"

CALLER = "caller"
CALLEE = "callee"
SIDES = (CALLER, CALLEE)

CALLPARK = "callpark"
"""The special number: whoever subscribes to it is notified of the parked calls."""

ANY_SLOT = -1
"""The slot of a call to park that leaves the choice to the callpark."""

PROTOCOL_VERSION = 1
