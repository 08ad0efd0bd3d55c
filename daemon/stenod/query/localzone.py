"""The person's time zone, as the system has it, for days that are 23 or 25 hours long too."""

import calendar
import time
from datetime import datetime, timedelta, tzinfo


class LocalZone(tzinfo):
    """What ``time.localtime`` knows, for ``datetime``: its own zones are fixed offsets."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        if moment is None:
            return timedelta(seconds=-time.timezone)
        wall = (*_fields(moment), 0, 1, 0 if moment.fold else -1)
        return timedelta(seconds=time.localtime(time.mktime(wall)).tm_gmtoff)

    def dst(self, moment: datetime | None) -> timedelta:
        return self.utcoffset(moment) - timedelta(seconds=-time.timezone)

    def tzname(self, moment: datetime | None) -> str:
        return "local" if moment is None else "/".join(time.tzname)

    def fromutc(self, moment: datetime) -> datetime:
        local = time.localtime(calendar.timegm(_fields(moment)))
        return datetime(*local[:6], moment.microsecond, tzinfo=self)


def _fields(moment: datetime) -> tuple[int, int, int, int, int, int]:
    """``timetuple`` would ask for the offset that is being worked out."""
    return (
        moment.year,
        moment.month,
        moment.day,
        moment.hour,
        moment.minute,
        moment.second,
    )


LOCAL = LocalZone()
