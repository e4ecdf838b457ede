"""Films of how networks learn, and still images: from plain arrays to frames to files.

Reading order: what a film shows (`data`, `sweep_film_data`, `map_data`) and how it looks (`film_settings`); `film`
makes it. Layouts of one run (`story_layout`, `field`, `weights_layout`) arrange panels (`panel`, `curve`,
`hidden_space` over a `hidden_plane`, `outputs`, `diagram`, `loss_curve` with `event_marks`); `pacing` decides which
epochs they show and for how long, and `flashes` measures whether a film flashes. Layouts of many runs are
`losses_layout`, `raster_layout`, `sweep_layout` (`arrangement`, `cells`, `status_marks`, `solved_share`) and
`map_layout` (`map_axis`, `map_colours`, `map_places`). All draw on a `canvas`, or on a `vector_canvas` for SVG and PDF
(`agg`, `glyphs`, `colours`, `sequences`, `captions`). `projection` selects the part of the input space that is shown,
`colour_scale` and `heatmap` its colours. `formats` writes the file.

A new layout is a row of `film_settings.LAYOUTS`, a new panel a row of `story_layout.PANELS`, each with its module.
"""
