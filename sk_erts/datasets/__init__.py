"""ECG records to learn from: synthetic ones, and those of PhysioNet."""

from sk_erts.datasets._cinc2017 import load_cinc2017
from sk_erts.datasets._cinc2020 import load_cinc2020
from sk_erts.datasets._fetch_cinc2017 import fetch_cinc2017
from sk_erts.datasets._fetch_cinc2021 import fetch_cpsc2018, fetch_georgia
from sk_erts.datasets._fetch_mitbih import fetch_mitbih
from sk_erts.datasets._fetch_ptbxl import fetch_ptbxl
from sk_erts.datasets._folder import read_records
from sk_erts.datasets._lazy import RecordArray
from sk_erts.datasets._leads import STANDARD_LEADS
from sk_erts.datasets._mitbih import load_mitbih
from sk_erts.datasets._packed import PackedRecords, open_records, to_memmap
from sk_erts.datasets._ptbxl import load_ptbxl
from sk_erts.datasets._synthetic import make_ecg

__all__ = [
    "STANDARD_LEADS",
    "PackedRecords",
    "RecordArray",
    "fetch_cinc2017",
    "fetch_cpsc2018",
    "fetch_georgia",
    "fetch_mitbih",
    "fetch_ptbxl",
    "load_cinc2017",
    "load_cinc2020",
    "load_mitbih",
    "load_ptbxl",
    "make_ecg",
    "open_records",
    "read_records",
    "to_memmap",
]
