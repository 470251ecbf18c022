"""Exit codes of the commands, and the errors that lead to them."""

OK = 0
#: The command failed.
FAILED = 1
#: The command line is wrong.
USAGE_ERROR = 2
CONNECTION_LOST = 3
#: No login, or Keyyo refuses it: run ``keyyo-cti login``.
NOT_SIGNED_IN = 4
#: Ctrl-C.
INTERRUPTED = 130


class UsageError(Exception):
    """The command line is wrong; the message says how to correct it."""


class CommandFailed(Exception):
    """The command failed; the message says why."""


class NotSignedIn(CommandFailed):
    """No login is stored on this machine."""
