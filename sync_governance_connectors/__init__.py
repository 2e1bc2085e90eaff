from . import controllers
from . import models
from . import wizards
from .server import lengthen_queue
