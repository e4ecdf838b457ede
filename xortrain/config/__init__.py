"""From what a user writes to checked settings.

Reading order: `settings` (every setting, from the rows of the tables), `overrides` (prepared for Hydra), `compose`
(Hydra combines overrides and conf/), `check` (every key known, every value in its range), `help` (the text of
--help).

Only this package, `hydra_sweeps` and `hydra_app` import Hydra and OmegaConf; they return plain values.
"""
