"""What a person says about an exchange, checked against the configuration before it is stored."""

import msgspec

from steno_schema.config import Tracking
from steno_schema.errors import bad_request
from steno_schema.labels import unlisted
from steno_schema.records import Annotations, Exchange
from steno_schema.requests import Amend, AnyRequest, Append


def check_labels(request: AnyRequest, tracking: Tracking) -> None:
    """Refuse a category, complexity, technique or stage that is not configured.

    What comes out of the spool does not pass here: it was checked when it was written, and is
    kept under any configuration since.
    """
    said: list[Annotations] = []
    if isinstance(request, Append) and request.labels == "check":
        said += [record for record in request.records if isinstance(record, Exchange)]
    elif isinstance(request, Amend) and request.type == "exchange":
        said += _amended(request)
    for each in said:
        wrong = unlisted(each, tracking)
        if wrong is not None:
            raise bad_request(*wrong)


def _amended(request: Amend) -> list[Annotations]:
    """Return what an amendment says; the writer refuses what is no annotation at all."""
    try:
        return [msgspec.convert({"id": ""} | request.set, Annotations, strict=False)]
    except msgspec.ValidationError:
        return []
