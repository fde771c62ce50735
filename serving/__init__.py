"""Serving: the bundle, the model server with TensorFlow Serving's protocol, the client, and the
gate before a push.
"""
