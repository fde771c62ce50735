"""The live page on loopback: drop photos, see what the served policy answers."""
