"""Computes each published label: one file for each family of labels. Heavy libraries (OpenCV,
scikit-image) are imported by the files that need them.
"""
