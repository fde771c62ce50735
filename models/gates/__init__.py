"""May this be trained on, may this be served? What gates look at, in numpy alone."""
