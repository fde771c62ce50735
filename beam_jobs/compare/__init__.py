"""Our data held against real and published ones."""
