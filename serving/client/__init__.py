"""The client: asks a server, and shows what it answers."""
