"""All that is tried, by its name."""

from typing import Dict, Type

from .decoders import Frames, Messages, Sequences
from .live_reader import LiveOpening, LiveWebSocket, LiveXhrPolling, LiveXhrStreaming
from .live_simulator import LiveSimulator
from .simulated import SimulatedSide
from .target import Target
from .transports import Open, WebSocket, Xhr
from .web import Addresses, Answers, CookieFile, TokenDatabase

TARGETS: Dict[str, Type[Target]] = {
    target.name: target
    for target in (
        Frames, Sequences, Messages, WebSocket, Xhr, Open, Answers, Addresses, CookieFile,
        TokenDatabase, SimulatedSide, LiveWebSocket, LiveXhrStreaming, LiveXhrPolling, LiveOpening,
        LiveSimulator,
    )
}
