"""What people read of each sender: its page, its guide, its ready routes."""
