"""The parts of ``keyyo_cti.directory``."""
