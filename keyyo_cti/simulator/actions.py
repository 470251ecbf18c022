"""The actions of the protocol: their fields, their effects and their errors."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional

from .callpark import CallPark
from .calls import Call
from .clients import Client
from .clock import Clock
from .commands import (
    Check,
    Command,
    Fields,
    check_fields,
    is_flag,
    is_integer,
    is_invite_timer,
    is_side,
    is_string,
    is_subscription,
    is_text,
    is_version,
)
from .constants import ANY_SLOT, CALLPARK
from .errors import (
    CANNOT_TREAT,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    UNKNOWN_SESSION,
    NotPossible,
    Refusal,
    Refused,
    WrongValue,
)
from .exchange import Exchange, Subscriber
from .numbers import is_number, to_international, to_local
from .sessions import Session, Sessions, Tokens
from .transfers import Transfers

log = logging.getLogger("keyyo_cti.simulator")

SUCCESS = 1


def refuse(client: Client, command: Command, refusal: Refusal) -> None:
    """Reply to a command with an error."""
    client.send({"id": command.id, "error": refusal._asdict()})


class ResultThen(NamedTuple):
    """A result, and a callback that runs after it is sent."""

    result: Any
    then: Callable[[], None]


class Actions:
    """The actions of the service, performed for clients.

    :param exchange: holds the calls.
    :param callpark: holds the parked calls.
    :param sessions: holds every session.
    :param tokens: holds every CSI token.
    :param clock: returns the server's time in Unix seconds.
    :param replay_on_restore: True if a restored session is notified of its live calls.
    """

    def __init__(
        self,
        exchange: Exchange,
        callpark: CallPark,
        sessions: Sessions,
        tokens: Tokens,
        clock: Clock,
        *,
        replay_on_restore: bool = True,
    ) -> None:
        self._exchange = exchange
        self._callpark = callpark
        self._transfers = Transfers(exchange)
        self._sessions = sessions
        self._tokens = tokens
        self._clock = clock
        self._replay_on_restore = replay_on_restore

    def perform(self, client: Client, command: Command) -> None:
        """Perform a command and reply to it.

        An unexpected exception is logged and becomes the reply "Internal error".
        """
        then: Optional[Callable[[], None]] = None
        try:
            result = self._result(client, command)
            if isinstance(result, ResultThen):
                result, then = result
        except Refused as error:
            refuse(client, command, error.refusal)
        except NotPossible as error:
            log.debug("cannot treat an action of %s: %s", client.number, error)
            refuse(client, command, CANNOT_TREAT)
        except WrongValue as error:
            log.debug("invalid parameters from %s: %s", client.number, error)
            refuse(client, command, INVALID_PARAMS)
        except Exception:
            log.exception("an action failed")
            refuse(client, command, INTERNAL_ERROR)
        else:
            client.send({"id": command.id, "result": result})
            if then:
                then()

    def leave(self, client: Client) -> None:
        """Remove a client from its session, which has one connection less."""
        session, client.session = client.session, None
        if session:
            self._sessions.close(session)

    def _result(self, client: Client, command: Command) -> Any:
        action = ACTIONS.get(command.action)
        if action is None:
            raise Refused(CANNOT_TREAT)
        if action.in_session and client.session is None:
            raise Refused(UNKNOWN_SESSION)
        check_fields(command.fields, action.required, action.optional)
        if action.on_line:
            self._require_line(client)
        return action.perform(self, client, command.fields)

    def _require_line(self, client: Client) -> None:
        line = self._line(client)
        allowed = _session(client).commands_allowed and line.plugin_enabled
        if not allowed or not line.phone_registered:
            raise Refused(CANNOT_TREAT)

    def _line(self, client: Client) -> Subscriber:
        return self._exchange.get_subscriber(_session(client).number)

    # Sessions

    def create_session(self, client: Client, fields: Fields) -> Any:
        number = self._tokens.check(fields["token"])
        enabled = self._exchange.get_subscriber(number).plugin_enabled
        session = self._sessions.create(number, fields.get("auto_answer", True), enabled)
        self._join(client, session)
        return {**self._describe_session(session), "session_id": session.id}

    def restore_session(self, client: Client, fields: Fields) -> Any:
        number = self._tokens.check(fields["token"])
        session = self._sessions.restore(fields["session_id"], number)
        self._join(client, session)
        return ResultThen(self._describe_session(session), lambda: self._replay(client, session))

    def _join(self, client: Client, session: Session) -> None:
        # The restore has counted this connection already, so that leaving here does not reach
        # zero. Otherwise a client that restores its own session would start the timer.
        self.leave(client)
        client.session = session

    def _describe_session(self, session: Session) -> Fields:
        return {"number": session.number, "now": int(self._clock())}

    def _replay(self, client: Client, session: Session) -> None:
        if self._replay_on_restore:
            for call in self._exchange.get_live_calls():
                if session.subscribes_to(call.record.audience):
                    client.notify(call.record)

    def destroy_session(self, client: Client, fields: Fields) -> Any:
        session = _session(client)
        return ResultThen(SUCCESS, lambda: self._sessions.destroy(session))

    def subscribe(self, client: Client, fields: Fields) -> Any:
        number = fields["number"]
        if number != CALLPARK:
            line = self._exchange.find_line(number)
            if line is None or line.organisation != self._line(client).organisation:
                raise Refused(INVALID_PARAMS)
            number = line.number
        _session(client).subscribe(number)
        if number == CALLPARK:
            return ResultThen(SUCCESS, lambda: self._notify_parked(client))
        return SUCCESS

    def _notify_parked(self, client: Client) -> None:
        for call in self._callpark.get_parked():
            client.notify(call.record)

    def unsubscribe(self, client: Client, fields: Fields) -> Any:
        line = self._exchange.find_line(fields["number"])
        _session(client).unsubscribe(line.number if line else fields["number"])
        return SUCCESS

    def get_subscriptions(self, client: Client, fields: Fields) -> Any:
        return {"numbers": _session(client).subscriptions}

    def set_auto_answer(self, client: Client, fields: Fields) -> Any:
        _session(client).auto_answer = fields["auto_answer"]
        return SUCCESS

    def get_auto_answer(self, client: Client, fields: Fields) -> Any:
        return {"auto_answer": _session(client).auto_answer}

    def ping(self, client: Client, fields: Fields) -> Any:
        return SUCCESS

    # The line

    def dial(self, client: Client, fields: Fields) -> Any:
        self._exchange.dial(
            self._line(client), fields["number"], auto_answer=_session(client).auto_answer)
        return SUCCESS

    def send_message(self, client: Client, fields: Fields) -> Any:
        self._exchange.deliver(_session(client).number, fields["number"], fields["message"])
        return SUCCESS

    def int_to_local(self, client: Client, fields: Fields) -> Any:
        return {"number": to_local(fields["number"])}

    def local_to_int(self, client: Client, fields: Fields) -> Any:
        line = self._exchange.find_line(fields["number"])
        return {"number": line.number if line else to_international(fields["number"])}

    # Calls

    def answer(self, client: Client, fields: Fields) -> Any:
        self._exchange.connect(self._incoming(client, fields))
        return SUCCESS

    def reject(self, client: Client, fields: Fields) -> Any:
        self._exchange.end(self._incoming(client, fields))
        return SUCCESS

    def terminate(self, client: Client, fields: Fields) -> Any:
        self._exchange.end(self._call(client, fields["call_ref"]))
        return SUCCESS

    def transfer(self, client: Client, fields: Fields) -> Any:
        call = self._call(client, fields["call_ref"])
        self._transfers.transfer(call, fields["side"], fields["to"])
        return SUCCESS

    def supervised_transfer(self, client: Client, fields: Fields) -> Any:
        call = self._call(client, fields["call_ref"])
        self._transfers.supervised_transfer(
            call, fields["side"], fields["to"], fields.get("invite_timer", 0))
        return SUCCESS

    def merge(self, client: Client, fields: Fields) -> Any:
        first = self._call(client, fields["call_ref"])
        second = self._call(client, fields["call_ref2"])
        self._transfers.merge(first, fields["side"], second, fields["side2"])
        return SUCCESS

    def pause(self, client: Client, fields: Fields) -> Any:
        self._callpark.pause(self._call(client, fields["call_ref"]), self._line(client))
        return SUCCESS

    def park(self, client: Client, fields: Fields) -> Any:
        call = self._call(client, fields["call_ref"])
        self._callpark.park(call, fields["side"], fields.get("slot", ANY_SLOT))
        return SUCCESS

    def unpark(self, client: Client, fields: Fields) -> Any:
        self._callpark.unpark(self._call(client, fields["call_ref"]), self._line(client))
        return SUCCESS

    def _call(self, client: Client, callref: str) -> Call:
        """Return the call if the client's session may act on it."""
        call = self._exchange.find_call(callref)
        session = _session(client)
        if not call.involves(session.number) and not session.subscribes_to(call.record.audience):
            raise NotPossible(f"a session of {session.number} may not act on {callref}")
        return call

    def _incoming(self, client: Client, fields: Fields) -> Call:
        call = self._call(client, fields["call_ref"])
        if not call.ringing or call.record.callee != _session(client).number:
            raise NotPossible(
                f"{call.record.callref} does not ring on {_session(client).number}")
        return call


def _session(client: Client) -> Session:
    assert client.session is not None  # otherwise perform() has refused the command
    return client.session


Perform = Callable[[Actions, Client, Fields], Any]


@dataclass(frozen=True)
class Action:
    """The rules of one action.

    :param perform: performs it and returns the result.
    :param required: the required fields, each with its check.
    :param optional: the optional fields, each with its check.
    :param in_session: True if it is refused on a connection without a session.
    :param on_line: True if it is refused when the line has no plugin or no telephone.
    """

    perform: Perform
    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)
    in_session: bool = True
    on_line: bool = False


def _make_session_action(perform: Perform, **more: Check) -> Action:
    optional = {"auto_answer": is_flag, "protocol_version": is_version}
    return Action(perform, {"token": is_string, **more}, optional, in_session=False)


def _make_number_action(perform: Perform, check: Check = is_number) -> Action:
    return Action(perform, {"number": check})


def _make_call_action(
    perform: Perform, *, optional: Mapping[str, Check] = {}, **more: Check
) -> Action:
    return Action(perform, {"call_ref": is_string, **more}, optional, on_line=True)


ACTIONS: Dict[str, Action] = {
    "create_session": _make_session_action(Actions.create_session),
    "restore_session": _make_session_action(Actions.restore_session, session_id=is_string),
    "destroy_session": Action(Actions.destroy_session),
    "subscribe": _make_number_action(Actions.subscribe, is_subscription),
    "unsubscribe": _make_number_action(Actions.unsubscribe, is_subscription),
    "get_subscriptions": Action(Actions.get_subscriptions),
    "set_auto_answer": Action(Actions.set_auto_answer, {"auto_answer": is_flag}),
    "get_auto_answer": Action(Actions.get_auto_answer),
    "ping": Action(Actions.ping),
    "get_int_to_local_numbers": _make_number_action(Actions.int_to_local),
    "get_local_to_int_number": _make_number_action(Actions.local_to_int),
    "call": Action(Actions.dial, {"number": is_number}, on_line=True),
    "send_message": Action(
        Actions.send_message, {"number": is_number, "message": is_text}, on_line=True),
    "answer_call": _make_call_action(Actions.answer),
    "reject_call": _make_call_action(Actions.reject),
    "terminate_call": _make_call_action(Actions.terminate),
    "transfer_call": _make_call_action(Actions.transfer, side=is_side, to=is_number),
    "supervised_transfer_call": _make_call_action(
        Actions.supervised_transfer, side=is_side, to=is_number,
        optional={"invite_timer": is_invite_timer}),
    "merge_call": _make_call_action(
        Actions.merge, side=is_side, call_ref2=is_string, side2=is_side),
    "pause_call": _make_call_action(Actions.pause),
    "park_call": _make_call_action(Actions.park, side=is_side, optional={"slot": is_integer}),
    "unpark_call": _make_call_action(Actions.unpark),
}
