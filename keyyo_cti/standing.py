"""What a session was asked to keep at the server, for the one that may have to replace it."""

from typing import Any, Dict, List, Optional

from . import commands
from .commands import Command
from .results import Result


class StandingOrders:
    """The subscriptions and the auto-answer of a session, as the server confirmed them.

    Written by the thread that reads the server's answers.

    :ivar auto_answer: what was set; None for the server's default, or when nobody knows.
    """

    def __init__(self) -> None:
        self.auto_answer: Optional[bool] = None
        # number -> whether it is subscribed to. One that was given up is remembered too, because
        # a new session is subscribed to its own line.
        self._numbers: Dict[str, bool] = {}
        self._owed: List[Command] = []

    def heed(self, command: Command, result: Any) -> None:
        """Takes note of a command that the server has carried out."""
        fields = command.fields
        if command.action == "subscribe":
            self._numbers[fields["number"]] = True
        elif command.action == "unsubscribe":
            self._numbers[fields["number"]] = False
        elif command.action == "set_auto_answer":
            self.auto_answer = fields["auto_answer"]
        elif command.action == "create_session":
            self._numbers, self._owed = {}, []
            self.auto_answer = fields.get("auto_answer")
        elif isinstance(result, Result):
            self._learn(command.action, result)

    def renew(self, number: Optional[str]) -> None:
        """There is a new session, to which all of it is owed, but for the auto-answer, which it
        was created with.

        :param number: its line's, to which it is subscribed from the start.
        """
        self._owed = [
            commands.subscribe(each) if wanted else commands.unsubscribe(each)
            for each, wanted in self._numbers.items()
            if wanted != (each == number)
        ]

    def owed(self) -> Optional[Command]:
        """What the session is to be asked next, or None."""
        return self._owed[0] if self._owed else None

    def answered(self, command: Command) -> None:
        """The server has answered what was owed, be it with a refusal."""
        self._owed = [each for each in self._owed if each is not command]

    def _learn(self, action: str, result: Result) -> None:
        auto_answer, numbers = result.get("auto_answer"), result.get("numbers")
        if action == "get_auto_answer" and isinstance(auto_answer, bool):
            self.auto_answer = auto_answer
        elif action == "get_subscriptions" and isinstance(numbers, list):
            given_up = {each: False for each, wanted in self._numbers.items() if not wanted}
            listed = {each: True for each in numbers if isinstance(each, str) and each}
            self._numbers = {**given_up, **listed}
