"""Networks and records in the forms of other tools."""
