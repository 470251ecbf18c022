"""What the call history tells ``keyyo-cti watch`` after a gap."""

from dataclasses import replace
from typing import List, Sequence

from .._display.telephone_number import parse_number
from ..call_history import CallRecord
from ..catch_up import CatchUp
from ..errors import KeyyoError
from .login_account import LoginAccount
from .session_config import SessionConfig

#: Minimum digits of a line's CSI. A shorter number is a short one, which has no history.
_MIN_DIGITS = 7


def add_catch_up(config: SessionConfig, also: Sequence[str]) -> SessionConfig:
    """Return a config whose CTI asks the history what happened in gaps.

    Without an account, which alone has a history, the config stays as it is.

    :param also: further numbers that are watched, as the user wrote them.
    """
    if config.account is None or config.csi is None:
        return config
    numbers = [parse_number(each, config.csi) for each in also]
    lines = [each for each in numbers if each.isdigit() and len(each) >= _MIN_DIGITS]
    history = WatchedLines(config.account, config.csi)
    return replace(config, catch_up=CatchUp(history, list(dict.fromkeys([config.csi, *lines]))))


class WatchedLines:
    """The history of the watched lines.

    :param csi: the line of the session.
    """

    def __init__(self, account: LoginAccount, csi: str) -> None:
        self._client = account.client
        self._csi = csi

    def history(self, csi: object, since: float, until: float, /) -> List[CallRecord]:
        """Return the calls of a line; none of a line that the account may not read.

        :raises KeyyoError: the history refused the line of the session, or did not answer.
        """
        try:
            return list(self._client.history(str(csi), since, until))
        except KeyyoError as error:
            if csi == self._csi or not error.final:
                raise
            return []
