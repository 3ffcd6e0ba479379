"""What another configuration would do differently with the same messages."""
