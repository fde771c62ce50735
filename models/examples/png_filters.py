"""Numbers of PNG's row filters (PNG specification, section 9.2)."""

NONE = 0
SUB = 1  # less the pixel to the left
UP = 2
AVERAGE = 3
PAETH = 4
