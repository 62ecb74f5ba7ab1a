"""How long a WebSocket connection may be, and how large what it sends.

Facts G2: two hours, ten minutes without a message, frames of 32 KB, messages of 128 KB. Apart from the
gateways, which are loaded when somebody needs them.
"""

from dataclasses import dataclass

MAX_MESSAGE_BYTES = 128 * 1024
MAX_FRAME_BYTES = 32 * 1024


@dataclass
class ConnectionLimits:
    """In seconds, without a message and at all; of connections that are opened afterwards."""

    websocket_idle_s: float = 600.0
    websocket_duration_s: float = 7200.0
