"""A wall clock that can be set: on the ``PYTHONPATH`` of a node, before all else.

The file that ``FAULTS_CLOCK`` names holds the seconds by which the clock is wrong. Only
the wall clock is: monotonic time goes on, as when a machine's clock is set. (Under
libfaketime, Python's sleep fails.)
"""

import datetime
import os
import time

_real_time, _real_datetime = time.time, datetime.datetime


def _error():
    with open(os.environ["FAULTS_CLOCK"]) as stream:
        return float(stream.read() or 0)


def _time():
    return _real_time() + _error()


class _Type(type(_real_datetime)):
    def __instancecheck__(cls, instance):
        return isinstance(instance, _real_datetime)

    def __subclasscheck__(cls, subclass):
        return issubclass(subclass, _real_datetime)


class _Datetime(_real_datetime, metaclass=_Type):
    @classmethod
    def now(cls, tz=None):
        return _real_datetime.fromtimestamp(_time(), tz)

    @classmethod
    def utcnow(cls):
        return _real_datetime.fromtimestamp(_time(), datetime.timezone.utc).replace(
            tzinfo=None
        )

    @classmethod
    def today(cls):
        return cls.now()


if "FAULTS_CLOCK" in os.environ:
    time.time = _time
    datetime.datetime = _Datetime
