"""CTI: sessions, the line's commands, events. The public face of ``Client``."""

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Callable, List, Mapping, Optional, Union, overload

from ._client import at_exit, overview, wire
from ._client.call_list import Calls
from ._client.callback import Callback, split_callback
from ._client.cti_additions import CTIAdditions
from ._client.emitter import EventAttribute
from ._net.javascript import as_key
from .call import Call, Conversation
from .errors import KeyyoError
from .results import AutoAnswer, ConvertedNumber, Restored, SessionInfo, Subscriptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .catch_up import CaughtUp
    from .options import CTIOptions

    class _Untyped:
        """A type that only Any matches.

        A dict of it has untyped values, as JSON gives it. Any other dict must be CTIOptions, so
        that a type checker finds a wrong option in it.
        """

else:
    # For typing.get_type_hints: typing has no Unpack before Python 3.11, and to import options
    # would load the network libraries.
    _Untyped = Any
    CTIOptions = Mapping[str, Any]
    CaughtUp = Any
    Unpack = {CTIOptions: Any}


class CTI(CTIAdditions):
    """A telephone line of Keyyo: its session, calls, commands and events.

    Every command takes an optional ``callback(error, result)`` last and returns a
    ``concurrent.futures.Future``. ``error`` is a KeyyoError or None; ``result`` is what the
    server sent, or None. ``Future.result()`` returns or raises the same. A result of null is a
    NoResult: it is false and equal to None, but not None itself. A command that fails without a
    callback, and whose Future the program never asks, is logged as a warning.

    A wrong value is reported the same way, as KeyyoError 400 ``invalid_params``, and nothing is
    sent. Without a connection, the error is ConnectionClosed. Methods may be called from any
    thread, even in handlers and callbacks. Unless noted, the result of a command is 1.

    With the option ``token_provider``, a lost session is restored: ``disconnected`` is followed by
    ``restored``, ``lost`` or ``close()``. Without it, nothing is restored automatically, as in
    JavaScript.

    :param options: options as a dict, like JavaScript's object; see ``keyyo_cti.options.Options``.
    :param keywords: options as keywords.
    :raises TypeError: an option is unknown or of a wrong type.
    :raises ValueError: an option has an invalid value.

    Source: section CTI of Keyyo's page.
    """

    EVENTS = (
        "newCall", "disconnected", "restored", "lost", "error", "conversationEnded", "caughtUp",
    )

    _COPY_ADVICE = (
        "its connection and its threads belong to this process. Make another CTI where you need "
        "one, and give it plain values, such as the options and dict(call)"
    )

    onNewCall: EventAttribute[Callable[[Call], object]] = EventAttribute(
        "handler(call)", "A call was notified, new or changed."
    )
    onDisconnected: EventAttribute[Callable[[], object]] = EventAttribute(
        "handler()", "The connection was lost or could not be opened, and was not closed by you."
    )
    onRestored: EventAttribute[Callable[[Restored], object]] = EventAttribute(
        "handler(info)", "The lost session is restored; info has gap and recreated, see Restored."
    )
    onLost: EventAttribute[Callable[[KeyyoError], object]] = EventAttribute(
        "handler(error)", "The lost session will not be restored; error is a KeyyoError."
    )
    # SystemExit and its like are passed too, but handlers may be annotated with Exception.
    onError: EventAttribute[Callable[[Exception], object]] = EventAttribute(
        "handler(exception)", "A handler raised, or a message of the server is unreadable."
    )
    onConversationEnded: EventAttribute[Callable[[Conversation], object]] = EventAttribute(
        "handler(conversation)", "A conversation has ended, see ``call.conversation``."
    )
    onCaughtUp: "EventAttribute[Callable[[CaughtUp], object]]" = EventAttribute(
        "handler(records)", "The history told what happened in a gap; see the option catch_up."
    )

    def __init__(
        self,
        options: "Union[CTIOptions, Mapping[str, _Untyped], None]" = None,
        **keywords: "Unpack[CTIOptions]",
    ) -> None:
        # Imported here, because it loads the network libraries. A program may import this package
        # long before it needs them.
        from . import options as options_
        from ._client.client import Client

        super().__init__()
        self._client: Client = Client(self, options_.read(options, keywords))
        at_exit.watch(self._client)

    def _check_process(self) -> None:
        self._client.check_process()

    # Session.

    @overload
    def create_session(
        self, csi_token: str, callback: Optional[Callback[SessionInfo]] = None, /
    ) -> "Future[SessionInfo]": ...

    @overload
    def create_session(
        self,
        csi_token: str,
        auto_answer: Optional[bool] = None,
        callback: Optional[Callback[SessionInfo]] = None,
    ) -> "Future[SessionInfo]": ...

    def create_session(
        self, csi_token: Any, auto_answer: Any = None, callback: Any = None
    ) -> "Future[SessionInfo]":
        """Connect and create a session. Source: section Create session.

        :param csi_token: the line's CSI token, a string; valid for one hour.
        :param auto_answer: True if the line's telephone answers by itself when a call is made for
            it, False if not; None for the server's default, True.
        :returns: a Future of a SessionInfo: ``number`` (the line's), ``now`` (server time in Unix
            seconds), ``session_id``.
        """
        auto_answer, callback = split_callback(auto_answer, callback)
        return self._client.create(csi_token, auto_answer, callback)

    @overload
    def restore_session(
        self, csi_token: str, callback: Optional[Callback[SessionInfo]] = None, /
    ) -> "Future[SessionInfo]": ...

    @overload
    def restore_session(
        self,
        csi_token: str,
        session_id: Optional[str] = None,
        callback: Optional[Callback[SessionInfo]] = None,
    ) -> "Future[SessionInfo]": ...

    def restore_session(
        self, csi_token: Any, session_id: Any = None, callback: Any = None
    ) -> "Future[SessionInfo]":
        """Connect and restore the previous session. Source: section Restore session.

        With ``cookie_auto``, a new session is created if there is no cookie, or if the session no
        longer exists.

        :param csi_token: the line's CSI token, a string; valid for one hour.
        :param session_id: the session's id, a string; None for the cookie's, with
            ``cookie_auto``.
        :returns: a Future of a SessionInfo: ``number``, ``now``; ``session_id`` of a new session.
        """
        session_id, callback = split_callback(session_id, callback)
        if session_id is None:
            session_id = self._client.load_session_id()
        return self._client.restore(csi_token, session_id, callback)

    def destroy_session(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Destroy the session, then close the connection. Source: section Destroy session."""
        return self._client.destroy(callback)

    def session_exists(self) -> bool:
        """Return True if the cookie holds a session id for ``restore_session(csi_token)``.

        Without ``cookie_auto`` it is always False. Source: JavaScript SDK 1.1.
        """
        return self._client.load_session_id() is not None

    def close(self) -> None:
        """Close the connection. The server destroys the session after five minutes.

        It returns within two seconds, from any thread and in any state. Pending commands fail
        with ConnectionClosed. Events already received are handled first, as time permits, and
        after that no handler starts. With ``dispatch``, it waits only for the handler that runs:
        the others need your loop. There is no ``disconnected``, and nothing is restored. The CTI
        can open another session later.

        In a signal handler or ``__del__`` that interrupted the SDK, it begins to close and returns
        at once. In a forked child it does nothing.
        """
        self._client.close()

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait until the session is closed, destroyed or lost, as an open web page would.

        After a drop without ``token_provider``, it returns at once if no handler was called for
        ``disconnected``. Otherwise it goes on until ``close()`` or its timeout, because the
        program may open another session, for example on a timer.

        With ``dispatch="manual"``, the handlers run in this call. Ctrl-C closes the connection and
        raises KeyboardInterrupt.

        :param timeout: maximum seconds; None for no limit.
        :returns: False if the timeout was over first.
        :raises RuntimeError: called in a handler, which would wait for itself.
        """
        return self._client.wait(timeout)

    def poll(self, timeout: float = 0) -> int:
        """Run the due handlers and callbacks on this thread; for ``dispatch="manual"``.

        :param timeout: maximum seconds to wait for the first.
        :returns: the number of events and callbacks that were handled.
        :raises RuntimeError: the option ``dispatch`` is not ``"manual"``.
        """
        return self._client.poll(timeout)

    def __enter__(self) -> "CTI":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    @property
    def connected(self) -> bool:
        """True if a session is open. Source: section Attributes."""
        return self._client.connected

    @property
    def transport(self) -> Optional[str]:
        """The transport: ``websocket``, ``xhr-streaming``, ``xhr-polling``; None if not connected.
        """
        return self._client.transport

    @property
    def number(self) -> Optional[str]:
        """The line's number in international format, or None before the first session."""
        return self._client.session.number

    @property
    def session_id(self) -> Optional[str]:
        """The session's id, a secret, or None without a session."""
        return self._client.session.session_id

    # Line.

    def dial(self, number: str, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Call a number from the line's telephone. Source: section Dial number.

        :param number: string in international format, such as ``"33172587948"``. It is sent as
            it is; if the server refuses it, ``err.hint`` says how to write it.
        """
        return self._client.ask(wire.dial, (number,), callback)

    def send_message(
        self, number: str, message: str, callback: Optional[Callback[int]] = None
    ) -> "Future[int]":
        """Send a SIP message. Source: section Send message.

        :param number: the recipient's number in international format, a string.
        :param message: the text.
        """
        return self._client.ask(wire.send_message, (number, message), callback)

    def subscribe(self, number: str, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Subscribe to the calls of another line too. Source: section Subscribe.

        :param number: a line of the same organisation, a string in international format, or
            ``"callpark"`` for the parked calls.
        """
        return self._client.ask(wire.subscribe, (number,), callback)

    def unsubscribe(self, number: str, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Cancel a subscription. Source: section Unsubscribe.

        :param number: as for ``subscribe``.
        """
        return self._client.ask(wire.unsubscribe, (number,), callback)

    def get_subscriptions(
        self, callback: Optional[Callback[Subscriptions]] = None
    ) -> "Future[Subscriptions]":
        """Request the session's subscriptions. Source: section Get subscriptions.

        :returns: a Future of Subscriptions: ``numbers``, a list of strings.
        """
        return self._client.ask(wire.get_subscriptions, (), callback)

    def set_auto_answer(
        self, auto_answer: bool, callback: Optional[Callback[int]] = None
    ) -> "Future[int]":
        """Turn auto-answer on or off. Source: section Set auto-answer's state.

        With it, the line's telephone answers by itself a call that is made or transferred for it.

        :param auto_answer: True or False, for the whole session.
        """
        return self._client.ask(wire.set_auto_answer, (auto_answer,), callback)

    def get_auto_answer(
        self, callback: Optional[Callback[AutoAnswer]] = None
    ) -> "Future[AutoAnswer]":
        """Request the setting of ``set_auto_answer``. Source: section Get auto-answer's state.

        :returns: a Future of an AutoAnswer: ``auto_answer``, True or False.
        """
        return self._client.ask(wire.get_auto_answer, (), callback)

    def int_to_local(
        self, number: str, callback: Optional[Callback[ConvertedNumber]] = None
    ) -> "Future[ConvertedNumber]":
        """Convert a number to its national form. Source: JavaScript SDK 1.1.

        :param number: string in international format.
        :returns: a Future of a ConvertedNumber: ``number``, as it is dialled in its country.
        """
        return self._client.ask(wire.int_to_local, (number,), callback)

    def local_to_int(
        self, number: str, callback: Optional[Callback[ConvertedNumber]] = None
    ) -> "Future[ConvertedNumber]":
        """Convert a number to international format. Source: JavaScript SDK 1.1.

        :param number: string, as it is dialled in its country.
        :returns: a Future of a ConvertedNumber: ``number``.
        """
        return self._client.ask(wire.local_to_int, (number,), callback)

    def ping(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Ping the server. Source: JavaScript SDK 1.1."""
        return self._client.ask(wire.ping, (), callback)

    # Calls.

    def get_calls(self) -> List[Call]:
        """Return the known calls, active and ended, the last notified last.

        Source: section Get calls.
        """
        return Calls(self._client.calls().all())

    def get_call(self, callref: str) -> Optional[Call]:
        """Return a call, or None if it is unknown. Source: section Get call.

        :param callref: the call's identifier.
        """
        calls, key = self._client.calls(), as_key(callref)
        return None if key is None else calls.get(key)

    def __repr__(self) -> str:
        return overview.describe(self._client)

    def _repr_html_(self) -> str:
        return overview.render(self._client)


class Keyyo:
    """JavaScript's namespace: ``Keyyo.CTI(options)``."""

    CTI = CTI
