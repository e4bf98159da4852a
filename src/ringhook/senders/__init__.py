"""Who sent a request: the request as received, how senders sign, and each sender's own ways."""
