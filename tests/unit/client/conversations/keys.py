"""What identifies numbers, as a client on Alice's line compares them."""

from types import SimpleNamespace
from typing import Any

from keyyo_cti._client.line_numbers import LineNumbers

_session: Any = SimpleNamespace(number="33199000001")

key_of = LineNumbers(_session, [{"csi": "33199000003", "short_number": "7703"}]).normalize
