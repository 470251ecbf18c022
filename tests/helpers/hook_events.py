"""Events of calls, as commands and webhooks get them."""

from typing import Any

from keyyo_cti._hooks.events import HookEvent

BOB, ALICE = "33199020000", "33199000001"


def make_event(event: str = "ring", **changes: Any) -> HookEvent:
    """An event of a call from Bob to Alice's line."""
    fields = dict(
        event=event, time=1_795_000_000.5, callref="call-1", state="SETUP", caller=BOB,
        callee=ALICE, direction="in", incoming=True, line=ALICE, other=BOB, hidden=False,
        name=None, line_name=None, ringing_duration=0, duration=0, setup_date=1_795_000_000.0,
        connect_date=None, release_date=None, is_first=True,
    )
    return HookEvent(**{**fields, **changes})
