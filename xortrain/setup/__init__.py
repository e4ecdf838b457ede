"""From checked settings to what is trained.

Reading order: `population` (runs that differ in numbers only), `earlier` (the settings of a continued training before),
`column_names`, `csv_table`, `table_columns`, `own_data`, `own_arrays` (a user's own data), `target_coding`, `examples`
(what a loss requires), `run_setup` (network, criterion, initial parameters, and the epochs to record), `new_inputs`
(what is to be predicted), `film_config` (the film that a config chooses), `map_grid` (the axes of a map).
"""
