"""What asks the outside: AWS, the API, and the senders' APIs."""
