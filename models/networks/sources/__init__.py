"""Sources from outside: any frozen encoder, beside the networks of our tasks."""
