from . import dispatcher
from . import api
from . import hooks
