"""The core of Taskonomy: tasks, taxonomy, examples, networks, reports. Nothing is imported here, so
that each room loads alone.
"""
