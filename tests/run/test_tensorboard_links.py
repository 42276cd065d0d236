"""The runs of one folder under short names."""

from __future__ import annotations

from pathlib import Path

from darts_tf.run.tensorboard_links import link_runs


def make(root: Path, run: str) -> None:
    folder = root / run / "tensorboard" / "evaluate"
    folder.mkdir(parents=True)
    (folder / "events.out.tfevents.1").write_bytes(b"x")


def test_runs_are_named_as_their_folders_however_often_it_is_done(tmp_path):
    make(tmp_path, "search")
    (tmp_path / "notes.txt").write_text("")
    link_runs(tmp_path)
    make(tmp_path / "compare", "published")
    links = [link_runs(tmp_path), link_runs(tmp_path)][-1]
    assert links == tmp_path / "tensorboard"
    assert {p.name for p in links.iterdir()} == {"search", "published"}
    assert (links / "search" / "events.out.tfevents.1").read_bytes() == b"x"
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert (moved / "tensorboard" / "published" / "events.out.tfevents.1").exists()


def test_without_links_the_folder_itself_is_shown(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    make(tmp_path, "search")
    monkeypatch.setattr(Path, "symlink_to", refuse)
    assert link_runs(tmp_path) == tmp_path
