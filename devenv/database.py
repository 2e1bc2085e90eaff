"""Databases: built once as templates, cloned in about a second.

Level 1 is Odoo with queue_job, the apps the suite works on, and their demo data.
Level 2 adds a set of the suite's modules. A template's name says what is in it:
when something changes, its name does, and the old one is dropped.
"""

import hashlib
import os
import re
import shutil
from contextlib import contextmanager

from . import modules, virtualenv
from .console import Problem, run, step
from .locks import exclusive
from .server import Odoo

THIRD_PARTY = (
    "web",
    "mail",
    "queue_job",
    "contacts",
    "phone_validation",
    "sale_stock",
    "purchase_stock",
    "stock_delivery",
    "account",
    "base_automation",
    "crm",
)
# of a log line: "2026-11-24 05:30:00,123 4242 WARNING database logger: text"
LOG_LINE = re.compile(r"^\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) \S+ (.*)$")
HARMLESS = ("Running as user 'root' is a security risk",)


class Databases:
    """The databases of one state folder."""

    def __init__(self, settings, source, cluster):
        self.settings = settings
        self.source = source
        self.cluster = cluster

    def clone(self, names, database):
        """Make ``database`` with the named modules of the suite, replacing it.

        :param names: modules of the suite; what they depend on comes along
        """
        with self._locked(names) as suite:
            self._copy(self._suite_template(suite), database)

    def template(self, names):
        """The name of the template of these modules, built if need be."""
        with self._locked(names) as suite:
            return self._suite_template(suite)

    @contextmanager
    def _locked(self, names):
        """Keep others from dropping a template that is about to be copied."""
        suite = modules.closure(self.settings.root, names)
        with exclusive(self.settings, f"template-{_label(suite)}"):
            yield suite

    @contextmanager
    def temporary(self, names, purpose):
        """A clone that is gone at the end."""
        self._drop_abandoned()
        database = f"tmp_{purpose}_{os.getpid()}"
        self.clone(names, database)
        try:
            yield database
        finally:
            self.drop(database)

    def drop(self, database):
        """Drop a database, with its filestore, configuration and sessions."""
        self.cluster.command("dropdb", "--if-exists", "--force", database)
        shutil.rmtree(self._filestore(database), ignore_errors=True)
        (self.settings.state / "conf" / f"{database}.conf").unlink(missing_ok=True)

    def exists(self, database):
        return database in self.names()

    def names(self):
        return self.cluster.sql("SELECT datname FROM pg_database")

    def load(self, database, names, verb="--init", strict=True, **options):
        """Install or update modules in a database, which is created if need be.

        :param verb: ``--init`` or ``--update``
        :param strict: a warning in Odoo's log is a failure
        :param options: as for :class:`Odoo`
        """
        odoo = Odoo(self.settings, self.source, self.cluster, database, **options)
        arguments = ["server", "--config", odoo.config, "--with-demo", "--no-http"]
        log = self.settings.log_dir / f"load-{database}.log"
        what = f"odoo {verb} {','.join(names)}"
        run(
            odoo.command(*arguments, "--stop-after-init", verb, ",".join(names)),
            env=odoo.environment,
            log=log,
            problem=f"{what} failed.",
        )
        complaints = list(_complaints(log.read_text(errors="replace")))
        if strict and complaints:
            print("\n".join(complaints))
            raise Problem(f"{what} left warnings in {log}.")

    def _suite_template(self, suite):
        """The level 2 template of these modules, built if need be."""
        base = self._third_party_template()
        digest = hashlib.sha256(base.encode())
        for module in suite:
            digest.update(module.fingerprint().encode())
        prefix = f"sg_t2_{_label(suite)}_"
        name = prefix + digest.hexdigest()[:12]
        if not self.exists(name):
            self._drop_all(prefix)
            names = [module.name for module in suite]
            with step(f"installing {', '.join(names) or 'nothing'} into a template"):
                self._copy(base, f"{name}_partial")
                if names:
                    self.load(f"{name}_partial", names)
                self._rename(f"{name}_partial", name)
        return name

    def _third_party_template(self):
        """The level 1 template, built if need be."""
        content = [self.source.version, virtualenv.QUEUE_JOB]
        content += [str(self.source.path), *THIRD_PARTY]
        name = "sg_t1_" + hashlib.sha256("\0".join(content).encode()).hexdigest()[:12]
        with exclusive(self.settings, "third-party-template"):
            if not self.exists(name):
                self._drop_all("sg_t1_")
                with step("installing Odoo's apps into a template (1-3 minutes)"):
                    self.load(f"{name}_partial", THIRD_PARTY, strict=False)
                    self._rename(f"{name}_partial", name)
        return name

    def _copy(self, template, database):
        self.drop(database)
        self.cluster.command("createdb", "-T", template, database)
        if self._filestore(template).exists():
            # files are named by their content and never changed: links are enough
            shutil.copytree(
                self._filestore(template),
                self._filestore(database),
                copy_function=os.link,
            )

    def _drop_abandoned(self):
        """Drop the temporary clones of runs that were killed."""
        for name in self.names():
            match = re.fullmatch(r"tmp_\w+_(\d+)", name)
            if match and not os.path.exists(f"/proc/{match[1]}"):
                self.drop(name)

    def _drop_all(self, prefix):
        """Drop this prefix's templates; "sg_t2_base_" is not "sg_t2_base_dedu_"."""
        for name in self.names():
            if re.fullmatch(rf"{prefix}[0-9a-f]{{12}}(_partial)?", name):
                self.drop(name)

    def _rename(self, old, new):
        if self._filestore(old).exists():
            shutil.rmtree(self._filestore(new), ignore_errors=True)
            self._filestore(old).rename(self._filestore(new))
        self.cluster.sql(f'ALTER DATABASE "{old}" RENAME TO "{new}"')

    def _filestore(self, database):
        return self.settings.data_dir / "filestore" / database


def _label(suite):
    """A short name of a set of modules, for names of databases and locks."""
    return (
        "_".join(m.name.removeprefix("sync_governance_")[:4] for m in suite) or "none"
    )


def _complaints(log):
    """The warnings and errors of an Odoo log, without those that mean nothing."""
    for line in log.splitlines():
        match = LOG_LINE.match(line)
        if match and not any(text in line for text in HARMLESS):
            yield f"{match[1]}: {match[2]}"
