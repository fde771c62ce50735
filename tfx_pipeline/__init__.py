"""In what order? Configuration, the pipeline graph, local and Kubeflow runs."""
