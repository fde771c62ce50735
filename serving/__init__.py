"""Who may ask? The bundle, the model server with TensorFlow Serving's protocol, the client, the
gate before a push.
"""
