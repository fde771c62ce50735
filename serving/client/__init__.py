"""Asks a server, and shows what it answers."""
