"""Task networks, one a task, and the representations that their encoders give."""
