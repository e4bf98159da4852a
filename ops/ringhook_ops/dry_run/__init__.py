"""What would become of a webhook, by the code that serves, with nothing sent."""
