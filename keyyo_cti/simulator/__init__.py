"""A Keyyo of one's own on loopback, to try and test everything without an account::

    from keyyo_cti.simulator import Simulator

    with Simulator() as sim:
        alice = sim.line("33199000001", name="Alice")
        token = sim.token(alice)             # give it to a client whose endpoint is sim.endpoint
        bob = sim.phone("33199020000")       # a telephone outside, in your hands
        bob.call(alice)
        alice.phone.wait_until("ringing")
        alice.phone.pick_up()
        bob.hang_up()

The same port serves OAuth2 and the Manager API, at ``sim.authorize_url``, ``sim.token_url`` and
``sim.manager_url``. ``sim.oauth2_application`` registers an application; ``sim.consent(url)``
plays the owner of the account, who opens the consent page and clicks; ``sim.account_tokens()``
gives what one gets in the end. ``sim.grant_only(scopes)`` grants less than what is asked for.

Every SockJS transport is there, or those of ``Simulator(transports=["xhr-polling"])``;
``sim.connections()`` shows which one each client is on. ``Simulator(tls=True)`` serves https with
a certificate made on the spot, and ``sim.ca_certs`` is the authority to trust.

Faults are at ``sim.faults``. Time can be moved by hand: ``Simulator(clock=ManualClock())`` and
``sim.elapse(300)``. A server that follows a script of your own is a handler on
`keyyo_cti.simulator.sockjs.Endpoint`, run by `keyyo_cti.simulator.serving.ServerThread`.

What is assumed of Keyyo, where no document says
------------------------------------------------

Connections
    - It answers to IP addresses, names without a dot, such as localhost, and ``allowed_hosts``;
      another ``Host`` is a 421. Only pages of loopback addresses and of those names read its
      answers with cookies.
    - The server is like sockjs-node 0.3.24, with "websocket", "xhr-streaming" and "xhr-polling",
      and no other transport.
    - Heartbeats are frames, on a websocket too. There is one every 25 seconds (``heartbeat``).
    - Who receives over HTTP has left after five seconds away (``disconnect_delay``), or as soon as
      the TCP connection of a receiver breaks.
    - The HTTP transports set the cookie ``JSESSIONID`` (``jsessionid``), and do not miss it.

Commands
    - A message without a positive integer ``id`` is ignored, even if its action is known.
    - Without ``action``: the error of a missing parameter. An unknown action: "Cannot treat
      action".
    - A command on a connection without a session is refused with 401 "Unknown session_id",
      before its fields are looked at; then missing fields, then wrong ones, then the line.
    - A number is a string of 2 to 15 digits. An invite timer is at most a day.
    - ``protocol_version`` may be left out; another one than 1 is refused as invalid.
    - What a command changes is notified before the command is answered; what is told again on
      ``restore_session`` and on ``subscribe("callpark")`` comes after the answer.

Sessions
    - A restore with a token of another line: 401 "Unknown session_id".
    - A connection that opens a second session leaves the first one, as if it had closed.
    - A restored session is told the calls that go on at its numbers (``replay_on_restore``); a
      created one, and a new subscription to a number, are not.
    - ``destroy_session`` is answered, and then every connection of the session is closed by a
      SockJS close frame (3000, "Go away!").
    - Subscribing is for lines of the account with the same organisation, and for "callpark"; any
      other number is refused as invalid. One may unsubscribe from anything, the own line too.
    - The CTI plugin counts twice: a session created while it is disabled never commands, and
      none does while it is disabled. Notifications come all the same.
    - Without the plugin or without a registered telephone, these are refused with "Cannot treat
      action": dialling, messages, and everything that has a ``call_ref``.
    - A session may act on the calls that it is notified of and on those of its own line; other
      call references are as good as unknown: "Cannot treat action".

Calls
    - Dialling without auto-answer: the line's own telephone rings first, and the call is placed,
      and notified, when it is picked up. If it is not, nothing was.
    - A number that nobody has is an outside telephone that rings and that nobody picks up.
    - An outside telephone has one call at a time; busy, the new call is missed at once. A line
      takes several, which all can talk: holding is not modelled. Calling oneself is busy.
    - A line without a registered telephone misses a call at once.
    - An unanswered call rings for ever, unless there is a ``ring_timeout``.
    - Only the called line itself answers and rejects. Rejected, a call is missed; that the
      caller then talks to the voicemail is not shown.
    - Hanging up ends a call for both parties, in any state.

Transfers
    - Transfers, merging and parking need parties that talk: picked up, not parked.
    - ``transfer_call`` releases the call, and the transferred party calls the new recipient.
    - ``supervised_transfer_call`` is a second call from the party that stays; picked up, it is
      merged with the first. Unanswered in time, busy, or with the first call ended, it is
      missed. If the first call was parked meanwhile, both go on. Auto-answer plays no part.
    - ``merge_call`` releases both calls and a new one, connected from the start, joins the two
      parties; the first call's party is its caller.
    - Connecting a party to itself, or a call to itself, is refused as invalid.

The callpark
    - Slots are "1" to ``park_slots``, and one named after each line's number for ``pause_call``,
      which parks the other party. A number that is no slot is invalid; a slot in use, or no free
      one, is "Cannot treat action".
    - A parked call stays "CONNECT" and keeps both numbers, but its other party is free: that
      telephone is idle. The parked one can hang up.
    - ``unpark_call`` puts the session's line in the place of the party that was let go, under
      the same callref, without ringing. That the slot is empty again shows by the absence of
      ``callpark_slot``; an ended call has none either. "callpark" is notified of both.

Numbers
    - ``get_int_to_local_numbers`` turns 33XXXXXXXXX into 0XXXXXXXXX, ``get_local_to_int_number``
      the other way; it also drops a leading 00 and knows the short numbers of lines. Any other
      number comes back as it is.

OAuth2
    - There is no login: the visitor of the consent page owns the account, which has every line.
    - The consent page takes a form only with the token that it has put into it.
    - A redirect URI is compared as a whole. With an unknown one, or an unknown application, there
      is an error page (400) and no redirect.
    - Everything else goes back to the redirect URI with the ``state``: the ``code``, or an
      ``error``, which is "access_denied" when the visitor refuses.
    - ``scopes`` is separated by commas, ``scope`` is ignored. Without ``scopes``, an application
      gets what it was registered with: by default "full_access_read_only" alone.
    - Without a ``state``: "invalid_request". An exchange needs ``code``, ``redirect_uri`` and
      ``state``, as they were; a refresh needs ``redirect_uri``, one of the application's.
    - PKCE is optional, and by "S256" only; a code that was asked for with a ``code_challenge``
      needs its ``code_verifier``, and no other code takes one.
    - Everything that is asked for is granted, unless ``grant_only`` says less. An answer's
      ``scope`` has full names with blanks between.
    - A code is good once, for a minute, and for its own application and redirect URI. The tokens
      that it gave go on when it is tried again.
    - The client's credentials may also come by HTTP Basic. Wrong ones: 401 "invalid_client"; every
      other error is a 400.
    - A refresh token never runs out by itself. A refresh gives a new one in its place, or none
      (``rotate_refresh_tokens``), leaves older access tokens as they are, and gives the same
      scopes again.

Manager
    - The CSI of a line is its number, as a string.
    - Reading needs "full_access_read_only", or "full_access", and every POST "cti_admin".
    - A refusal has its reason in ``X-Status-Reason``, and as ``message`` of a JSON object. The
      token is looked at first (401), then its scope (403), then the address (404, 405), then the
      fields (400).
    - Links are absolute. A page has 50 items (``page_size``); ``limit`` can ask for fewer, not for
      more.
    - The account also has a mailbox and a fax, which are no lines. ``type`` is always ignored.
    - A line has the CTI plugins "websocket" and "custom". ``enabled`` is a JSON boolean; what is
      posted is 1 or 0, and the answer is the plugin as it is then.
    - The domain masks of a CSI token are repeated and never checked. Older tokens go on.
    - A registered telephone is one ``SIPRecord``, with a ``user_agent`` and two addresses.
    - There is no quota: 429 comes only as a fault.
"""

from __future__ import annotations

try:
    import aiohttp  # noqa: F401
except ImportError as error:
    from .._display.extras import install_hint

    raise ImportError(f"the simulator needs aiohttp: {install_hint('simulator')}") from error

from .calls import CallRecord
from .clients import ConnectionSnapshot, Passage
from .clock import ManualClock
from .errors import NotPossible
from .exchange import Message
from .faults import Faults
from .oauth2 import DEFAULT_APPLICATION, Application
from .phones import Line, Phone
from .server import Simulator
from .sessions import SessionSnapshot

__all__ = [
    "Application",
    "CallRecord",
    "ConnectionSnapshot",
    "DEFAULT_APPLICATION",
    "Faults",
    "Line",
    "ManualClock",
    "Message",
    "NotPossible",
    "Passage",
    "Phone",
    "SessionSnapshot",
    "Simulator",
]
