"""How the command ends: what its process gives back, and what is said."""

OK = 0
#: It could not be done.
FAILED = 1
#: It was called wrongly.
MISUSED = 2
#: The connection was lost.
DROPPED = 3
#: Nobody has signed in, or Keyyo lets nobody in any more: ``keyyo-cti login``.
SIGNED_OUT = 4
#: Ctrl-C.
INTERRUPTED = 130


class Misused(Exception):
    """The command was called wrongly; the message says how to call it."""


class Failed(Exception):
    """It could not be done; the message says why."""


class SignedOut(Failed):
    """Nobody has signed in."""
