from . import sync_secret_reveal
