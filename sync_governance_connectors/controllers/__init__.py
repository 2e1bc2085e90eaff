from . import dispatcher
from . import api
from . import description
from . import docs
from . import hooks
from . import oauth
