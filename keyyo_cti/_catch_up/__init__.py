"""What happened in a gap: the history is asked, and compared with what the CTI has told."""
