"""A simulated Keyyo on loopback, for tests and demos without an account::

    from keyyo_cti.simulator import Simulator

    with Simulator() as sim:
        alice = sim.line("33199000001", name="Alice")
        token = sim.token(alice)             # for a client whose endpoint is sim.endpoint
        bob = sim.phone("33199020000")       # an outside telephone that the test operates
        bob.call(alice)
        alice.phone.wait_until("ringing")
        alice.phone.pick_up()
        bob.hang_up()

The same port serves OAuth2 and the Manager API, at ``sim.authorize_url``, ``sim.token_url`` and
``sim.manager_url``. ``sim.oauth2_application`` registers an application, ``sim.consent(url)``
answers the consent page, and ``sim.account_tokens()`` returns tokens without a consent page.
``sim.grant_only(scopes)`` limits the granted scopes. ``sim.contact("Example",
mobile_number="+33199020000")`` adds a contact to the directory of the account.

Every SockJS transport is served, or those of ``Simulator(transports=["xhr-polling"])``.
``sim.connections()`` lists the clients and their transports. ``Simulator(tls=True)`` serves https
with a new certificate, and ``sim.ca_certs`` is the CA to trust.

``sim.history`` holds the history of calls. ``sim.faults`` injects faults. With
``Simulator(clock=ManualClock())``, ``sim.elapse(300)`` moves the time. To script a server
yourself, write a handler for `keyyo_cti.simulator.sockjs.Endpoint` and run it in a
`keyyo_cti.simulator.serving.ServerThread`.

Assumptions about Keyyo where its documents say nothing
-------------------------------------------------------

Connections
    - The server accepts IP addresses, names without a dot, such as localhost, and
      ``allowed_hosts``. Another ``Host`` gets status 421. Only pages of loopback addresses and of
      those names can read responses with cookies.
    - The server behaves like sockjs-node 0.3.24, with "websocket", "xhr-streaming" and
      "xhr-polling", and no other transport.
    - Heartbeats are frames on every transport, one every 25 seconds (``heartbeat``).
    - An HTTP client has left after five seconds without a receiver (``disconnect_delay``), or at
      once when the TCP connection of a receiver breaks.
    - The HTTP transports set the cookie ``JSESSIONID`` (``jsessionid``) and do not require it.

Commands
    - A message without a positive integer ``id`` is ignored, even with a known action.
    - A command without ``action`` gets the error of a missing parameter. An unknown action gets
      "Cannot treat action".
    - The first failed check decides the error: the session (401 "Unknown session_id"), then
      missing fields, then wrong fields, then the line.
    - A number is a string of 2 to 15 digits. An invite timer is at most a day.
    - ``protocol_version`` is optional; any value but 1 is invalid.
    - Notifications of a command's effects precede its reply. The replays of
      ``restore_session`` and ``subscribe("callpark")`` follow it.

Sessions
    - A restore with a token of another line gets 401 "Unknown session_id".
    - A connection that opens a second session leaves the first one, as if it had closed.
    - A restored session is notified of the live calls at its numbers (``replay_on_restore``). A
      new session or subscription is not.
    - ``destroy_session`` gets its reply. Then a SockJS close frame (3000, "Go away!") ends every
      connection of the session.
    - A session can subscribe to lines of the account with the same organisation, and to
      "callpark"; any other number is invalid. It can unsubscribe from any number, its own line
      included.
    - A session commands only if the CTI plugin was enabled when it was created and is enabled
      now. Notifications do not depend on the plugin.
    - Without the plugin or a registered telephone, dialling, messages and every action with a
      ``call_ref`` get "Cannot treat action".
    - A session may act on calls of its line and of its subscriptions. Any other call reference
      gets "Cannot treat action", as an unknown one does.

Calls
    - Without auto-answer, dialling rings the line's own telephone first. Picking it up places the
      call and sends its first notification. Otherwise there is no call.
    - An unknown number is an outside telephone that rings and never answers.
    - An outside telephone has one call at a time; while it is busy, new calls are missed at once.
      A line takes several calls, which can all talk: holding is not simulated. A line that calls
      itself is busy.
    - A line without a registered telephone misses calls at once.
    - An unanswered call rings without end, unless there is a ``ring_timeout``.
    - Only the called line can answer or reject a call. A rejected call is missed; the caller's
      conversation with the voicemail is not simulated.
    - Hanging up ends a call for both parties, in any state.

Transfers
    - Transfers, merging and parking need parties that talk: connected and not parked.
    - ``transfer_call`` releases the call, and the transferred party calls the new recipient.
    - ``supervised_transfer_call`` places a second call from the remaining party. Picking it up
      merges it with the first call. It is missed if it times out, if the recipient is busy or if
      the first call ends. If the first call was parked meanwhile, both continue. Auto-answer has
      no effect.
    - ``merge_call`` releases both calls and creates a connected call between the two parties. The
      first call's party is its caller.
    - Connecting a party or a call to itself is invalid.

The callpark
    - Slots are "1" to ``park_slots``, and one named after each line's number for ``pause_call``,
      which parks the other party. A number that is not a slot is invalid. A taken slot, or no
      free slot, gets "Cannot treat action".
    - A parked call stays "CONNECT" and keeps both numbers, but its other party's telephone is
      idle. The parked party can hang up.
    - ``unpark_call`` puts the session's line in place of the released party, with the same callref
      and without ringing. The notification then has no ``callpark_slot``, as that of an ended
      call. "callpark" is notified of both.

Numbers
    - ``get_int_to_local_numbers`` turns 33XXXXXXXXX into 0XXXXXXXXX.
      ``get_local_to_int_number`` does the reverse, drops a leading 00 and knows the short numbers
      of lines. Any other number is returned unchanged.

OAuth2
    - There is no login: the visitor of the consent page owns the account, which has every line.
    - The consent page accepts a form only with the token that it has put into it.
    - A redirect URI is compared as a whole, but one on loopback may have any port and any of the
      hosts 127.0.0.1, [::1] and localhost. An unknown one, or an unknown application, gets an
      error page (400) and no redirect.
    - Any other request is redirected with ``state`` and a ``code`` or an ``error``. A refusal by
      the visitor is "access_denied".
    - ``scopes`` is separated by commas, and ``scope`` is ignored. Without ``scopes``, an
      application gets its registered defaults, normally "full_access_read_only" alone.
    - A request without ``state`` gets "invalid_request". An exchange needs ``code``,
      ``redirect_uri`` and ``state``, unchanged. A refresh needs a ``redirect_uri`` of the
      application.
    - PKCE is optional, and only with "S256". A code needs a ``code_verifier`` if its request had a
      ``code_challenge``, and must not have one otherwise.
    - Every requested scope is granted, unless ``grant_only`` limits them. The ``scope`` of a
      response has full names, separated by blanks.
    - A code is valid once, for a minute, for its own application and redirect URI. Using it again
      leaves its tokens valid.
    - HTTP Basic can carry the client's credentials too. Wrong ones get 401 "invalid_client"; every
      other error is a 400.
    - A refresh token never expires by itself. A refresh replaces it, or returns none
      (``rotate_refresh_tokens``). It keeps older access tokens and the scopes.

Manager
    - The CSI of a line is its number, as a string.
    - Reading needs "full_access_read_only" or "full_access"; a POST needs "cti_admin".
    - A refusal gives its reason in ``X-Status-Reason`` and as ``message`` of a JSON object. The
      first failed check decides: the token (401), its scope (403), the URL (404, 405), then the
      fields (400).
    - Links are absolute. A page has 50 items (``page_size``); ``limit`` can only lower this.
    - The account also has a mailbox and a fax, which are not lines. ``type`` is always ignored.
    - A line has the CTI plugins "websocket" and "custom". ``enabled`` is a JSON boolean. A POST
      sends 1 or 0, and its response is the plugin's new state.
    - The domain masks of a CSI token are repeated and never checked. Older tokens stay valid.
    - A registered telephone is one ``SIPRecord``, with a ``user_agent`` and two addresses.
    - In the directory, the ``name`` of a contact is the family name. Every contact has a
      picture, 20,000 bytes by default, in each response. A text that is missing is empty, and a
      number that is missing is null. A branch has a ``uid`` and a ``name``.
    - Six requests are handled at the same time (``max_requests``). A further one gets 429 with a
      ``Retry-After`` of one second. There is no other quota.

History and profiles
    - The history shows the calls as they were ``delay`` seconds ago, the newest first
      (``sim.history.set``). It forgets a call after 92 days (``window``).
    - A call between two lines has the same ``call_id`` in both histories. An incoming one from a
      line has no ``caller`` and an ``actual_caller``; an outside caller has a ``caller``.
    - A running call is listed from its connection on, with its seconds so far; the whole record
      replaces it (``partials``). A transferred call is several calls.
    - A text message of a line is one outgoing "sms"; one to a line is not recorded.
    - ``date_start`` is inclusive, ``date_end`` exclusive, both to the minute and in Paris time. A
      plus sign in their place is refused. Without them, the current month is listed.
    - Every line has the profiles "default", "dnd" and "mobile". Putting one in force needs
      "voip_profiles_admin". A line with "dnd" in force misses calls at once; other profiles
      change nothing.
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
from .history import History
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
    "History",
    "Line",
    "ManualClock",
    "Message",
    "NotPossible",
    "Passage",
    "Phone",
    "SessionSnapshot",
    "Simulator",
]
