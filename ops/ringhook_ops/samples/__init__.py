"""Sample webhooks: bodies in their senders' exact shapes, signed and sent as they do."""
