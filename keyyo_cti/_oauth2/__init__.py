"""The parts of ``keyyo_cti.oauth2`` and ``keyyo_cti.account``."""
