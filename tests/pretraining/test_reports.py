"""Reports: a table of statements, built reports, and PTB-XL's own in one wording."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sk_erts.pretraining._normalised import normalise_reports, pieces_of
from sk_erts.pretraining._reports import structured_reports
from sk_erts.pretraining._sections import SECTIONS, read_statements
from sk_erts.pretraining._statements import read_table, scp_descriptions

CODES = tuple(scp_descriptions().index)
SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")


@pytest.fixture
def database():
    """Return a table in the format of ``ptbxl_database.csv``."""
    empty = [None] * 4
    return pd.DataFrame(
        {
            "ecg_id": [3, 5, 8, 13],
            "scp_codes": [
                "{'NORM': 100.0, 'SR': 0.0}",
                "{'IMI': 35.0, 'LVH': 80.0, 'LAFB': 100.0, 'VCLVH': 0.0, 'SR': 0.0}",
                "{'AFIB': 0.0, 'PVC': 0.0}",
                "{}",
            ],
            "heart_axis": ["MID", "LAD", np.nan, np.nan],
            "infarction_stadium1": [np.nan, "Stadium II-III", np.nan, np.nan],
            "infarction_stadium2": empty,
            "baseline_drift": [" , V5,6", np.nan, np.nan, np.nan],
            "static_noise": [np.nan, "leicht,  ,  ", " , I-AVF,  ", np.nan],
            "burst_noise": [np.nan, "alles", np.nan, np.nan],
            "electrodes_problems": [np.nan, np.nan, "V1???", np.nan],
            "extra_beats": [np.nan, np.nan, "VES,SVES2,alles", np.nan],
            "pacemaker": [np.nan, np.nan, "ja, pacemaker", np.nan],
        }
    ).set_index("ecg_id")


@pytest.fixture
def real_table():
    """Return the real ``ptbxl_database.csv``, or skip."""
    default = Path(__file__).parents[3] / "shared" / "data"
    path = Path(os.environ.get("SK_ERTS_DATA", default), "ptbxl", "ptbxl_database.csv")
    if not path.is_file():
        pytest.skip(f"no {path}; set SK_ERTS_DATA to the folder that holds ptbxl")
    return pd.read_csv(path, index_col="ecg_id")


def names_of(code):
    """Return a pattern that finds a statement by any of its names."""
    either = "|".join(re.escape(name) for name in read_statements()[code].all_names)
    return re.compile(rf"\b({either})(s|es)?\b", re.IGNORECASE)


class TestStatements:
    def test_each_superclass_of_a_statement_has_a_row(self):
        table = scp_descriptions()
        assert table.index.is_unique
        assert set(table["superclass"]) - {""} == set(SUPERCLASSES)
        for code in SUPERCLASSES:
            assert "superclass" in table.loc[code, "kinds"].split()

    @pytest.mark.parametrize("column", ["name", "definition", "appearance", "source"])
    def test_no_cell_is_empty_and_no_text_stands_twice(self, column):
        texts = scp_descriptions()[column]
        assert texts.str.strip().ne("").all()
        assert column == "source" or texts.is_unique

    def test_definitions_are_one_sentence_and_appearances_one_or_two(self):
        table = scp_descriptions()
        ends = r"[.](?=\s|$)"
        assert table["definition"].str.count(ends).eq(1).all()
        assert table["appearance"].str.count(ends).isin([1, 2]).all()
        for column in ("definition", "appearance"):
            assert table[column].str.endswith(".").all()

    def test_no_text_of_a_superclass_names_a_statement_of_another_name(self):
        table = read_statements()
        for superclass in SUPERCLASSES:
            text = table[superclass].definition + table[superclass].appearance
            for code in set(CODES) - {superclass}:
                assert not names_of(code).search(text), (superclass, code)

    def test_no_two_statements_share_a_name(self):
        names = [
            name.lower() for row in read_statements().values() for name in row.all_names
        ]
        assert len(set(names)) == len(names)


class TestSections:
    def test_rows_and_columns_are_those_asked_for(self, database):
        reports = structured_reports(database)
        assert reports.index.equals(database.index)
        assert tuple(reports.columns) == SECTIONS

    def test_a_record_of_which_nothing_is_known_has_empty_strings(self, database):
        reports = structured_reports(database)
        assert reports.loc[13].tolist() == [""] * 4
        assert not reports.isna().any(axis=None)

    def test_definitions_are_of_statements_and_their_superclasses(self, database):
        table = scp_descriptions()["definition"]
        text = structured_reports(database).loc[5, "definition"]
        for code in ("IMI", "LVH", "LAFB", "VCLVH", "SR", "MI", "HYP", "CD"):
            assert text.count(table[code]) == 1
        assert table["STTC"] not in text

    def test_a_normal_record_is_defined_once(self, database):
        text = structured_reports(database).loc[3, "definition"]
        assert text.count(scp_descriptions().loc["NORM", "definition"]) == 1

    def test_appearances_are_of_statements_alone(self, database):
        table = scp_descriptions()["appearance"]
        text = structured_reports(database).loc[8, "appearance"]
        assert text == f"{table['PVC']} {table['AFIB']}"

    def test_the_verdict_tells_likely_statements_first_and_how_sure_they_are(
        self, database
    ):
        assert structured_reports(database)["verdict"].tolist() == [
            "Conclusion: normal ECG.",
            "Conclusion: left anterior fascicular block; probable left ventricular "
            "hypertrophy; questionable inferior myocardial infarction. "
            "Classes: conduction disturbance, hypertrophy, myocardial infarction.",
            "",
            "",
        ]

    def test_observations_tell_all_remarks(self, database):
        observations = structured_reports(database)["observations"]
        assert observations[3] == (
            "Rhythm: sinus rhythm. Normal heart axis. Baseline drift in V5, V6."
        )
        assert observations[5] == (
            "Rhythm: sinus rhythm. Form: voltage criteria for left ventricular "
            "hypertrophy. Left axis deviation. Infarct in stadium II to III, subacute "
            "to old. Slight static noise. Burst noise in all leads."
        )
        assert observations[8] == (
            "Rhythm: atrial fibrillation. Form: ventricular premature complex. "
            "Extra beats: ventricular premature complexes. "
            "Extra beats: 2 supraventricular premature complexes. "
            "A pacemaker is present. "
            "Static noise in I to aVF. Electrode problem in V1, questionable."
        )

    @pytest.mark.parametrize(
        ("column", "cell", "told"),
        [
            ("pacemaker", "nein", ""),
            ("pacemaker", "?, nan", "A pacemaker is possible."),
            ("heart_axis", "of no kind", ""),
            ("infarction_stadium2", "Stadium I", "Infarct in stadium I, acute."),
            (
                "extra_beats",
                "1ES",
                "Extra beats: 1 premature complex of unknown origin.",
            ),
            (
                "extra_beats",
                "VES6,II-V3",
                "Extra beats: 6 ventricular premature complexes.",
            ),
            (
                "extra_beats",
                "I-AVR",
                "Extra beats: premature complexes of unknown origin.",
            ),
            ("static_noise", " , ", ""),
            ("static_noise", "Stark, noisy recording,", "Strong static noise."),
            ("burst_noise", "v1-3,AVL", "Burst noise in V1 to V3, aVL."),
            (
                "baseline_drift",
                " , II,III,AVF-V6",
                "Baseline drift in II, III, aVF to V6.",
            ),
        ],
    )
    def test_a_remark_is_read_as_its_annotators_wrote_it(self, column, cell, told):
        table = pd.DataFrame({"scp_codes": [{}], column: [cell]})
        assert structured_reports(table).loc[0, "observations"] == told

    def test_a_table_of_statements_alone_is_enough(self, database):
        reports = structured_reports(database[["scp_codes"]])
        assert reports["verdict"].equals(structured_reports(database)["verdict"])
        assert reports.loc[3, "observations"] == "Rhythm: sinus rhythm."

    def test_dictionaries_are_as_good_as_their_text(self, database):
        as_dicts = database.assign(scp_codes=database["scp_codes"].map(eval))
        assert structured_reports(as_dicts).equals(structured_reports(database))


class TestMinLikelihood:
    def test_less_likely_statements_go_and_unknown_ones_stay(self, database):
        report = structured_reports(database, min_likelihood=80).loc[5]
        assert "infarction" not in report["verdict"]
        assert "probable left ventricular hypertrophy" in report["verdict"]
        assert "sinus rhythm" in report["observations"]
        assert "voltage criteria" in report["observations"]

    @pytest.mark.parametrize("wrong", [-1, 101, "80", None, np.nan])
    def test_it_is_a_percentage(self, database, wrong):
        with pytest.raises(ValueError, match="'min_likelihood' parameter of struct"):
            structured_reports(database, min_likelihood=wrong)


class TestExclude:
    @pytest.mark.parametrize("code", CODES)
    def test_what_is_excluded_is_named_nowhere(self, code):
        # One record has all statements, so that any text could name it.
        codes = {other: 100.0 for other in CODES if other not in SUPERCLASSES[1:]}
        every = pd.DataFrame({"scp_codes": [codes], "extra_beats": ["VES,SVES,1ES"]})
        every["pacemaker"], every["infarction_stadium1"] = "ja, pacemaker", "unknown"
        before = " ".join(structured_reports(every).loc[0])
        after = " ".join(structured_reports(every, exclude=(code,)).loc[0])
        assert names_of(code).search(before)
        assert not names_of(code).search(after)

    def test_the_rest_stays_as_it_was(self, database):
        report = structured_reports(database, exclude=("LVH",)).loc[5]
        table = scp_descriptions()
        for code in ("IMI", "LAFB", "SR", "HYP"):
            assert table.loc[code, "definition"] in report["definition"]
        assert table.loc["LVH", "appearance"] not in report["appearance"]
        assert report["verdict"] == (
            "Conclusion: left anterior fascicular block; questionable inferior "
            "myocardial infarction. Classes: conduction disturbance, hypertrophy, "
            "myocardial infarction."
        )

    @pytest.mark.parametrize(
        ("superclass", "gone", "kept"),
        [("MI", "infarct", "fascicular"), ("CD", "fascicular", "infarct")],
    )
    def test_a_superclass_goes_with_all_its_statements(
        self, database, superclass, gone, kept
    ):
        texts = " ".join(structured_reports(database, exclude=superclass).loc[5])
        assert gone not in texts.lower()
        assert kept in texts.lower()

    def test_own_texts_are_held_to_it_too(self, database):
        own = pd.DataFrame({"verdict": ["Some LVH. Left bundle is fine."]}, index=[5])
        reports = structured_reports(database, exclude="LVH", texts=own)
        assert reports.loc[5, "verdict"] == "Left bundle is fine."

    def test_an_unknown_code_is_refused_with_the_nearest(self, database):
        with pytest.raises(ValueError, match="Did you mean 'CLBBB'"):
            structured_reports(database, exclude=["LVH", "CLBB"])

    @pytest.mark.parametrize("wrong", [3, None])
    def test_it_must_hold_codes(self, database, wrong):
        with pytest.raises(ValueError, match="'exclude' parameter of structured_repor"):
            structured_reports(database, exclude=wrong)


class TestOwnTexts:
    def test_a_table_takes_the_place_of_what_it_holds(self, database):
        built = structured_reports(database)
        own = pd.DataFrame(
            {"verdict": [None, "Mine. "], "definition": ["Own.", np.nan]}, index=[8, 5]
        )
        reports = structured_reports(database, texts=own)
        assert reports.loc[5, "verdict"] == "Mine."
        assert reports.loc[8, "definition"] == "Own."
        built.loc[5, "verdict"], built.loc[8, "definition"] = "Mine.", "Own."
        assert reports.equals(built)

    def test_a_function_is_asked_with_each_row(self, database):
        asked = []

        def write(row):
            asked.append(row.name)
            return {"observations": f"Axis {row['heart_axis']}."}

        reports = structured_reports(database, texts=write)
        assert asked == database.index.tolist()
        assert reports.loc[5, "observations"] == "Axis LAD."
        assert reports["verdict"].equals(structured_reports(database)["verdict"])

    @pytest.mark.parametrize(
        ("texts", "told"),
        [
            ("a text", "be None, a function of a row, or a DataFrame. Got an object"),
            (lambda row: "a text", "give a dictionary of sections.*row 3"),
            (lambda row: {"verdikt": "x"}, "Did you mean 'verdict'"),
            (lambda row: {"verdict": 3}, "strings. Got 3 as verdict of row 3"),
            (pd.DataFrame({"verdikt": ["x"]}, index=[3]), "Did you mean 'verdict'"),
            (pd.DataFrame({"verdict": ["x"]}, index=[4]), "rows of 'database'.*4"),
            (pd.DataFrame({"verdict": ["x", "y"]}, index=[3, 3]), "one row per record"),
        ],
    )
    def test_others_are_refused(self, database, texts, told):
        with pytest.raises(ValueError, match=f"'texts.*of structured_reports.*{told}"):
            structured_reports(database, texts=texts)


class TestDatabase:
    @pytest.mark.parametrize("wrong", [[{"SR": 0.0}], None, pd.DataFrame({"a": [1]})])
    def test_it_must_have_statements(self, wrong):
        with pytest.raises(ValueError, match="'database'.*column 'scp_codes'.*Got"):
            structured_reports(wrong)

    @pytest.mark.parametrize("cell", ["no dictionary", "{", None, 3.0, "['SR']"])
    def test_a_cell_that_is_no_dictionary_is_named(self, database, cell):
        database["scp_codes"] = database["scp_codes"].astype(object)
        database.at[8, "scp_codes"] = cell
        told = f"{re.escape(repr(cell))} in row 8"
        with pytest.raises(ValueError, match=told):
            structured_reports(database)

    def test_of_many_unknown_statements_five_are_named(self):
        table = pd.DataFrame({"scp_codes": [{"XYZ": 0.0}] * 7})
        with pytest.raises(ValueError, match="in row 4 and 2 more") as caught:
            structured_reports(table)
        assert "row 5" not in str(caught.value)


class TestPhrases:
    def test_no_phrase_stands_twice(self):
        fold = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
        words = [
            tuple(re.findall(r"\w+|[^\w\s]", phrase.translate(fold)))
            for phrase in read_table("phrases.csv")["phrase"]
        ]
        assert len(set(words)) == len(words)

    def test_each_row_is_whole(self):
        table = read_table("phrases.csv")
        assert table.ne("").all(axis=None)
        assert set(table["language"]) == {"de", "en", "sv"}
        assert set(table["role"]) == {"finding", "before", "joins", "part"}
        assert table["english"].str.fullmatch(r"[a-z0-9 ,()&'-]+").all()

    def test_its_english_stays_as_it_is(self):
        # Else a report would change when it is normalised twice.
        english = read_table("phrases.csv")["english"].unique()
        for text in english:
            assert "".join(piece.text for piece in pieces_of(text)).replace(
                " ", ""
            ) == text.replace(" ", "")


class TestNormalise:
    @pytest.mark.parametrize(
        ("report", "wanted"),
        [
            ("sinus rhythm. normal ecg.", "sinus rhythm. normal ecg."),
            ("sinusrhythmus normales ekg", "sinus rhythm. normal ecg."),
            ("sinusrytm normalt ekg", "sinus rhythm. normal ecg."),
            (
                "ventrikulÄre extrasystole(n) sinusrhythmus",
                "premature ventricular contraction(s). sinus rhythm.",
            ),
            (
                "premature ventricular contraction(s). sinus rhythm.",
                "premature ventricular contraction(s). sinus rhythm.",
            ),
            # The longest phrase counts.
            (
                "ueberdrehter linkstyp linkstyp",
                "marked left axis deviation. left axis deviation.",
            ),
            # Two ways to write an umlaut, and a broken one.
            ("Überdrehter linkstyp", "marked left axis deviation."),
            (
                "mÄssige amplitudenkriterien f#r linkshypertrophie",
                "moderate voltage criteria for left ventricular hypertrophy.",
            ),
            ("lÅga qrs amplituder", "low voltage."),
            # Items of a list belong to what stands in front of them, or are sentences.
            (
                "st & t abnorm, wahrscheinlich    anterolaterale ischÄmie oder "
                "linksbelastung    inferolaterale ischÄmie oder linksbelastung",
                "st & t abnormal, probably anterolateral ischaemia or lv strain. "
                "inferolateral ischaemia or lv strain.",
            ),
            (
                "t abnorm in anterioren ableitungen    inferioren ableitungen",
                "t waves are abnormal in anterior leads, inferior leads.",
            ),
            (
                "qrs(t) abnorm    inferiorer infarkt     alter unbest.",
                "abnormal qrs(t). inferior myocardial infarction of uncertain age.",
            ),
            (
                "verdacht auf p-sinistrocardiale lagetyp normal",
                "suspected left atrial enlargement. normal axis.",
            ),
            ("st-senkung in v5,6", "st segments are depressed in v5,6."),
            ("old infarct, lvh.", "old myocardial infarction, left ventricular "
             "hypertrophy."),
            ("sinus   rhythm.\n normal    ecg", "sinus rhythm. normal ecg."),
            # What the table does not know.
            ("sinusrhythmus cordichin 3x1", "sinus rhythm cordichin 3x1."),
        ],
    )  # fmt: skip
    def test_one_finding_has_one_wording(self, report, wanted):
        assert normalise_reports([report]) == [wanted]

    @pytest.mark.parametrize(
        "boilerplate",
        [
            " 4.46                          unbestÄtigter bericht",
            " 4.46                          unbestÄtigter beri",
            " 4.46                          un",
            " Edit: NORM 100, (NORM 100)",
            " 4.46     unbestÄtigter bericht Edit: LVH 35, Sokolow 3,5",
            " trace only requested.",
        ],
    )
    def test_boilerplate_is_no_finding(self, boilerplate):
        assert normalise_reports(["lagetyp normal" + boilerplate]) == ["normal axis."]

    def test_a_report_of_boilerplate_alone_becomes_empty(self):
        assert normalise_reports(["trace only requested."]) == [""]

    def test_a_number_of_an_electrical_axis_is_no_boilerplate(self):
        assert normalise_reports(["rate 4.46 unusual"]) == ["rate 4.46 unusual."]

    def test_to_normalise_twice_changes_nothing(self):
        reports = read_table("phrases.csv")["phrase"].tolist()
        once = normalise_reports(reports)
        assert normalise_reports(once) == once

    def test_a_column_an_array_and_a_list_are_the_same(self):
        reports = ["sinusrytm", "vorhofflimmern"]
        wanted = normalise_reports(reports)
        assert normalise_reports(pd.Series(reports, index=[4, 2])) == wanted
        assert normalise_reports(np.array(reports)) == wanted
        assert normalise_reports(iter(reports)) == wanted

    @pytest.mark.parametrize("wrong", [None, np.nan, "", "  ", 3, b"sinus rhythm"])
    def test_what_is_no_report_is_named_by_its_row(self, wrong):
        reports = pd.Series(["sinus rhythm.", wrong], index=[17, 21], dtype=object)
        message = "'reports' of normalise_reports must .* in rows 21: leave"
        with pytest.raises(ValueError, match=message):
            normalise_reports(reports)
        with pytest.raises(ValueError, match="in rows 1: leave"):
            normalise_reports(reports.tolist())

    def test_of_many_five_are_named(self):
        with pytest.raises(ValueError, match="in rows 0, 1, 2, 3, 4 and 2 more: leave"):
            normalise_reports([None] * 7)

    @pytest.mark.parametrize(
        "wrong", ["sinus rhythm", None, 3, {"a": "b"}, {"a", "b"}, np.array("a")]
    )
    def test_what_is_no_sequence_is_refused(self, wrong):
        with pytest.raises(ValueError, match="must be a sequence of texts"):
            normalise_reports(wrong)

    def test_a_table_is_refused(self):
        with pytest.raises(ValueError, match=r"one-dimensional.* the shape \(\d, \d\)"):
            normalise_reports(pd.DataFrame({"report": ["sinus rhythm"]}))


@pytest.mark.real
def test_real_statements_are_those_of_the_table(real_table):
    path = Path(
        os.environ.get("SK_ERTS_DATA", Path(__file__).parents[3] / "shared/data")
    )
    given = pd.read_csv(path / "ptbxl" / "scp_statements.csv", index_col=0)
    table = scp_descriptions()
    assert set(given.index) | set(SUPERCLASSES) == set(table.index)
    for code, row in given.iterrows():
        kinds = {kind for kind in ("diagnostic", "form", "rhythm") if row[kind] == 1}
        assert set(table.loc[code, "kinds"].split()) - {"superclass"} == kinds
        superclass = row["diagnostic_class"] if row["diagnostic"] == 1 else ""
        assert table.loc[code, "superclass"] == superclass


@pytest.mark.real
def test_real_records_have_reports(real_table):
    reports = structured_reports(real_table)
    assert not reports.isna().any(axis=None)
    has_statements = real_table["scp_codes"] != "{}"
    assert ((reports["definition"] != "") == has_statements).all()
    assert ((reports["appearance"] != "") == has_statements).all()
    # Whoever looked at the record remarked on its quality in the same leads.
    drift = reports["observations"].str.contains("aseline drift")
    remarked = real_table["baseline_drift"].str.contains(r"\w", na=False)
    assert (drift == remarked).all()


@pytest.mark.real
def test_real_words_of_other_languages_are_known_to_the_share_that_is_promised(
    real_table,
):
    reports = real_table["report"][real_table["report"].str.strip() != ""]
    assert set(real_table["strat_fold"]) == set(range(1, 10))
    english = re.compile(
        r"\b(rhythm|ecg|fibrillation|segments|waves|requested|is|are|the|with|beats"
        r"|contractions?|tracing|due)\b"
    )
    others = re.compile(r"[åäöü]|vorhof|lagetyp|sinusrhy|\bekg\b|linkstyp|sinusrytm")
    words = {True: [], False: []}
    for report in reports:
        text = re.sub(r"edit:.*", "", report.lower(), flags=re.DOTALL)
        is_english = bool(english.search(text) and not others.search(text))
        words[is_english] += [
            (word, bool(piece.role))
            for piece in pieces_of(report)
            for word in piece.words
            if re.fullmatch(r"[^\W\d_]{2,}", word)
        ]
    both = {word for word, _ in words[True]}
    known = [is_known for word, is_known in words[False] if word not in both]
    promised = re.search(r"it\s+knows (\d+) %", normalise_reports.__doc__)
    assert round(100 * np.mean(known)) == int(promised[1]) >= 95


@pytest.mark.real
def test_real_reports_end_with_a_full_stop_and_hold_no_runs_of_spaces(real_table):
    reports = real_table["report"][real_table["report"].str.strip() != ""]
    normalised = pd.Series(normalise_reports(reports))
    told = normalised[normalised != ""]
    assert told.str.contains(r"[.!?]$").all()
    assert not told.str.contains(r"\s{2}|\s[.,;]|unbest|edit:").any()
    # Of those that only said that a trace was wanted, nothing is left.
    empty = reports.str.contains("trace only requested").to_numpy()
    assert (normalised[empty] == "").mean() > 0.9


@pytest.mark.real
def test_real_reports_with_an_empty_one_are_refused_by_its_row(real_table):
    empty = real_table.index[real_table["report"].str.strip() == ""][0]
    with pytest.raises(ValueError, match=f"Got empty texts in rows {empty}: leave"):
        normalise_reports(real_table["report"])
