"""The one place the version is written; the build, the client and the daemon read it from here."""

__version__ = "0.1.0"
