"""What is wrong, or may be: with a webhook, a routes file, a deployment."""
