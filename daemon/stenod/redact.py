"""Secrets leave a request before it is queued, whoever sent it."""

from steno_schema.errors import bad_request
from steno_schema.redaction import redact_exported, redact_record, redact_value
from steno_schema.requests import Amend, AnyRequest, Append, Import


def redact_request(request: AnyRequest) -> None:
    """Take the secrets out of what a write would store; raises ``RequestError``."""
    try:
        if isinstance(request, Append):
            request.records = [redact_record(record)[0] for record in request.records]
        elif isinstance(request, Import):
            request.records = [redact_exported(record) for record in request.records]
        elif isinstance(request, Amend):
            request.set = redact_value(request.set)[0]
            request.add_tags = redact_value(request.add_tags)[0]
    except ValueError as error:
        raise bad_request(f"The request cannot be stored: {error}") from error
