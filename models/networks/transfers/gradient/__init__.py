"""The learner that trains by gradient, many transfers side by side."""
