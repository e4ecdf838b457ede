"""What holds for all tests: an example of a property may be slow, on a busy machine or where it composes first."""

from hypothesis import HealthCheck, settings

settings.register_profile("xortrain", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("xortrain")
