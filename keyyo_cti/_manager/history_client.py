"""The part of ``ManagerClient`` for the history of calls."""

import contextlib
import hashlib
import json
import logging
from typing import Any, Callable, Iterator, List, Optional, Tuple

from .._net import hal
from ..call_history import CallRecord, HistoryDirection, read_record
from ..errors import invalid_params
from .api import Api
from .paths import of_line
from .period import Moment, Period, Window, make_window, read_period
from .record_sorter import RecordSorter
from .refusals import make_unreadable_error

_log = logging.getLogger("keyyo_cti")

_PATHS = {"in": "incoming_call_detail", "out": "outgoing_call_detail"}

_DIRECTIONS: Tuple[HistoryDirection, ...] = ("in", "out")

_PAGE_SIZE = 500

#: Days of the first request. Each window is sorted as a whole before its first record is returned.
_WINDOW_DAYS = 35

#: Pages of one window in one direction: ten million calls.
_MAX_PAGES = 20_000

#: Pages in a row that only repeat earlier ones. A few may, when records come in between.
_MAX_REPEATED_PAGES = 3


class HistoryClient:
    """The history of the account's calls."""

    _api: Api
    _wall: Callable[[], float]

    def history(
        self,
        csi: Optional[str],
        since: Moment,
        until: Optional[Moment] = None,
        direction: Optional[HistoryDirection] = None,
        *,
        all_units: bool = False,
    ) -> Iterator[CallRecord]:
        """Return an iterator over recorded calls, the newest last.

        It sends requests while you iterate, and needs little memory however many records come.
        Each call comes once in each direction: a call that is recorded in parts comes as the
        longest of them. A call between two lines of the account is incoming for one and outgoing
        for the other. Keyyo records a call some time after its end, and keeps it for a while only.

        Source: ``GET /services/<csi>/incoming_call_detail`` and ``outgoing_call_detail``.

        :param csi: the line's CSI; None for all lines of the account.
        :param since: the earliest start of a call: a datetime with a time zone, or Unix seconds.
        :param until: the first moment that is too late; None for no end.
        :param direction: ``"in"`` or ``"out"``; None for both.
        :param all_units: True to include messages and data.
        :raises KeyyoError: an argument has a wrong value. While you iterate, as for ``lines``.
        """
        if direction not in (None, *_DIRECTIONS):
            raise invalid_params("direction", "expected 'in', 'out' or None")
        paths = [
            (each, of_line(csi, _PATHS[each]))
            for each in _DIRECTIONS if direction in (None, each)
        ]
        period = read_period(since, until, self._wall())
        return self._iterate(csi, period, paths, all_units)

    def _iterate(
        self,
        csi: Optional[str],
        period: Period,
        paths: List[Tuple[HistoryDirection, str]],
        all_units: bool,
    ) -> Iterator[CallRecord]:
        days = _WINDOW_DAYS
        while period.since < period.until:
            window = make_window(period, days)
            with contextlib.closing(RecordSorter()) as sorter:
                for direction, path in paths:
                    for fields in self._items(path, window):
                        record = read_record(fields, csi, direction)
                        if record is None:
                            _log.debug("a record of the history has no date: %s", list(fields))
                        elif _belongs(record, window.period, all_units):
                            sorter.add(record)
                count = 0
                for direction, stored in sorter.sorted():
                    whole = read_record(stored, csi, direction)
                    assert whole is not None  # The same fields had a date before.
                    yield whole
                    count += 1
            # Otherwise years without calls would take hundreds of requests.
            days = days * 2 if count < _PAGE_SIZE else _WINDOW_DAYS
            period = period._replace(since=window.period.until)

    def _items(self, path: str, window: Window) -> Iterator[hal.Document]:
        """Yield the items of all pages of a window.

        :raises ManagerError: the pages only repeat themselves.
        """
        parameters = {
            "date_start": window.date_start,
            "date_end": window.date_end,
            "limit": str(_PAGE_SIZE),
        }
        seen = set()
        repeated = 0
        for items in self._api.stream(path, parameters, _MAX_PAGES):
            digest = _digest(items)
            repeated = repeated + 1 if digest in seen else 0
            if repeated > _MAX_REPEATED_PAGES:
                raise make_unreadable_error("its pages repeat")
            seen.add(digest)
            yield from items


def _belongs(record: CallRecord, period: Period, all_units: bool) -> bool:
    """Return True if a record is in the period, and a call if only calls are wanted."""
    within = period.since <= record.start_time < period.until
    return within and (all_units or record.is_call)


def _digest(items: Any) -> bytes:
    """Return the same bytes for pages with the same items."""
    return hashlib.sha256(json.dumps(items).encode("ascii")).digest()
