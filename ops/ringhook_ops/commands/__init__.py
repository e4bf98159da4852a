"""What each word of the `ringhook` command takes and prints."""
