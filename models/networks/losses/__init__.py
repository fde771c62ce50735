"""What an answer is judged by, in Keras and as compiled kernels."""
