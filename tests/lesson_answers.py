"""What lessons must have printed, so that what they say in words is true.

One function for each lesson, by its number; `test_lessons` holds scripts and executed
notebooks to it. Bounds leave room for another processor, whose rounding leads a
training elsewhere, and none for the opposite of what is said.
"""

import re


def number(pattern, told):
    """Return the number that a pattern with one group finds."""
    found = re.search(pattern, told)
    assert found, f"nothing like {pattern!r} in:\n{told}"
    return float(found[1])


def table(pattern, told):
    """Return {name: numbers} for a pattern whose first group is a name."""
    return {
        name: [float(value) for value in values]
        for name, *values in re.findall(pattern, told, re.MULTILINE)
    }


def lesson_01(told):
    row = r"^(\w+): accuracy ([\d.]+) for ([\d.]+) effective epochs"
    found = table(row, told)
    assert list(found) == ["selection", "everything", "stopped"]
    (ours, cost), (full, most), (short, as_much) = found.values()
    assert cost < 0.7 * most == 0.7 * 14
    assert abs(as_much - cost) < 1
    assert min(ours, full, short) > 0.9
    assert abs(ours - full) < 0.05
    assert cost < number(r"as much as ([\d.]+) epochs", told) < most
    assert cost < number(r"threshold 0.95: ([\d.]+) effective", told) < most


def lesson_02(told):
    assert "judged by: evidence for the label" in told
    labelled, truth = re.search(r"labelled (\w+), in truth (\w+)", told).groups()
    assert labelled != truth
    row = (
        r"^(\w+) labels: (\d+) records, ever doubted (\d+), often (\d+), "
        r"on average in ([\d.]+)"
    )
    found = table(row, told)
    wrong, ever, often, epochs = found["wrong"]
    right, ever_right, often_right, epochs_right = found["right"]
    assert wrong + right == 240
    assert ever > 0.6 * wrong
    assert often > 0.5 * wrong
    assert 0 < ever_right < 0.2 * right
    assert often_right < 0.1 * right
    assert epochs > 5 * epochs_right
    assert number(r"wrong labels among the first 20: (\d+)", told) >= 15
    assert re.search(r"^softened +[1-9]", told, re.MULTILINE)
    assert number(r"first doubt in epoch \d+, confidence ([\d.]+)", told) < 0.7


def lesson_03(told):
    assert number(r"accuracy on new records: ([\d.]+)", told) > 0.9
    assert "400 time steps became 50 of 32 channels" in told
    assert number(r"weights of .* differ by at most (\S+)", told) < 1e-6
    assert number(r"map by hand differ by at most (\S+)", told) < 1e-5
    assert "highest in the premature beat: True" in told
    whole = number(r"sum and bias: (\S+)", told)
    assert abs(whole - number(r"logit: (\S+)", told)) < 2e-3
    assert number(r"contrasts differ by at most (\S+)", told) < 1e-5


def lesson_04(told):
    row = r"^(\w+): gain (\S+), enrichment ([\d.]+)"
    found = table(row, told)
    chance, enriched_by_chance = found.pop("chance")
    assert list(found) == ["gradcam", "integrated_gradients"]
    for gain, enriched in found.values():
        assert gain > abs(chance) + 0.1
        assert enriched > enriched_by_chance + 0.5
    assert re.findall(r"survives random weights: (\w+)", told) == ["False", "False"]
    # A map that never asks the network points as well as one that does.
    loud = number(r"loudest samples: enrichment ([\d.]+)", told)
    assert loud > enriched_by_chance + 0.5


def lesson_05(told):
    assert "['easy', 'trained', 'easy', 'easy', 'trained', 'easy']" in told
    row = r"^([a-z ]+): accuracy ([\d.]+) for ([\d.]+) .* trained (\d+)%"
    rule, chance, filtered = table(row, told).values()
    assert max(cost for _, cost, _ in (rule, chance, filtered)) < 11
    assert rule[0] < chance[0] - 0.03
    assert filtered[0] >= chance[0] - 0.02
    assert rule[2] > 40 > 20 > chance[2] > filtered[2] < 8
    everything = number(r"everything: accuracy ([\d.]+) for 20.0", told)
    assert everything > 0.9
    mended, wrong = map(
        float, re.search(r"mended: accuracy ([\d.]+), .* trained (\d+)%", told).groups()
    )
    assert mended > rule[0] + 0.03
    assert wrong < 20


def lesson_06(told):
    row = r"^([\d.]+ / [\d.]+): macro-F1 ([\d.]+), effective epochs ([\d.]+)"
    found = table(row, told)
    assert list(found) == ["0.5 / 0.2", "0.5 / 0.5", "0.9 / 0.2", "0.9 / 0.5"]
    spread = number(r"spread between folds: ([\d.]+)", told)
    names = re.search(r"best: ([\d. /]+); as good, and cheapest: (.+)", told).groups()
    (best, cost), (alike, least) = (found[name] for name in names)
    assert best == max(score for score, _ in found.values())
    assert best - alike <= spread + 0.01  # both are printed with two digits
    assert least <= cost
    (_, low), (_, low_too), (_, high), (_, high_too) = found.values()
    assert max(low, low_too) < min(high, high_too)
    never_wrong = number(r"never wrong: macro-F1 ([\d.]+)", told)
    assert best < never_wrong < 0.95
    assert f"chosen: {names[1]}\n" in told


def lesson_07(told):
    assert "labels: BBB, PVC" in told
    assert number(r"effective epochs: ([\d.]+) of 16", told) < 14
    row = r"^(\w+): right ([\d.]+), share of the map in its half ([\d.]+)"
    found = table(row, told)
    assert list(found) == ["BBB", "PVC"]
    for right, share in found.values():
        assert right > 0.85
        assert share > 0.75
    both = number(r"all labels of a record right: ([\d.]+)", told)
    assert both <= min(right for right, _ in found.values())
    counted = re.search(r"by number of right labels: \[([ \d]+)\]", told)[1].split()
    assert round(int(counted[2]) / 200, 2) == both
    row = r"^from ([\d.]+) on: sensitivity ([\d.]+), specificity ([\d.]+)"
    (found, spared), (found_more, spared_less) = table(row, told).values()
    assert found_more >= found
    assert spared_less <= spared


def lesson_08(told):
    trained, ventricular = map(
        int, re.search(r"(\d+) beats to train on, (\d+) of them", told).groups()
    )
    assert 0.1 * trained < ventricular < 0.5 * trained
    found = table(r"^(\w+): balanced accuracy ([\d.]+) on", told)
    assert list(found) == ["ResNet1d", "LSTM1d"]
    assert min(score for (score,) in found.values()) > 0.93
    missed = table(r"^(\w+): maps miss ([\d.]+)% of the logits", told)
    assert max(share for (share,) in missed.values()) < 5
    row = r"^(\w+), evidence for V: ([\d.]+)% in .*, most in segment (\d+)"
    convolutional, recurrent = table(row, told).values()
    assert convolutional[0] > 50
    assert convolutional[1] in (4, 5)
    assert recurrent[0] < convolutional[0] - 10
    for question in ("most against V", "beats differ most"):
        asked = table(rf"^(\w+): {question} in segment (\d+)", told)
        assert list(asked) == ["ResNet1d", "LSTM1d"]
        assert all(1 <= segment <= 11 for (segment,) in asked.values())


def lesson_09(told):
    assert number(r"accuracy on new records: ([\d.]+)", told) > 0.9
    own = number(r"intrinsic: (\d+)% inside", told)
    assert own > 50
    assert own > number(r"gradcam: (\d+)% inside", told) + 10
    assert own > number(r"by chance: (\d+)%", told) + 20
    assert number(r"differ from the logit by at most (\S+)", told) < 1e-4
    shares = table(r"^variance .* comes with the (\w+): (-?\d+)%", told)
    assert shares["bias"][0] > 60 > 40 > shares["map"][0]
    assert abs(shares["bias"][0] + shares["map"][0] - 100) <= 1
    alone = table(r"^(\w+) alone is right: ([\d.]+)", told)
    assert min(alone["map"] + alone["bias"]) > 0.8
    assert 20 < number(r"with the penalty: (\d+)% inside", told) < 100


def lesson_10(told):
    wrong, of = map(int, re.search(r"(\d+) of (\d+) labels are wrong", told).groups())
    assert (wrong, of) == (24, 240)
    read, changed = map(
        int, re.search(r"(\d+) records read, (\d+) labels changed", told).groups()
    )
    assert read == of / 8
    row = (
        r"^([a-z ()]+): wrong among the first "
        r"([\d.]+) of 10, ([\d.]+) of 20, ([\d.]+) of 30"
    )
    audited, alone = table(row, told).values()
    assert audited[0] >= 0.8
    assert audited[1] >= 0.7
    assert audited[1] > audited[2]  # the further down, the fewer
    assert abs(audited[2] - changed / read) < 0.01
    assert max(abs(a - b) for a, b in zip(audited, alone, strict=True)) < 0.2
    assert audited[2] > 4 * number(r"random order: ([\d.]+)", told)
    found = number(r"found: (\d+) of 24 wrong labels", told)
    assert found == changed > 0.6 * wrong
    before, after = re.search(r"wrong labels: (\d+) before, (\d+) after", told).groups()
    assert int(before) - int(after) == changed
    scores = re.search(r"accuracy: ([\d.]+) before, ([\d.]+) after", told).groups()
    assert min(map(float, scores)) > 0.85
    spoilt, usual = re.search(r"spoilt: (\d+)% of them, (\d+)% of all", told).groups()
    assert int(spoilt) > 2 * int(usual)
    for_signal = number(r"for their signal: (\d+) of 30", told)
    assert 0 < for_signal < 30
    assert number(r"spoilt: (\d+) of them", told) > 0.8 * for_signal


def lesson_11(told):
    row = (
        r"^(\w+): decides (\d+)% .*\n  wrong: ([\d.]+)% of them, ([\d.]+)% of all\n"
        r"  of (\d+) errors (\d+) come .*\n  area under the curve: ([\d.]+)"
    )
    found = table(row, told)
    assert list(found) == ["one", "three"]
    for decided, wrong, wrong_of_all, errors, spared, _ in found.values():
        assert 40 < decided < 95
        assert wrong < 0.5 * wrong_of_all
        assert spared > 0.5 * errors
    one, three = found.values()
    assert three[2] < one[2]
    assert three[5] < one[5]
    left = number(r"spoilt, left to the reader: (\d+)%", told)
    assert left > 2 * number(r"spoilt, decided: (\d+)%", told)
    areas = table(r"^(total|aleatoric|epistemic): ([\d.]+)", told)
    assert areas["epistemic"] > areas["total"]
    strange, usual = re.search(
        r"doubt: ([\d.]+) .* ([\d.]+) of the test", told
    ).groups()
    assert float(strange) > float(usual)


def lesson_12(told):
    sizes = table(r"^([a-z0-9.]+): ([\d.]+) MB$", told)
    assert list(sizes) == ["float32.npy", "float32.zarr", "int16.npy"]
    assert sizes["int16.npy"][0] < 0.6 * sizes["float32.npy"][0]
    row = (
        r"^(\S+): probabilities differ by (\S+), same choice: (\w+), "
        r"([\d.]+) of ([\d.]+) MB in memory"
    )
    found = {name: values for name, *values in re.findall(row, told, re.MULTILINE)}
    assert list(found) == list(sizes)
    for name in ("float32.npy", "float32.zarr"):
        assert found[name][:2] == ["0", "True"]
    assert 0 < float(found["int16.npy"][0]) < 0.2
    for _, _, held, whole in found.values():
        assert float(held) < 0.6 * float(whole)
    assert 0 < number(r"off by at most ([\d.]+) microvolt", told) < 1
    half, all_of_them = map(
        float,
        re.search(
            r"half of the records: ([\d.]+) MB, all of them: ([\d.]+)", told
        ).groups(),
    )
    assert half > 0.7 * all_of_them
    divided, read = map(
        float, re.search(r"dividing takes ([\d.]+) MB, .* ([\d.]+) MB", told).groups()
    )
    assert divided < 0.05 * read
    assert "memmap of shape (200, 12, 1000)" in told


def lesson_13(told):
    assert "trainings in other processes: True" in told
    assert "equal scores, bit for bit: True" in told
    assert number(r"the array is (\d+) times as much to send", told) > 50
    assert re.search(r"focus_threshold=0.[25] is better; both folds agree: \w+", told)
    assert "equal probabilities: True" in told


def lesson_14(told):
    assert number(r"accuracy on new records: ([\d.]+)", told) > 0.85
    assert number(r"maps differ by at most (\S+)", told) < 1e-5
    assert "in halves judged by: evidence for the label" in told
    assert "in one piece judged by: reliability of the record" in told
    assert "in halves, a gradient is prepared: False" in told
    assert "in one piece, a gradient is prepared: True" in told
    assert re.search(r"^judged by: reliability of the record", told, re.MULTILINE)
    assert "maps of shape (120, 300), by a gradient" in told


def lesson_15(told):
    different, wrong = re.search(
        r"(\d+) different reports, (\d+) of another class", told
    ).groups()
    assert 20 < int(different) <= 54
    row = r"^(\w+) reports: (\d+) records, ever put aside (\d+), often (\d+)"
    found = table(row, told)
    assert found["wrong"][0] == int(wrong) == 240 - found["right"][0]
    assert found["wrong"][1] > 0.7 * found["wrong"][0]
    assert 0 < found["right"][1] < 0.35 * found["right"][0]
    assert found["right"][2] < 0.1 * found["right"][0]
    assert found["wrong"][2] > 0.5 * found["wrong"][0]
    sentences, searched = map(
        float,
        re.search(
            r"no label: sentences ([\d.]+), words searched ([\d.]+)", told
        ).groups(),
    )
    assert min(sentences, searched) > 0.88
    few, some, whole = (
        table(rf"^{n} labels, ([a-z -]+): ([\d.]+)", told) for n in (10, 50, 240)
    )
    ways = ["from scratch", "pre-trained", "linear on embeddings"]
    assert list(few) == list(some) == list(whole) == ways
    anew, further, linear = (few[way][0] for way in ways)
    assert anew < linear <= sentences + 0.03
    assert further < anew + 0.06
    assert max(some.values())[0] - min(some.values())[0] < 0.08
    assert whole["from scratch"][0] > max(sentences - 0.02, 0.95)
    prompts = table(r"^(one sentence|other words|names): ([\d.]+)", told)
    assert list(prompts) == ["one sentence", "other words", "names"]
    assert prompts["one sentence"][0] > 0.85
    assert all(1 / 3 < score <= 1 for (score,) in prompts.values())
    longer, before, on_embeddings = map(
        float,
        re.search(
            r"scratch, longer: ([\d.]+), before ([\d.]+), .* ([\d.]+)$",
            told,
            re.MULTILINE,
        ).groups(),
    )
    assert abs(longer - before) < 0.08
    assert on_embeddings > 0.8
    retrieved = table(r"^among the first (\d): (\d+)%, by chance (\d+)%", told)
    (first, by_chance), (five, by_chance_five) = retrieved.values()
    assert first > by_chance
    assert five > 2 * by_chance_five
