"""What stands behind one CTI: its session, connection, pending commands, calls and events."""
