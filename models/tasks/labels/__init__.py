"""How each published label is computed: one file a family. Heavy kernels (numba, OpenCV) are imported by the files that need them."""
