"""CRC-32C, the checksum of TFRecord files: the Castagnoli polynomial as in RFC 3720 (iSCSI), appendix B.4."""

from __future__ import annotations

import google_crc32c

__all__ = ["crc32c", "masked_crc32c"]


def crc32c(data: bytes | bytearray | memoryview) -> int:
    """The CRC-32C of some bytes.

    Parameters
    ----------
    data : bytes-like

    Returns
    -------
    int
        From 0 to 2**32 - 1.

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    # The library takes nothing but bytes; a copy of a view costs less than a tenth of reading it.
    return int(google_crc32c.value(data if isinstance(data, bytes) else bytes(data)))


def masked_crc32c(data: bytes | bytearray | memoryview) -> int:
    """The checksum as TFRecord stores it: turned right by 15 bits, plus a constant.

    Source: the TFRecord format as described in the TensorFlow guide "TFRecord and tf.train.Example".

    Examples
    --------
    >>> hex(masked_crc32c(b"123456789"))
    '0xc78ab0e5'
    """
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
