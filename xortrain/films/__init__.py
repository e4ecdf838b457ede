"""Films of how networks learn, and still pictures: from plain arrays to frames to files.

Reading order: what is shown (`data`, `frames`, `lockstep`), how it is asked for (`film_settings`), `film`; then the
layouts `panels`, `field`, `losses_layout`, `weights_layout`, `sweep_layout` with the panels they are made of;
what panels are drawn on (`canvas`, `colours`, `glyphs`, `projection`, `colour_scale`, `heatmap`); and the `files`.
"""
