"""The story the demo plays and the first end-to-end test asserts.

``world`` provisions what the story needs inside a database, ``partners`` are the
outside systems (they only speak HTTP), ``chapters`` is the plot.
"""
