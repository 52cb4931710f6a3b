import os
import time

from memstore.storage.lease import Lease, lease_files, live_leases


def test_a_lease_is_live_until_it_is_released(tmp_path):
    with Lease(tmp_path, "abc"):
        assert [lease.commit for lease in live_leases(tmp_path)] == ["abc"]
    assert lease_files(tmp_path) == []


def test_a_lease_whose_heart_stopped_is_over(tmp_path):
    with Lease(tmp_path, "abc", lasts_s=3600):
        (path,) = lease_files(tmp_path)
        os.utime(path, (time.time() - 61, time.time() - 61))
        assert list(live_leases(tmp_path)) == []


def test_the_heart_beats_while_the_lease_is_held(tmp_path):
    with Lease(tmp_path, "abc", lasts_s=0.06):
        (path,) = lease_files(tmp_path)
        os.utime(path, (0, 0))
        deadline = time.monotonic() + 10
        while path.stat().st_mtime == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert path.stat().st_mtime > 0


def test_releasing_twice_is_releasing(tmp_path):
    lease = Lease(tmp_path, "abc")
    lease.release()
    lease.release()
    assert lease_files(tmp_path) == []
