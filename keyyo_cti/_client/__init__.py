"""The client behind one CTI: session, connection, pending commands, calls and events."""
