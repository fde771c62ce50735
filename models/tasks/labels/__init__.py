"""How each published label is computed: one file a family. Heavy libraries (OpenCV, scikit-image)
are imported by the files that need them.
"""
