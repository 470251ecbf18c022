"""What the last aiohttp for Python 3.9 does that newer ones do not."""

from importlib.metadata import version

#: Whether it logs a traceback when somebody sends a URL that is none.
LOGS_NO_URL = tuple(map(int, version("aiohttp").split(".")[:2])) < (3, 14)
