"""Downloads from a server on this machine that holds tiny copies of PhysioNet's."""

import hashlib
import logging
import os
import shutil
import socket
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import joblib
import numpy as np
import pandas as pd
import pooch
import pytest
import requests

from sk_erts.datasets import (
    STANDARD_LEADS,
    fetch_cinc2017,
    fetch_cpsc2018,
    fetch_georgia,
    fetch_mitbih,
    fetch_ptbxl,
    load_cinc2017,
    load_cinc2020,
    load_mitbih,
    load_ptbxl,
)
from sk_erts.exceptions import DownloadError, RecordNotFoundError

with warnings.catch_warnings():
    # wfdb calls pandas in a way that recent versions deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    import wfdb

PTBXL = "ptb-xl/1.0.3"
MITBIH = "mitdb/1.0.0"
CINC2017 = "challenge-2017/1.0.0"
CINC2021 = "challenge-2021/1.0.3"
LIST = "SHA256SUMS.txt"
TABLES = ["ptbxl_database.csv", "scp_statements.csv"]


class Answer(BaseHTTPRequestHandler):
    """Send files, or fail as the site says."""

    protocol_version = "HTTP/1.1"  # connections may be kept
    disable_nagle_algorithm = True  # else each answer on a kept one takes 40 ms

    def do_GET(self):
        site = self.server.site
        name = self.path.lstrip("/")
        site.requests.append(name)
        site.clients.add(self.client_address)
        faults = site.faults.get(name, [])
        fault = faults.pop(0) if len(faults) > 1 else next(iter(faults), None)
        if isinstance(fault, int):
            self.send_error(fault)
            return
        content = (site.root / name).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if fault == "half":
            content = content[: len(content) // 2]
            self.close_connection = True
        if fault == "other":
            content = content[::-1]
        self.wfile.write(content)

    def log_message(self, *args):
        pass


class Site:
    """A server: its folder, what it was asked for, by whom, and how it is to fail."""

    def __init__(self, root, url):
        self.root = root
        self.url = url
        self.requests = []
        self.clients = set()
        self.faults = {}  # lists of faults by path; the last one stays

    def publish(self, project):
        """Write the list of checksums of a project."""
        folder = self.root / project
        lines = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()} "
            f"{path.relative_to(folder).as_posix()}\n"
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != LIST
        ]
        (folder / LIST).write_text("".join(lines))

    def requested(self, project):
        """Return, sorted, what was asked for since the last time."""
        names = sorted(name.removeprefix(f"{project}/") for name in self.requests)
        self.requests.clear()
        return names


@pytest.fixture
def site(tmp_path_factory, monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    url = f"http://127.0.0.1:{server.server_port}"
    server.site = Site(tmp_path_factory.mktemp("site"), url)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def options(site, cache):
    return {"data_home": cache, "base_url": site.url, "n_retries": 0}


@pytest.fixture
def ptbxl(site, tiny):
    shutil.copytree(tiny, site.root / PTBXL)
    site.publish(PTBXL)


@pytest.fixture
def mitbih(site, write_record):
    folder = site.root / MITBIH
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("101", "106", "202"):
        signal = rng.normal(scale=0.4, size=(2, 3600))
        write_record(folder / name, signal, ["MLII", "V1"], 360)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # as on import
            beats = np.array([500, 900]), ["N", "V"]
            wfdb.wrann(name, "atr", *beats, write_dir=str(folder))
    (folder / "101.xws").write_text("of no use")
    site.publish(MITBIH)


@pytest.fixture
def cinc2017(site, write_mat_record):
    folder = site.root / CINC2017
    for k, place in enumerate([*CINC2017_RECORDS, "validation/A00001"]):
        (folder / place).parent.mkdir(parents=True)
        signal = np.sin(np.arange(2700 + 300 * k)[np.newaxis] / 40)
        write_mat_record(folder / place, signal, ["ECG"], 300)
    (folder / "REFERENCE-v3.csv").write_text("A00001,N\nA01002,~\n")
    (folder / "training2017.zip").write_text("of no use")
    site.publish(CINC2017)


@pytest.fixture
def cinc2021(site, write_mat_record):
    folder = site.root / CINC2021 / "training"
    rng = np.random.default_rng(0)
    for place in (
        *("cpsc_2018/g1/A0001", "cpsc_2018/g1/A0002", "cpsc_2018_extra/g1/Q0001"),
        *("georgia/g1/E00001", "georgia/g2/E01001", "ningbo/g1/JS10001"),
    ):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        signal = rng.normal(scale=0.3, size=(12, 1000))
        remarks = ["# Age: 61", "# Sex: Male", "# Dx: 426783006,59118001"]
        write_mat_record(folder / place, signal, STANDARD_LEADS, 500, remarks)
    (folder / "georgia/RECORDS").write_text("of no use")
    site.publish(CINC2021)


def both(paths, *ends):
    return [f"{path}{end}" for path in paths for end in ends]


CINC2017_RECORDS = ["training/A00/A00001", "training/A01/A01002"]
LOW = [f"records100/00000/{k:05d}_lr" for k in (1, 2, 3, 5, 8, 9)]


@dataclass
class Case:
    """A call of a fetcher, and the loader's call that must return the same."""

    fixture: str
    project: str
    fetch: Callable
    load: Callable
    needed: list  # files
    parameters: dict = field(default_factory=dict)
    sources: dict = field(default_factory=dict)  # a parameter of the loader alone


def challenge_case(fetch, source, *places):
    needed = both([f"training/{place}" for place in places], ".hea", ".mat")
    sources = {"sources": source}
    return Case("cinc2021", CINC2021, fetch, load_cinc2020, needed, {}, sources)


CASES = {
    "ptbxl": Case(
        *("ptbxl", PTBXL, fetch_ptbxl, load_ptbxl),
        [*TABLES, *both(LOW, ".hea", ".dat")],
    ),
    "ptbxl, fold 9": Case(
        *("ptbxl", PTBXL, fetch_ptbxl, load_ptbxl),
        [*TABLES, *both(LOW[4:], ".hea", ".dat")],
        {"folds": [9], "task": "statement"},
    ),
    "ptbxl, one label": Case(
        *("ptbxl", PTBXL, fetch_ptbxl, load_ptbxl),
        [*TABLES, *both([LOW[0], LOW[5]], ".hea", ".dat")],
        {"single_label": True, "min_likelihood": 0},
    ),
    "mitbih": Case(
        *("mitbih", MITBIH, fetch_mitbih, load_mitbih),
        both(["106", "202"], ".hea", ".dat", ".atr"),
        {"records": ["106", "202"], "leads": ["V1"], "window_s": (0.1, 0.2)},
    ),
    "cinc2017": Case(
        *("cinc2017", CINC2017, fetch_cinc2017, load_cinc2017),
        ["REFERENCE-v3.csv", *both(CINC2017_RECORDS, ".hea", ".mat")],
    ),
    "georgia": challenge_case(
        fetch_georgia, "E", "georgia/g1/E00001", "georgia/g2/E01001"
    ),
    "cpsc2018": challenge_case(
        fetch_cpsc2018, "A", "cpsc_2018/g1/A0001", "cpsc_2018/g1/A0002"
    ),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    request.getfixturevalue(request.param.fixture)
    return request.param


def files_in(folder):
    """Return, sorted, the files of a folder, as paths below it."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    )


def assert_same(found, expected):
    assert set(found) == set(expected)
    for x, y in zip(found.data, expected.data, strict=True):
        np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(found.target, expected.target)
    np.testing.assert_array_equal(found.groups, expected.groups)
    pd.testing.assert_frame_equal(found.metadata, expected.metadata)
    assert found.DESCR == expected.DESCR


def test_only_what_is_needed_comes_once_and_is_what_the_loader_gives(
    case, site, options, cache
):
    served = site.root / case.project
    expected = case.load(served, **case.parameters, **case.sources)
    assert_same(case.fetch(**options, **case.parameters), expected)
    assert site.requested(case.project) == sorted([LIST, *case.needed])
    assert files_in(cache / case.project) == sorted([LIST, *case.needed])

    # Now all is there, and the server is not asked again.
    assert_same(case.fetch(**options, **case.parameters), expected)
    X, y = case.fetch(
        **options, **case.parameters, download_if_missing=False, return_X_y=True
    )
    assert len(X) == len(y) == len(expected.data)
    assert site.requests == []


@pytest.mark.usefixtures("ptbxl", "mitbih")
def test_iterators_are_read_once(options):
    ptbxl = fetch_ptbxl(**options, folds=iter([2, 9]))
    assert set(ptbxl.folds) == {2, 9}
    beats = fetch_mitbih(**options, records=iter(["101"]), leads=iter(["V1"]))
    assert set(beats.groups) == {"101"}
    assert beats.lead_names == ("V1",)


@pytest.mark.usefixtures("ptbxl")
def test_records_of_500_hz_are_other_files(site, options, tiny_table, write_record):
    folder = site.root / PTBXL
    (folder / "records500/00000").mkdir(parents=True)
    leads = np.outer(np.arange(1, 13), np.sin(np.arange(5000)))
    for name in tiny_table["filename_hr"]:
        write_record(folder / name, leads, fs=500)
    site.publish(PTBXL)
    data = fetch_ptbxl(**options, fs=500.0, folds=[1])
    assert data.data.shape == (2, 12, 5000)
    high = both(tiny_table["filename_hr"][:2], ".hea", ".dat")
    assert site.requested(PTBXL) == sorted([LIST, *TABLES, *high])


@pytest.mark.usefixtures("mitbih")
def test_all_records_of_mitbih_are_those_of_both_halves(site, options):
    with pytest.raises(RecordNotFoundError, match="Missing: 100.hea, 100.dat, 100.atr"):
        fetch_mitbih(**options)
    assert site.requested(MITBIH) == [LIST]


class TestParallel:
    @pytest.mark.usefixtures("ptbxl")
    def test_threads_download_the_same(self, site, options, tiny):
        with joblib.parallel_config(backend="threading", n_jobs=4):
            data = fetch_ptbxl(**options)
        assert_same(data, load_ptbxl(tiny))
        assert len(site.requests) == len(set(site.requests)) == 15

    @pytest.mark.usefixtures("cinc2021")
    def test_a_thread_keeps_its_connection(self, site, options):
        fetch_georgia(**options)
        assert len(site.requests) == 5
        assert len(site.clients) == 2  # one for the list, one for the records


@pytest.mark.usefixtures("mitbih")
class TestFailure:
    """The signals of 106 cannot be had; 101 was asked for before, 202 comes after."""

    def fetch(self, options, **others):
        return fetch_mitbih(records=["101", "106", "202"], **{**options, **others})

    def assert_carries_on(self, site, options, cache):
        """Whole files are there, nothing else, and the next call fetches the rest."""
        there = files_in(cache / MITBIH)
        assert there == sorted(
            [LIST, *both(["101"], ".hea", ".dat", ".atr"), "106.hea"]
        )
        for name in there:
            served = (site.root / MITBIH / name).read_bytes()
            assert (cache / MITBIH / name).read_bytes() == served
        site.requests.clear()
        site.faults.clear()
        assert len(self.fetch(options).data) == 6
        others = both(["202"], ".hea", ".dat", ".atr")
        assert site.requested(MITBIH) == sorted(["106.dat", "106.atr", *others])

    @pytest.mark.parametrize(
        ("fault", "what"),
        [
            ("half", "the connection broke before the file was whole. Call again"),
            ("other", "does not have the checksum that SHA256SUMS.txt lists. Call"),
            (404, "the server answered 404 Not Found. See whether 'base_url'"),
            (503, "the server answered 503 Service Unavailable. Call again later"),
        ],
    )
    def test_a_file_that_does_not_come(self, site, options, cache, fault, what):
        site.faults[f"{MITBIH}/106.dat"] = [fault]
        file, url = cache / MITBIH / "106.dat", f"{site.url}/{MITBIH}/106.dat"
        with pytest.raises(DownloadError) as caught:
            self.fetch(options)
        message = str(caught.value)
        assert message.startswith(f"{file} cannot be downloaded from {url}: ")
        assert what in message
        assert message.endswith(
            "What is whole stays; fetch_mitbih will carry on there."
        )
        self.assert_carries_on(site, options, cache)

    def test_a_full_disk(self, site, options, cache):
        # The limit on the size of files does what a full disk does: write() fails.
        resource = pytest.importorskip("resource")
        fetch_mitbih(**options, records=["101"])
        old = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, old[1]))
        try:
            with pytest.raises(
                DownloadError,
                match=r"/106.dat cannot .*/106.dat: the "
                r"file cannot be written \(File too large\). Make room for it, or",
            ):
                self.fetch(options)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
        self.assert_carries_on(site, options, cache)

    def test_no_server(self, site, options, cache):
        with socket.socket() as taken:  # a port that is not listened to
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(
                DownloadError,
                match=r"SHA256SUMS.txt cannot be .*"
                rf"{url}/mitdb/1.0.0/SHA256SUMS.txt: there is no connection to the "
                r"server \(.*refused\)\. See whether this machine is online",
            ):
                self.fetch(options, base_url=url)
        assert files_in(cache) == []
        assert len(self.fetch(options).data) == 6

    def test_a_silent_server(self, site, options, monkeypatch):
        def silent(*args, **kwargs):
            raise requests.ReadTimeout("Read timed out.")

        monkeypatch.setattr(requests.Session, "get", silent)
        with pytest.raises(DownloadError, match="the server was silent for 30 s."):
            self.fetch(options)

    def test_a_folder_that_cannot_be_made(self, options, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(DownloadError, match=r"be written \(Not a directory\)"):
            self.fetch(options, data_home=tmp_path / "file")

    def test_an_interrupt_by_the_user(self, site, options, cache, monkeypatch):
        get = requests.Session.get

        def get_until_interrupt(session, url, **others):
            if url.endswith("106.dat"):
                raise KeyboardInterrupt
            return get(session, url, **others)

        with monkeypatch.context() as patch:
            patch.setattr(requests.Session, "get", get_until_interrupt)
            with pytest.raises(KeyboardInterrupt):
                self.fetch(options)
        self.assert_carries_on(site, options, cache)

    def test_a_broken_connection_is_tried_again(self, site, options, monkeypatch):
        waits = []
        monkeypatch.setattr("pooch.core.time.sleep", waits.append)
        site.faults[f"{MITBIH}/106.dat"] = ["half", 503, None]
        assert len(self.fetch(options, n_retries=2).data) == 6
        assert waits == [1, 2]
        assert site.requested(MITBIH).count("106.dat") == 3

    def test_a_refusal_is_final(self, site, options):
        site.faults[f"{MITBIH}/106.dat"] = [404]
        with pytest.raises(DownloadError, match="404"):
            self.fetch(options, n_retries=2)
        assert site.requested(MITBIH).count("106.dat") == 1


@pytest.mark.usefixtures("mitbih")
class TestCache:
    @pytest.fixture
    def fetch(self, site):
        def fetch(**options):
            return fetch_mitbih(
                records=["101"], base_url=site.url, n_retries=0, **options
            )

        return fetch

    def test_a_damaged_file_comes_anew(self, site, fetch, cache):
        fetch(data_home=cache)
        signals = cache / MITBIH / "101.dat"
        whole = signals.read_bytes()
        signals.write_bytes(whole[:-1])
        site.requests.clear()
        with pytest.raises(RecordNotFoundError, match="holds them damaged: 101.dat."):
            fetch(data_home=cache, download_if_missing=False)
        assert site.requests == []
        fetch(data_home=cache)
        assert site.requested(MITBIH) == ["101.dat"]
        assert signals.read_bytes() == whole

    def test_the_environment_names_it_if_no_parameter_does(
        self, fetch, tmp_path, monkeypatch
    ):
        monkeypatch.setenv("SK_ERTS_DATA_HOME", str(tmp_path / "environment"))
        monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / name)
        fetch(data_home=str(tmp_path / "parameter"))
        assert os.listdir(tmp_path) == ["parameter"]
        fetch()
        assert sorted(os.listdir(tmp_path)) == ["environment", "parameter"]
        monkeypatch.delenv("SK_ERTS_DATA_HOME")
        fetch()
        assert sorted(os.listdir(tmp_path)) == ["environment", "parameter", "sk_erts"]

    def test_no_leave_to_download(self, site, fetch, cache):
        with pytest.raises(
            RecordNotFoundError,
            match=rf"{cache}/mitdb/1.0.0 lacks .* fetch_mitbih .*: SHA256SUMS.txt.",
        ):
            fetch(data_home=cache, download_if_missing=False)
        fetch(data_home=cache)
        site.requests.clear()
        (cache / MITBIH / "101.hea").unlink()
        with pytest.raises(OSError, match="lacks .* or holds them damaged: 101.hea."):
            fetch(data_home=cache, download_if_missing=False)
        with pytest.raises(OSError, match=r": 101.hea, 106.hea, 106.dat and 4 others."):
            fetch_mitbih(
                records=["101", "106", "202"],
                data_home=cache,
                download_if_missing=False,
            )
        assert site.requests == []

    def test_others_may_read_it_if_the_umask_says_so(self, fetch, cache):
        old = os.umask(0o027)
        try:
            fetch(data_home=cache)
        finally:
            os.umask(old)
        for name in files_in(cache):
            assert (cache / name).stat().st_mode & 0o777 == 0o640

    def test_the_extra_is_needed_to_download_and_for_nothing_else(
        self, fetch, cache, monkeypatch
    ):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "pooch", None)
            command = r'needs the package pooch.*\n.*pip install "sk-erts\[fetch\]"'
            for options in ({"data_home": cache}, {}):
                with pytest.raises(ImportError, match=f"fetch_mitbih.* {command}"):
                    fetch(**options)
        expected = fetch(data_home=cache)
        monkeypatch.setitem(sys.modules, "pooch", None)
        assert_same(fetch(data_home=cache), expected)


class TestProgress:
    @pytest.mark.usefixtures("mitbih")
    def test_one_bar_of_files(self, options, capsys):
        fetch_mitbih(**options, records=["101", "202"], verbose=True)
        bar = capsys.readouterr().err
        assert "6/6" in bar
        assert bar.count("\n") == 1
        fetch_mitbih(**options, records=["101", "202"], verbose=True)
        assert capsys.readouterr().err == ""  # there was nothing to download

    @pytest.mark.usefixtures("mitbih")
    def test_pooch_writes_no_line_for_each_file(self, options, capsys):
        logger = pooch.get_logger()
        lines, filters = [], list(logger.filters)
        handler = logging.Handler()
        handler.emit = lines.append
        logger.addHandler(handler)
        try:
            fetch_mitbih(**options, records=["101"])
        finally:
            logger.removeHandler(handler)
        assert lines == []
        assert capsys.readouterr().err == ""
        assert logger.filters == filters


@pytest.mark.usefixtures("mitbih")
class TestListOfChecksums:
    DIGEST = "0" * 64

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            (f"{DIGEST} ../secret", "line 2: files must lie in .*Got '../secret'"),
            (f"{DIGEST}  a/../../secret", "line 2: .* do not trust this server"),
            (f"{DIGEST} *../secret", "line 2: files must lie in .*Got '../secret'"),
            (f"{DIGEST} /etc/passwd", "line 2: files must lie in .*Got '/etc/passwd'"),
            (f"{DIGEST} ..\\secret", r"line 2: files must lie in the folder of the"),
            (f"{DIGEST} C:secret", "line 2: files must lie in the folder of the list"),
            ("<html>Log in</html>", "line 2: there must be a SHA-256 .*Got '<html>Log"),
            (DIGEST, "line 2: there must be a SHA-256 checksum and a path. Got '000"),
        ],
    )
    def test_a_bad_line_is_refused_and_not_kept(
        self, site, options, cache, line, message
    ):
        path = site.root / MITBIH / LIST
        first, *others = path.read_text().splitlines()
        path.write_text("\n".join([first, line, *others]))
        url = f"{site.url}/{MITBIH}/{LIST}"
        with pytest.raises(DownloadError, match=f"{url}, {message}"):
            fetch_mitbih(**options, records=["101"])
        assert site.requested(MITBIH) == [LIST]
        assert files_in(cache) == []
        site.publish(MITBIH)
        assert len(fetch_mitbih(**options, records=["101"]).data) == 2

    def test_an_empty_one(self, site, options, cache):
        (site.root / MITBIH / LIST).write_text("\n")
        with pytest.raises(DownloadError, match="SHA256SUMS.txt: the list names no f"):
            fetch_mitbih(**options, records=["101"])
        assert files_in(cache) == []

    def test_other_ways_to_write_it(self, site, options):
        path = site.root / MITBIH / LIST
        lines = [line.split() for line in path.read_text().splitlines()]
        path.write_text("".join(f"{k.upper()} *./{name}\r\n" for k, name in lines))
        assert len(fetch_mitbih(**options, records=["101"]).data) == 2
        again = fetch_mitbih(**options, records=["101"], download_if_missing=False)
        assert len(again.data) == 2

    def test_a_record_that_it_does_not_list(self, site, options):
        with pytest.raises(
            RecordNotFoundError,
            match=r"SHA256SUMS.txt must list all .* Missing: 999.hea, 999.dat, 999.atr",
        ):
            fetch_mitbih(**options, records=["101", "999"])
        assert site.requested(MITBIH) == [LIST]

    def test_a_table_that_leads_out(self, site, options, tiny, tiny_table):
        tiny_table.loc[4, "filename_lr"] = "../secret"
        shutil.copytree(tiny, site.root / PTBXL)
        tiny_table.to_csv(site.root / PTBXL / TABLES[0], index=False)
        site.publish(PTBXL)
        with pytest.raises(RecordNotFoundError, match="Missing: ../secret.hea"):
            fetch_ptbxl(**options, folds=[9])
        assert site.requested(PTBXL) == sorted([LIST, *TABLES])


@pytest.mark.parametrize(
    ("fetch", "parameters", "message"),
    [
        (fetch_ptbxl, {"fs": 250}, "'fs' parameter"),
        (fetch_ptbxl, {"folds": [11]}, "'folds' parameter"),
        (fetch_ptbxl, {"single_label": "first"}, "'single_label' parameter"),
        (fetch_ptbxl, {"on_error": "x"}, "'on_error' parameter of fetch_ptbxl"),
        (fetch_mitbih, {"records": "ds3"}, "'records' parameter"),
        (fetch_mitbih, {"records": ["../101"]}, "'records' parameter"),
        (fetch_mitbih, {"window_s": (0, 0)}, "'window_s' parameter"),
        (fetch_mitbih, {"classes": "x"}, "'classes' parameter"),
        (fetch_mitbih, {"leads": []}, "'leads' parameter"),
        (fetch_mitbih, {"on_error": "x"}, "'on_error' parameter of fetch_mitbih"),
        (fetch_cinc2017, {"on_error": "x"}, "'on_error' parameter of fetch_cinc2017"),
        (fetch_georgia, {"labels": "x"}, "'labels' parameter"),
        (fetch_georgia, {"on_error": "x"}, "'on_error' parameter of fetch_georgia"),
        (fetch_cpsc2018, {"labels": "x"}, "'labels' parameter"),
        (fetch_cpsc2018, {"on_error": "x"}, "'on_error' parameter of fetch_cpsc2018"),
        (fetch_cpsc2018, {"n_jobs": 0}, "n_jobs == 0"),
        (fetch_cpsc2018, {"n_retries": -1}, "'n_retries' .*at least 0. Got -1"),
        (fetch_cpsc2018, {"n_retries": 1.5}, "'n_retries' .*an int .*Got 1.5"),
        (fetch_georgia, {"base_url": "ftp://x"}, "'base_url' .*https.*Got 'ftp://x'"),
    ],
)
def test_parameters_are_checked_before_anything_comes(
    site, options, fetch, parameters, message
):
    with pytest.raises(ValueError, match=message):
        fetch(**{**options, **parameters})
    assert site.requests == []
