"""What holds for all tests: the first example of a property may be slow, since it composes a configuration."""

from hypothesis import settings

settings.register_profile("xortrain", deadline=None)
settings.load_profile("xortrain")
