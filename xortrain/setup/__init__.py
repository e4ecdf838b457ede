"""From checked settings to what is trained."""
