"""From checked settings to what is trained.

Reading order: `population` (runs that differ in numbers only), `earlier` (the settings of a continued training before),
`csv_table` and `examples` (the data), `run_setup` (network, criterion, initial parameters, and the epochs to record),
`film_config` (the film that a config chooses).
"""
