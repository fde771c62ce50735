"""Transfers, measured from representations, never from pixels."""
