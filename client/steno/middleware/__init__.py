"""Middleware: prompts that reach a web application are recorded as they pass.

``ASGIMiddleware`` (FastAPI, Starlette, Quart, Django) and ``WSGIMiddleware`` (Flask, Django) look
for text under keys that contain ``prompt`` or ``query``, in forms, JSON bodies and URL parameters.
Requests and responses go through untouched; what is found is recorded beside the work, under the
guards of ``steno.tracking``.
"""

from steno.middleware.asgi import ASGIMiddleware
from steno.middleware.wsgi import WSGIMiddleware

__all__ = ["ASGIMiddleware", "WSGIMiddleware"]
