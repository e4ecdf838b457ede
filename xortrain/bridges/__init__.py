"""Networks and records in the formats of other tools."""
