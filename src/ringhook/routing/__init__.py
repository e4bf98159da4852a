"""From a request to the calls that `routes.toml` asks for."""
