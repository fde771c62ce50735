"""What may be said on a command line: numbers that argparse refuses in words before any work."""
