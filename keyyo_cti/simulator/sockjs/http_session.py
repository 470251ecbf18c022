"""What the HTTP requests of one SockJS session have in common."""

from __future__ import annotations

import asyncio
from typing import Callable, Optional

from .connection import Connection


class HttpSession:
    """A connection that outlives the requests that carry it.

    A receiver is the request whose answer carries frames; there is one at a time. When it is
    done the client has some time to come back with the next one. A receiver whose TCP connection
    breaks ends the session at once, as in sockjs-node.

    :param connection: what the handler sees.
    :param disconnect_delay: seconds that the client may stay away.
    :param forget: given this session when it is over and its id is free again.
    """

    def __init__(
        self,
        connection: Connection,
        disconnect_delay: float,
        forget: Callable[[HttpSession], None],
    ) -> None:
        self.connection = connection
        self.received = False
        self._disconnect_delay = disconnect_delay
        self._forget = forget
        self._timer: Optional[asyncio.TimerHandle] = None

    @property
    def aborted(self) -> bool:
        """True if TCP has ended under the receiver, and not because it was struck."""
        return self.received and self.connection.doom is None and self.connection.cut_off

    def attach(self, transport: asyncio.Transport) -> None:
        """A receiver has come."""
        self._cancel_timer()
        self.received = True
        self.connection.attach(transport)

    def detach(self) -> None:
        """The receiver is done, and the client may come back."""
        self.received = False
        self.connection.detach()
        self._timer = asyncio.get_running_loop().call_later(self._disconnect_delay, self.end)

    def end(self) -> None:
        """The client is gone."""
        self._cancel_timer()
        self.connection.lost()
        self._forget(self)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
