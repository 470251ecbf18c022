"""What a Manager reads beside lines and settings for CTI: history, contacts and profiles."""

from concurrent.futures import Future
from functools import partial
from typing import Any, List, Optional, overload

from .._directory.contact import Contact
from .._manager.period import Moment
from ..call_history import CallRecord, HistoryDirection
from ..results import ProfileInfo
from .background import BackgroundClient
from .callback import Callback, split_callback


class ManagerAdditions(BackgroundClient):
    """The part of Manager for history, contacts and profiles.

    :ivar client: the ManagerClient.
    """

    client: Any

    @overload
    def history(
        self,
        csi: Optional[str],
        since: Moment,
        callback: Optional[Callback[List[CallRecord]]] = None,
        /,
    ) -> "Future[List[CallRecord]]": ...

    @overload
    def history(
        self,
        csi: Optional[str],
        since: Moment,
        until: Optional[Moment] = None,
        direction: Optional[HistoryDirection] = None,
        callback: Optional[Callback[List[CallRecord]]] = None,
        *,
        all_units: bool = False,
    ) -> "Future[List[CallRecord]]": ...

    def history(
        self,
        csi: Optional[str],
        since: Moment,
        until: Any = None,
        direction: Any = None,
        callback: Any = None,
        *,
        all_units: bool = False,
    ) -> "Future[List[CallRecord]]":
        """Request recorded calls, the newest last. See ``ManagerClient.history``.

        The result is a list, so that a callback does not wait for the network. For more records
        than fit into memory, iterate over ``client.history(...)`` in a thread of your own. Other
        requests of this Manager wait meanwhile.

        :param csi: the line's CSI; None for all lines of the account.
        :param since: the earliest start of a call: a datetime with a time zone, or Unix seconds.
        :param until: the first moment that is too late; None for no end.
        :param direction: ``"in"`` or ``"out"``; None for both.
        :param all_units: True to include messages and data.
        """
        until, callback = split_callback(until, callback)
        direction, callback = split_callback(direction, callback)

        def history() -> List[CallRecord]:
            return list(self.client.history(csi, since, until, direction, all_units=all_units))

        return self._background.ask(history, callback)

    def contacts(
        self, callback: Optional[Callback[List[Contact]]] = None
    ) -> "Future[List[Contact]]":
        """Request the contacts of the account's directory. See ``ManagerClient.contacts``."""
        return self._background.ask(self.client.contacts, callback)

    def profiles(
        self, csi: str, callback: Optional[Callback[List[ProfileInfo]]] = None
    ) -> "Future[List[ProfileInfo]]":
        """Request the profiles of a line. See ``ManagerClient.profiles``.

        :param csi: the line's CSI.
        """
        return self._background.ask(partial(self.client.profiles, csi), callback)

    @overload
    def force_profile(
        self, csi: str, identifier: str, callback: Optional[Callback[ProfileInfo]] = None, /
    ) -> "Future[ProfileInfo]": ...

    @overload
    def force_profile(
        self,
        csi: str,
        identifier: str,
        forced: bool = True,
        callback: Optional[Callback[ProfileInfo]] = None,
    ) -> "Future[ProfileInfo]": ...

    def force_profile(
        self, csi: str, identifier: str, forced: Any = True, callback: Any = None
    ) -> "Future[ProfileInfo]":
        """Put a profile in force until further notice. See ``ManagerClient.force_profile``.

        :param csi: the line's CSI.
        :param identifier: of the profile.
        :param forced: False ends it.
        """
        forced, callback = split_callback(forced, callback)
        forced = True if forced is None else forced
        return self._background.ask(
            partial(self.client.force_profile, csi, identifier, forced), callback)
