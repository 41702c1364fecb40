from mmseg_ext.suite.cleaning import clean_checkpoints
from mmseg_ext.suite.files import write_json
from mmseg_ext.suite.matrix import RunId
from mmseg_ext.suite.paths import Paths


def test_only_finished_runs_are_cleaned(tmp_path):
    paths = Paths(results=tmp_path)
    write_json(paths.run(RunId("t", "a", "m", "full", 0)) / "run.json", {"key": "finished"})
    for key in ("finished", "killed"):
        write_json(paths.work(key) / "checkpoints" / "big.json", "x" * 1000)
    assert list(clean_checkpoints(paths, dry_run=True)) == [paths.work("finished")]
    assert paths.work("finished").is_dir()
    freed = clean_checkpoints(paths)
    assert freed[paths.work("finished")] > 1000
    assert not paths.work("finished").exists()
    assert paths.work("killed").is_dir()
    assert clean_checkpoints(paths) == {}
