from . import dispatcher
from . import api
