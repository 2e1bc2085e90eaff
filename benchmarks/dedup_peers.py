# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What others find on the same rows: Splink on DuckDB, and exact matching.

Both take rows as dictionaries with the columns of
:mod:`benchmarks.partner_generator` and return pairs of ids.
"""

import logging
import re
import time
from collections import defaultdict
from itertools import combinations

#: Blocks larger than this are not expanded by exact matching.
LARGEST_BLOCK = 1000


def exact_pairs(rows: list[dict]) -> set[tuple[str, str]]:
    """Pairs that agree on name, e-mail or VAT
    up to case: what core's wizard can find."""
    blocks = defaultdict(list)
    for row in rows:
        for column in ("name", "email", "vat"):
            value = re.sub(r"\s+", " ", (row.get(column) or "").strip().lower())
            if column == "vat":
                value = value.replace(" ", "")
            if value:
                blocks[column, value].append(row["id"])
    return {
        tuple(sorted(pair))
        for block in blocks.values()
        if len(block) <= LARGEST_BLOCK
        for pair in combinations(block, 2)
    }


def splink_pairs(rows: list[dict]) -> tuple[list[tuple[str, str, float]], float]:
    """Pairs scored by Splink, trained without labels as its tutorial does.

    :return: ([(id, id, match probability)], seconds)
    """
    import pandas as pd
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    frame = pd.DataFrame([_prepared(row) for row in rows]).replace("", None)
    columns = [c for c in frame.columns if c != "id" and frame[c].notna().any()]
    started = time.perf_counter()
    library = {
        "name": cl.JaroWinklerAtThresholds("name", [0.95, 0.88, 0.8]).configure(
            term_frequency_adjustments=True
        ),
        "email": cl.LevenshteinAtThresholds("email", [1, 3]),
        "phone": cl.LevenshteinAtThresholds("phone", [1, 2]),
        "vat": cl.LevenshteinAtThresholds("vat", [1, 2]),
        "street": cl.JaroWinklerAtThresholds("street", [0.95, 0.88]).configure(
            term_frequency_adjustments=True
        ),
        "street2": cl.JaroWinklerAtThresholds("street2", [0.95, 0.88]),
        "zip": cl.LevenshteinAtThresholds("zip", [1]),
        "city": cl.JaroWinklerAtThresholds("city", [0.9]).configure(
            term_frequency_adjustments=True
        ),
        "is_company": cl.ExactMatch("is_company"),
    }
    blocks = [
        ("name",), ("email",), ("phone",), ("vat",), ("street", "zip"),
        ("zip", "substr(name,1,3)"), ("city", "substr(name,1,4)"),
        ("street", "substr(name,1,2)"), ("sorted_name",),
    ]  # fmt: skip
    rules = [
        block_on(*block)
        for block in blocks
        if all(re.sub(r"substr\((\w+).*", r"\1", c) in columns for c in block)
    ]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        comparisons=[library[c] for c in library if c in columns],
        blocking_rules_to_generate_predictions=rules,
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )
    linker = Linker(DuckDBAPI().register(frame), settings, log_level=None)
    sure = [block_on(c) for c in ("vat", "email", "phone", "name") if c in columns]
    linker.training.estimate_probability_two_random_records_match(sure, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    # not by phone or street alone: on households that training takes names for noise
    for block in (
        ("name",),
        ("street", "substr(name,1,3)"),
        ("phone", "substr(name,1,3)"),
    ):
        if block[0] not in columns:
            continue
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(*block), fix_u_probabilities=True
            )
        except Exception as error:  # a column that cannot be trained keeps its defaults
            logging.getLogger(__name__).info(
                "Splink cannot train on %s: %s", block, error
            )
    found = linker.inference.predict(threshold_match_probability=0.001)
    table = found.as_pandas_dataframe()
    pairs = [
        (*sorted((str(one), str(two))), float(probability))
        for one, two, probability in zip(
            table["id_l"], table["id_r"], table["match_probability"], strict=True
        )
    ]
    return pairs, time.perf_counter() - started


def _prepared(row: dict) -> dict:
    """Light cleaning, as its users do before they call Splink."""
    name = " ".join(re.findall(r"\w+", (row.get("name") or "").lower()))
    return {
        "id": str(row["id"]),
        "name": name,
        "sorted_name": " ".join(sorted(name.split())),
        "email": (row.get("email") or "").strip().lower(),
        "phone": re.sub(r"\D", "", row.get("phone") or "")[-9:],
        "vat": re.sub(r"\W", "", row.get("vat") or "").upper(),
        "street": " ".join(re.findall(r"\w+", (row.get("street") or "").lower())),
        "street2": (row.get("street2") or "").strip().lower(),
        "zip": (row.get("zip") or "").strip().upper(),
        "city": (row.get("city") or "").strip().lower(),
        "is_company": str(row.get("is_company") or ""),
    }
