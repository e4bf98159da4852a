"""What a call is, what may become of it, and its life."""
