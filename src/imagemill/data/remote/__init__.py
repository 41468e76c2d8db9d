"""Files on any file system that fsspec knows: listed once, read with limits and retries, kept in a bounded cache.

Here: paths such as ``s3://bucket/photos/1.jpg`` that behave as `pathlib.Path` does, and what they rest on. Not here:
``http://``, whose limits are stricter because anybody may run a server (`imagemill.data.web`).
"""

from __future__ import annotations

from imagemill.data.remote.remote_path import RemotePath, as_path

__all__ = ["RemotePath", "as_path"]
