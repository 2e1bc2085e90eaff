"""Files that partners leave: which are complete, and names that lead elsewhere."""

import os

import pytest

from odoo.addons.sync_governance_connectors.exchange.folder import Folder
from odoo.addons.sync_governance_connectors.exchange.store import (
    Entry,
    StoreError,
    safe_name,
    waiting,
)


def names(entries, **options):
    return [one.name for one in waiting(entries, "*.csv", **options)]


class TestWaiting:
    old, new = Entry(1.0, "b.csv", 10), Entry(2.0, "a.csv", 10)

    def test_only_what_did_not_change_since_the_last_look(self):
        assert names([self.old, self.new], seen={}) == []
        seen = {"b.csv": (10, 1.0), "a.csv": (9, 2.0)}
        assert names([self.old, self.new], seen=seen) == ["b.csv"]

    def test_the_oldest_first(self):
        seen = {"b.csv": (10, 1.0), "a.csv": (10, 2.0)}
        assert names([self.new, self.old], seen=seen) == ["b.csv", "a.csv"]

    def test_a_marker_says_that_a_file_is_complete(self):
        files = [self.old, self.new, Entry(3.0, "a.csv.done", 0)]
        assert names(files, seen={}, marker=".done") == ["a.csv"]

    def test_parts_and_other_files_are_left_alone(self):
        files = [Entry(1.0, "x.csv.part", 1), Entry(1.0, "x.xml", 1)]
        seen = {one.name: (one.size, one.modified) for one in files}
        assert list(waiting(files, "*", seen=seen)) == [files[1]]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "a\0b", "x" * 201]
)
def test_a_name_that_leads_elsewhere(name):
    with pytest.raises(StoreError):
        safe_name(name)


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "wms").mkdir()
        return Folder(tmp_path, "wms")

    def test_put_list_open_move(self, folder, tmp_path):
        assert folder.put("a.csv", [b"id\n", b"1\n"]) == 5
        (entry,) = folder.entries()
        assert (entry.name, entry.size) == ("a.csv", 5)
        with folder.open("a.csv") as stream:
            assert stream.read() == b"id\n1\n"
        folder.move("a.csv", "processed")
        assert folder.entries() == []
        assert (tmp_path / "wms/processed/a.csv").read_bytes() == b"id\n1\n"

    def test_a_writer_that_fails_leaves_no_file_of_that_name(self, folder):
        def pieces():
            yield b"half"
            raise StoreError("no more")

        with pytest.raises(StoreError):
            folder.put("a.csv", pieces())
        assert "a.csv" not in [entry.name for entry in folder.entries()]

    @pytest.mark.parametrize("path", ["..", "../other", "/etc", "wms/../.."])
    def test_a_folder_outside(self, tmp_path, path):
        (tmp_path / "root").mkdir()
        with pytest.raises(StoreError, match="outside"):
            Folder(tmp_path / "root", path)

    def test_symbolic_links_lead_nowhere(self, folder, tmp_path):
        (tmp_path / "secret").write_text("x")
        os.symlink(tmp_path / "secret", tmp_path / "wms/a.csv")
        os.symlink("/etc", tmp_path / "out")
        assert folder.entries() == []
        with pytest.raises(StoreError):
            folder.open("a.csv")
        with pytest.raises(StoreError, match="outside"):
            Folder(tmp_path, "out")

    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(StoreError, match="no folder"):
            Folder(tmp_path, "nowhere")
        folder = Folder(tmp_path, ".")
        with pytest.raises(StoreError, match="missing.csv"):
            folder.open("missing.csv")
