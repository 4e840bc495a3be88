"""Files and folders that are there wholly, or as they were before."""

import errno
import os

import pytest

from sk_erts import ERTSClassifier
from sk_erts._lib.whole import unfinished_name, whole_file, whole_folder
from sk_erts._training.archive import write_archive
from sk_erts.datasets import make_ecg, to_memmap
from sk_erts.models import ResNet1d, save_weights

X, Y = make_ecg(12, n_leads=2, duration_s=2, random_state=0)
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(scope="module")
def clf():
    return ERTSClassifier(module__width=4, max_epochs=1, random_state=0).fit(X, Y)


WRITERS = {
    "write_archive": lambda clf, path: write_archive(path, "state", 1),
    "save": lambda clf, path: clf.save(path),
    "save_weights": lambda clf, path: clf.save_weights(path),
    "models.save_weights": lambda clf, path: save_weights(ResNet1d(2, 2), path),
    "export_onnx": lambda clf, path: clf.export_onnx(path),
    "to_memmap": lambda clf, path: to_memmap(X, path, overwrite=True),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
class TestWhatIsWritten:
    @pytest.mark.parametrize(
        ("step", "error"), [("fsync", FULL), ("replace", KeyboardInterrupt())]
    )
    def test_a_write_that_fails_leaves_the_file_of_before(
        self, clf, tmp_path, monkeypatch, write, step, error
    ):
        path = tmp_path / "file.npy"
        path.write_bytes(b"of before")

        def fail(*args):
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(os, step, fail)
            with pytest.raises(type(error)):
                write(clf, path)
        assert path.read_bytes() == b"of before"
        assert list(tmp_path.iterdir()) == [path]

    def test_it_is_on_the_disk_before_it_has_its_name(
        self, clf, tmp_path, monkeypatch, write
    ):
        done = []
        for step in ("fsync", "replace"):
            real = getattr(os, step)

            def noted(*args, step=step, real=real):
                done.append(step)
                return real(*args)

            monkeypatch.setattr(os, step, noted)
        write(clf, tmp_path / "file.npy")
        assert done == ["fsync", "replace", "fsync"]  # the folder at the end

    def test_others_may_read_it_as_any_new_file(self, clf, tmp_path, write):
        before = os.umask(0o027)
        try:
            write(clf, tmp_path / "file.npy")
        finally:
            os.umask(before)
        assert (tmp_path / "file.npy").stat().st_mode & 0o777 == 0o640

    def test_who_might_read_it_may_read_it_again(self, clf, tmp_path, write):
        path = tmp_path / "file.npy"
        path.touch(mode=0o600)
        write(clf, path)
        assert path.stat().st_mode & 0o777 == 0o600

    def test_an_error_tells_the_name_that_was_given(self, clf, tmp_path, write):
        path = tmp_path / "nowhere" / "file.npy"
        with pytest.raises(FileNotFoundError) as caught:
            write(clf, path)
        assert caught.value.filename == str(path)


@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_whatever_fails_the_file_of_before_is_left(tmp_path, monkeypatch, step, error):
    path = tmp_path / "file"
    path.write_bytes(b"of before")

    def fail(*args):
        raise error

    def write():
        with whole_file(path) as file:
            file.write(b"new")
            if step == "write":
                fail()

    with monkeypatch.context() as patch:
        if step != "write":
            patch.setattr(os, step, fail)
        with pytest.raises(type(error)):
            write()
    assert path.read_bytes() == b"of before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a" * 255, "ä" * 127])
def test_a_name_may_be_as_long_as_any(tmp_path, name):
    with whole_file(tmp_path / name) as file:
        file.write(b"new")
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_a_folder_that_cannot_be_synchronised_is_no_failure(
    tmp_path, monkeypatch, whole
):
    real = os.open

    def refuse(path, *args, **kwargs):
        if os.path.isdir(path):
            raise PermissionError(path)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    with whole(tmp_path / "new"):
        pass
    assert os.listdir(tmp_path) == ["new"]


def test_what_a_link_leads_to_is_written(tmp_path):
    (tmp_path / "run3").mkdir()
    (tmp_path / "latest").symlink_to(tmp_path / "run3" / "w")
    with whole_file(tmp_path / "latest") as file:
        file.write(b"new")
    assert (tmp_path / "run3" / "w").read_bytes() == b"new"
    assert (tmp_path / "latest").is_symlink()


def test_an_unfinished_file_is_hidden_and_named_after_the_one_it_is_for(tmp_path):
    assert unfinished_name("last") == ".last-"
    with whole_file(tmp_path / "last"):
        (name,) = os.listdir(tmp_path)
        assert name.startswith(".last-")


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "folder"
        folder.mkdir()
        (folder / "old").touch()
        return folder

    def write(self, folder):
        with whole_folder(folder) as beside:
            (beside / "new").touch()

    def test_one_of_this_name_gives_way(self, folder):
        self.write(folder)
        assert os.listdir(folder) == ["new"]
        assert os.listdir(folder.parent) == ["folder"]

    @pytest.mark.parametrize("which", [0, 1])
    def test_a_renaming_that_fails_leaves_the_folder_of_before(
        self, folder, monkeypatch, which
    ):
        real, calls = os.replace, []

        def replace(*args):
            calls.append(args)
            if len(calls) == which + 1:
                raise KeyboardInterrupt
            real(*args)

        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            self.write(folder)
        assert os.listdir(folder) == ["old"]
        assert os.listdir(folder.parent) == ["folder"]

    @pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()])
    def test_what_fails_while_it_is_filled_leaves_the_folder_of_before(
        self, folder, error
    ):
        def write():
            with whole_folder(folder) as beside:
                (beside / "new").touch()
                raise error

        with pytest.raises(type(error)):
            write()
        assert os.listdir(folder) == ["old"]
        assert os.listdir(folder.parent) == ["folder"]

    def test_ctrl_c_just_after_the_last_renaming_leaves_the_new_folder(
        self, folder, monkeypatch
    ):
        real = os.replace

        def replace(source, target):
            real(source, target)
            if target == folder:
                raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            self.write(folder)
        assert os.listdir(folder) == ["new"]
        assert os.listdir(folder.parent) == ["folder"]

    def test_it_is_on_the_disk_before_it_has_its_name(self, folder, monkeypatch):
        done, fsync, replace = [], os.fsync, os.replace

        def synced(handle):
            done.append(os.path.realpath(f"/proc/self/fd/{handle}"))
            fsync(handle)

        def renamed(source, target):
            done.append(target)
            replace(source, target)

        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(os, "replace", renamed)
        with whole_folder(folder) as beside:
            (beside / "inside").mkdir()
        before = done[2]
        inside = [str(beside), str(beside / "inside")]
        assert done == [*inside, before, folder, str(folder.parent)]
        assert before.name.startswith(".folder-before-")

    def test_nothing_is_removed_before_the_new_one_has_its_name(
        self, folder, monkeypatch
    ):
        def killed(place):
            raise SystemExit

        monkeypatch.setattr("shutil.rmtree", killed)
        with pytest.raises(SystemExit):
            self.write(folder)
        assert os.listdir(folder) == ["new"]
        (before,) = set(os.listdir(folder.parent)) - {"folder"}
        assert os.listdir(folder.parent / before) == ["old"]

    def test_what_a_link_leads_to_is_replaced(self, folder, tmp_path):
        (tmp_path / "link").symlink_to(folder)
        self.write(tmp_path / "link")
        assert os.listdir(folder) == ["new"]

    def test_an_error_tells_the_name_that_was_given(self, tmp_path):
        path = tmp_path / "nowhere" / "folder"
        with pytest.raises(FileNotFoundError) as caught:
            self.write(path)
        assert caught.value.filename == str(path)
