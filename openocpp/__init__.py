"""OCPP 1.6-J for threads: charge point, central system and local controller."""

__version__ = "0.1.0"
