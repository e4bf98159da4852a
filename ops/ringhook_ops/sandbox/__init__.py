"""Stand-ins for the Global Call API and for the senders' APIs, which ring nobody."""
