"""The objects that all sessions of one client share."""

from typing import Any, NamedTuple, Optional

from ..options import Options
from .dispatch import Dispatcher
from .emitter import Emitter
from .notifications import Notifications
from .outage import Pauses
from .session import Session
from .session_state import Sessions
from .token_cache import CachedToken
from .waits import Waits
from .wire_log import WireLog


class Shared(NamedTuple):
    """Objects that all sessions of one client share.

    :ivar name: the name of their threads.
    :ivar token: None without auto-restore.
    """

    name: str
    cti: Emitter
    options: Options
    dispatcher: Dispatcher
    notifications: Notifications
    session: Session
    sessions: "Sessions[Any]"
    token: Optional[CachedToken]
    pauses: Pauses
    wire_log: WireLog
    waits: Waits
