"""The input of film=raster: the losses of all finished runs, or of those at equal steps of their order.

Of a million runs only the rows of the table are read, and the losses of the runs that are shown.
"""

from dataclasses import replace

import numpy as np

from xortrain.errors import UserError
from xortrain.films.arrangement import quickest_first
from xortrain.films.data import FilmData
from xortrain.films.sweep_film_data import SweepFilmData
from xortrain.nets import Array
from xortrain.trained.run_data import RunData, TrainedRuns
from xortrain.trained.sweep_data import SweepData
from xortrain.training.task import History
from xortrain.views.run_film import film_data, outcomes_of, sweep_title


def raster_data_of(sweep: SweepData[RunData], most: int) -> SweepFilmData:
    """The input of a film with at most ``most`` rows."""
    done = sweep[sweep.column("outcome") != "pending"]
    if not len(done):
        raise UserError(f"{sweep.folder or 'film'}: none of its runs is finished")
    everyone = outcomes_of(done.column("outcome").tolist(), done.column)
    losses = done.column("final_loss").astype(float)
    sample = done[quickest_first(everyone, losses)[quantiles(len(done), most)]]
    parts = [losses_of(trained, places) for trained, places in sample.populations()]
    title = sweep_title([done.population(number).setup for number in done.population_numbers])
    varied = {"loss": np.array([""])} if "loss" in done.axes else {}
    return SweepFilmData(tuple(parts), title, varied, everyone, losses)


def quantiles(runs: int, most: int) -> Array:
    """At most ``most`` places in an order of runs, at the middles of equal steps."""
    return np.arange(runs) if runs <= most else ((np.arange(most) + 0.5) / most * runs).astype(int)


def losses_of(trained: TrainedRuns, runs: Array) -> FilmData:
    """Some runs of a population with their losses; their parameters are not read, and count as NaN."""
    setup = trained.setup.part(runs)
    epochs = setup.loss_epochs
    nothing = np.broadcast_to(np.array(np.nan, setup.population.dtype), (len(epochs), setup.shape.size, len(runs)))
    history = History(epochs, epochs, trained.array("losses", runs), nothing, None, {}, None)
    return film_data(TrainedRuns(replace(setup, frame_epochs=epochs), np.asarray(trained.rows[runs]), history))
