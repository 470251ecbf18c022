"""The number of requests to one account at the same time."""

import weakref
from typing import Any, Tuple

from .._net import process
from .._net.throttle import ConnectThrottle

#: Requests of one account at the same time. Keyyo answers more of them with 429.
MAX_CONCURRENT = 6

#: Maximum seconds that a request waits for its turn: more than a hundred timeouts of requests.
MAX_WAIT = 3600.0

#: By the account. An entry lives as long as a client of the account.
_limits: "weakref.WeakValueDictionary[Tuple[str, Any], ConnectThrottle]" = (
    weakref.WeakValueDictionary()
)


def limit_of(account: Any, base_url: str) -> ConnectThrottle:
    """Return the limit that all clients of an account share in this process.

    :param account: the source of access tokens. Its ``key`` tells which of them are of the same
        account; without a key, it shares its limit with no other one.
    """
    key = base_url, getattr(account, "key", None) or id(account)
    # No lock: two threads that come first at once agree, because setdefault returns one of both.
    return _limits.setdefault(key, ConnectThrottle(MAX_CONCURRENT))


def _forget() -> None:
    for limit in list(_limits.values()):
        limit.forget()


process.run_in_child(_forget)
