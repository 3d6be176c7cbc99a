"""The version of the package: major = the API breaks, minor = something new, fix = something mended."""

VERSION = "0.1.0"
