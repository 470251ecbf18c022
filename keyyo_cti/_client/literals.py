"""Arguments and fields with few possible values, so that type checkers find a wrong one."""

from typing import Callable, Literal, Union

#: A party of a call.
Side = Literal["caller", "callee"]

#: The ways to the server. For the option only: a checker would take ``cti.transport``, once
#: compared, for the same value ever after, as it would ``call.state``.
Transport = Literal["websocket", "xhr-streaming", "xhr-polling"]

#: Where handlers and callbacks run: None for a thread of the SDK's own, "manual" for ``poll()``,
#: or a function that is handed each piece of work.
Dispatch = Union[None, Literal["manual"], Callable[[Callable[[], None]], object]]

#: The events of a Call and of a CTI.
CallEvent = Literal["setup", "connect", "release", "missed"]
CTIEvent = Literal["newCall", "disconnected", "restored", "lost", "error"]
