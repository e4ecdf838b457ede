"""TensorBoard reads the exported losses, and its HPARAMS table has a row for each run."""

import contextlib
from typing import Any

import numpy as np
import pytest

import xortrain
from xortrain.commands.export import export

pytestmark = [
    pytest.mark.interop,
    pytest.mark.filterwarnings("ignore"),  # those of its own code and of protobuf
]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("runs")
    with contextlib.chdir(folder):
        own = ["optimizer.nesterov=true,false", "optimizer.momentum=0.5", "schedule=cosine,constant", "lr=0.1,1"]
        found = xortrain.sweep("data=circle", "data.test=0.5", "epochs=150", "film=none", *own)
        assert export(["--what", "losses", "--format", "tensorboard", "--output", "logs"]) == "written logs"
        yield found, folder / "logs"


def test_the_accumulator_reads_every_loss(sweep: Any) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    runs, logs = sweep
    for k, run in enumerate(runs):
        (folder,) = logs.rglob(f"*#{k}")
        read = EventAccumulator(str(folder), size_guidance={"scalars": 0})
        read.Reload()
        for tag, losses in (("loss", run.losses), ("test_loss", run.test_losses)):
            events = read.Scalars(tag)
            assert [event.step for event in events] == run.loss_epochs.tolist()
            assert [event.value for event in events] == np.asarray(losses, np.float32).tolist()
        assert read.Scalars("final_loss")[0].value == np.float32(run.row["final_loss"])
        assert read.Scalars("solved")[0].value == (run.outcome == "solved")


def test_the_table_of_hparams_has_a_row_for_each_run(sweep: Any) -> None:
    from tensorboard import context
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.hparams import api_pb2, backend_context, get_experiment, list_session_groups

    runs, logs = sweep
    multiplexer = EventMultiplexer().AddRunsFromDirectory(str(logs))
    multiplexer.Reload()
    backend = backend_context.Context(TBContext(data_provider=MultiplexerDataProvider(multiplexer, str(logs))))
    request = context.RequestContext()
    experiment = get_experiment.Handler(request, backend, "", api_pb2.GetExperimentRequest()).run()
    kinds = {info.name: info.type for info in experiment.hparam_infos}
    assert kinds == {
        "lr": api_pb2.DATA_TYPE_FLOAT64,
        "optimizer.nesterov": api_pb2.DATA_TYPE_BOOL,
        "schedule": api_pb2.DATA_TYPE_STRING,
        "schedule.final": api_pb2.DATA_TYPE_FLOAT64,  # of cosine alone
    }
    assert {"final_loss", "solved"} <= {info.name.tag for info in experiment.metric_infos}
    asked = api_pb2.ListSessionGroupsRequest(start_index=0, slice_size=100, allowed_statuses=[0, 1, 2, 3])
    for name in kinds:
        asked.col_params.add().hparam = name
    for info in experiment.metric_infos:
        asked.col_params.add().metric.CopyFrom(info.name)
    answer = list_session_groups.Handler(request, backend, "", asked).run()
    assert answer.total_size == len(runs)
    for group in answer.session_groups:
        run = runs[int(group.name.partition("#")[2])]
        assert group.hparams["lr"].number_value == run.config["lr"]
        assert group.hparams["optimizer.nesterov"].bool_value == run.config["optimizer"]["nesterov"]
        assert group.hparams["schedule"].string_value == run.config["schedule"]["name"]
        assert ("schedule.final" in group.hparams) == (run.config["schedule"]["name"] == "cosine")
        metrics = {one.name.tag: one.value for one in group.metric_values}
        assert metrics["final_loss"] == np.float32(run.row["final_loss"])
        assert metrics["solved"] == (run.outcome == "solved")


def test_the_plug_ins_own_messages_parse_what_is_written(sweep: Any) -> None:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.plugins.hparams import plugin_data_pb2

    _, logs = sweep
    found = dict[str, Any]()
    for path in logs.rglob("events.out.tfevents*"):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "hparams":
                    data = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
                    found.setdefault(value.tag, []).append(data)
    assert {tag: len(own) for tag, own in found.items()} == {
        "_hparams_/experiment": 1, "_hparams_/session_start_info": 8, "_hparams_/session_end_info": 8,
    }  # fmt: skip
    assert all(own.session_start_info.group_name for own in found["_hparams_/session_start_info"])
    assert {own.session_end_info.status for own in found["_hparams_/session_end_info"]} == {1}
