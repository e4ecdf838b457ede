"""What one looks at: films and texts about trained runs."""
