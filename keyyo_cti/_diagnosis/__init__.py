"""What ``diagnosis.py`` is built from: faults, and the ring test."""
