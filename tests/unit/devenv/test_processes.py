"""Only what was started is stopped."""

import json
import subprocess

from devenv.processes import Process


def sleeper():
    return subprocess.Popen(["sleep", "60"], start_new_session=True)


def test_a_saved_process_is_found_and_stopped(tmp_path):
    with sleeper() as child:
        Process.of(child.pid).save(tmp_path / "pid")
        Process.load(tmp_path / "pid").stop(patience=5)
        assert not Process.of(child.pid).started
        assert Process.load(tmp_path / "pid") is None


def test_a_number_that_another_process_got_is_left_alone(tmp_path):
    with sleeper() as other:
        saved = {"pid": other.pid, "started": Process.of(other.pid).started - 1}
        (tmp_path / "pid").write_text(json.dumps(saved))
        assert Process.load(tmp_path / "pid") is None
        assert other.poll() is None
        other.kill()


def test_a_damaged_pid_file_names_nobody(tmp_path):
    (tmp_path / "pid").write_text("{")
    assert Process.load(tmp_path / "pid") is None
