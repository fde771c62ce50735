"""Stages over views as Beam jobs: labels checked, labels decoded, views encoded."""
