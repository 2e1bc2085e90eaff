"""The running demo: a database, a world of servers around it, the story it plays."""

import os
import shutil
import subprocess
import time

from . import modules, postgres, processes, world
from .console import Problem, say
from .database import Databases
from .server import Odoo


class Demo:
    """The demo of one state folder; there is at most one."""

    def __init__(self, settings):
        self.settings = settings
        self.folder = settings.state / "demo"
        # the template of the database, written when the story came to its end
        self.told = self.folder / "told"

    @property
    def server(self):
        """The demo's server process, or None."""
        return processes.Process.load(world.pid_file(self.folder, "server"))

    def up(self, source, quiet=True):
        """Start in the background what does not run yet; return when it answers."""
        if self.server:
            say("the demo is up already")
        else:
            with postgres.running(self.settings) as cluster:
                template = self._prepare(Databases(self.settings, source, cluster))
                self._start(source, cluster, template, quiet)
        say(
            f"Odoo answers at http://127.0.0.1:{self.settings.http_port}"
            " - login admin, password admin"
        )

    def down(self):
        """Stop what ``up`` started, and nothing else."""
        if self.server:
            say("stopping the demo")
        world.stop(self.folder)
        postgres.stop_if_unused(self.settings)

    def stay(self):
        """Wait in the foreground until interrupted, or until the server is gone."""
        say("Ctrl-C stops the demo")
        try:
            while self.server:
                time.sleep(1)
            raise Problem(f"The demo's server is gone; see {self.settings.log_dir}.")
        except KeyboardInterrupt:
            print()
        finally:
            self.down()

    def _prepare(self, databases):
        """Make the database, unless the one there has played its story to the end.

        :return: the name of the template it is made from
        """
        names = [module.name for module in modules.present(self.settings.root)]
        template = databases.template(names)
        if not databases.exists(self.settings.database) or not self._is_told(template):
            say(f"a new demo database, {self.settings.database}")
            shutil.rmtree(self.folder, ignore_errors=True)
            databases.clone(names, self.settings.database)
        return template

    def _is_told(self, template):
        return self.told.exists() and self.told.read_text() == template

    def _start(self, source, cluster, template, quiet):
        odoo = Odoo(
            self.settings,
            source,
            cluster,
            self.settings.database,
            http_port=self.settings.http_port,
            gevent_port=self.settings.gevent_port,
            workers=self.settings.workers,
            channels=self.settings.channels,
            cron_threads=1,
        )
        here = world.World(
            self.settings, odoo, self.folder, self.settings.receiver_port
        )
        say(f"starting Odoo on {odoo.url}")
        here.start()
        try:
            self._tell(here, template, quiet)
        except BaseException:
            here.stop()
            raise

    def _tell(self, here, template, quiet):
        """Play the story, or tell again the one this database has played."""
        options = ["--recall"] if self._is_told(template) else []
        options += ["--quiet"] if quiet else []
        if world.has_story(self.settings):
            played = subprocess.run(
                here.story_command(*options),
                cwd=self.settings.root,
                env=here.odoo.environment,
            )
            if played.returncode:
                raise Problem("The story did not come to its end, as said above.")
        partial = self.told.with_name("told.partial")
        partial.write_text(template)
        os.replace(partial, self.told)
