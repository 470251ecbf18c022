"""The parts of ``keyyo_cti.manager``."""
