"""RSA signatures (PKCS #1 v1.5, RFC 8017), checked with the key of a certificate (X.509).

What is needed of both is little, and no library that ships has it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

# How the hash begins in what is signed, in DER.
_PREFIX = {
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
}
_LEAST_BITS = 2048
_SEQUENCE, _INTEGER, _BIT_STRING, _VERSION = 0x30, 0x02, 0x03, 0xA0
# rsaEncryption, as an object identifier in DER.
_RSA = bytes.fromhex("06092a864886f70d010101")


@dataclass(frozen=True, slots=True)
class Key:
    """An RSA public key."""

    modulus: int
    exponent: int

    def verifies(self, signature: bytes, signed: bytes, algorithm: str) -> bool:
        """Whether this is the key's signature of these bytes. `algorithm`: sha1 or sha256."""
        size = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(signature, "big")
        if len(signature) != size or number >= self.modulus:
            return False
        found = pow(number, self.exponent, self.modulus).to_bytes(size, "big")
        return found == padded(hashlib.new(algorithm, signed).digest(), algorithm, size)


def padded(digest: bytes, algorithm: str, size: int) -> bytes:
    """What is signed of a hash, `size` bytes long."""
    ending = b"\x00" + _PREFIX[algorithm] + digest
    return b"\x00\x01".ljust(size - len(ending), b"\xff") + ending


def key_of(certificate: bytes) -> Key:
    """The key of a certificate in DER. Raises ValueError if it has none that will do."""
    whole, _ = _take(certificate, _SEQUENCE)
    rest, _ = _take(whole, _SEQUENCE)
    if rest[:1] == bytes([_VERSION]):
        _, rest = _take(rest, _VERSION)
    _, rest = _take(rest, _INTEGER)
    for _ in ("algorithm", "issuer", "validity", "subject"):
        _, rest = _take(rest, _SEQUENCE)
    about, _ = _take(rest, _SEQUENCE)
    algorithm, about = _take(about, _SEQUENCE)
    bits, _ = _take(about, _BIT_STRING)
    numbers, _ = _take(bits[1:], _SEQUENCE)
    modulus, numbers = _take(numbers, _INTEGER)
    exponent, _ = _take(numbers, _INTEGER)
    key = Key(int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"))
    if not algorithm.startswith(_RSA) or key.modulus.bit_length() < _LEAST_BITS:
        message = "the certificate's key is no RSA key, or too short"
        raise ValueError(message)
    return key


def _take(der: bytes, kind: int) -> tuple[bytes, bytes]:
    """The content of the first value, which is of this kind, and what follows it."""
    if len(der) < 2 or der[0] != kind:
        message = "the certificate is not in its form"
        raise ValueError(message)
    size, start = der[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(der[2:start], "big")
    if len(der) < start + size:
        message = "the certificate is cut off"
        raise ValueError(message)
    return der[start : start + size], der[start + size :]
