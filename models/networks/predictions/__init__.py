"""What a network says of a view, as pictures."""
