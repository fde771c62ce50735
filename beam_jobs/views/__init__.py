"""Stages over views as Beam jobs: labels are checked, labels are decoded, views are encoded."""
