"""Is a webhook genuine, and if not, exactly why: for its operator, never for its sender.

The verdict is the provider's own schemes'. Only when they refuse are explanations tried: other
forms of the secret, other addresses, other bytes of the body, other ways to sign. One is claimed
only if the request, changed so, is accepted by a scheme: no stranger's would be.
"""

from __future__ import annotations

import base64
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import chain, islice, product
from typing import Any

from ringhook.errors import RejectedError, StaleError, UnavailableError
from ringhook.senders import providers
from ringhook.senders.providers import Provider
from ringhook.senders.request import Request
from ringhook.senders.signatures import (
    MISMATCH,
    Basic,
    HeaderToken,
    Hmac,
    KeyForm,
    Scheme,
    TimeUnit,
)
from ringhook_ops.diagnosis import variants
from ringhook_ops.diagnosis.discovering import scheme_of, settings_for
from ringhook_ops.diagnosis.proving import Proof, headers_of, prove

# How many bytes are hashed, about, before the search for an explanation is given up: some seconds.
BUDGET = 1_500_000_000
_PROOF_LIKE = re.compile(r"sig|hmac|hash|token|auth|secret|digest|api-?key|mac$")
_YEAR = 365 * 86400
_KEYS: dict[KeyForm, str] = {
    "text": "as the text that it is",
    "hex": "decoded from hex",
    "base64": "decoded from base64",
    "whsec": "without 'whsec_', decoded from base64",
}
_TIMES: dict[TimeUnit, str] = {"s": "seconds", "ms": "milliseconds", "iso": "ISO 8601"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is genuine, and by which proof or exactly why not; `hints` say what else.

    `settings` are those of a source of provider `hmac` that would take it, where they were found.
    """

    reason: str
    hints: tuple[str, ...] = ()
    genuine: bool = False
    settings: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """The verdict as `ringhook verify --json` prints it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Case:
    """A request, who is said to have sent it, and the secret that it is held to."""

    provider: Provider
    request: Request
    secret: str
    now: datetime

    def prove(
        self, scheme: Scheme, request: Request | None = None, secret: str | None = None
    ) -> Proof | None:
        """Whether the scheme accepts it, as it is or changed."""
        return prove(scheme, request or self.request, secret or self.secret, self.now)


def diagnose(
    provider: Provider,
    request: Request,
    secret: str,
    now: datetime,
    *,
    arrived: datetime | None = None,
) -> Verdict:
    """Hold a request to its provider, and if it fails, find out why.

    `arrived` is when the gateway received it, where its event says so.
    """
    case = _Case(provider, request, secret, now)
    greeting = provider.greet(request)
    if greeting:
        reason = f"no event: {provider.title} tries the address, and is answered {greeting.status}"
        return Verdict(reason, genuine=greeting.status < 400)
    scheme = next((one for one in provider.schemes if one.applies(request)), None)
    if scheme is None:
        return _unsigned(case)
    try:
        scheme.verify(request, [secret], now)
    except (RejectedError, UnavailableError) as error:
        proof = case.prove(scheme)
        return _late(case, scheme, proof, arrived) if proof else _refused(case, scheme, error)
    return Verdict(f"signed as {provider.title} signs: {scheme.description}", genuine=True)


def _late(case: _Case, scheme: Scheme, proof: Proof, arrived: datetime | None) -> Verdict:
    """Genuine but for its time."""
    if isinstance(scheme, Hmac) and abs(proof.age) > _YEAR:
        for unit, told in _TIMES.items():
            fresh = case.prove(replace(scheme, timestamp_unit=unit))
            if fresh and fresh.is_fresh:
                reason = f"the signed time is in {told}, not {_TIMES[scheme.timestamp_unit]}"
                return Verdict(f"{reason}: timestamp_unit = '{unit}'")
    hints = []
    then = prove(scheme, case.request, case.secret, arrived) if arrived else None
    if arrived and then and then.is_fresh:
        hints.append(f"it was fresh when it arrived: see with --at {arrived.timestamp():.0f}")
    elif proof.age < 0:
        hints.append("the clock of the sender is ahead, or the one here is behind")
    signed_at = case.now - timedelta(seconds=proof.age)
    hints.append(f"else it is genuine: signed at {signed_at:%Y-%m-%dT%H:%M:%SZ}")
    return Verdict(str(proof), tuple(hints))


def _refused(case: _Case, scheme: Scheme, error: RejectedError | UnavailableError) -> Verdict:
    """Why a request that carries a scheme's proof fails it; `error` is what the scheme says."""
    said, is_stale = str(error), isinstance(error, StaleError)
    if not case.request.body and isinstance(scheme, Hmac):
        return Verdict(said)
    count = 0
    for text, accepting, changed, secret in _explanations(case, scheme):
        count += 1
        if proof := case.prove(accepting, changed, secret):
            return Verdict(text, () if proof.is_fresh else (f"besides, {proof}",))
    if isinstance(scheme, Hmac) and (otherwise := _signed_otherwise(case, scheme)):
        return otherwise
    hints = [*_weaker(case, scheme), *_as_others(case)]
    if any(_weaker(case, scheme)):
        hints.append(f"the URL here is {case.request.url}: give the right one with --url")
        return Verdict(
            "what is signed beside the body was changed: the URL, or the time", (*hints,)
        )
    if isinstance(scheme, Basic):
        hints[:0] = _of_credentials(case)
    if isinstance(scheme, HeaderToken):
        given = case.request.headers[scheme.header][len(scheme.prefix) :]
        hints.insert(0, f"it has {len(given)} characters, yours has {len(case.secret)}")
    if said != MISMATCH and not is_stale:
        return Verdict(said, tuple(hints))
    tried = f"no other form of this secret, of the URL or of the body matches ({count} were tried)"
    besides = [f"besides, {said}"] if is_stale else []
    return Verdict("signed with another secret", (tried, scheme.description, *besides, *hints))


def _explanations(case: _Case, scheme: Scheme) -> Iterator[tuple[str, Scheme, Request, str]]:
    """What may have happened, with the scheme, the request and the secret as it would have been.

    The simplest first: one change, then two at once.
    """
    request, secret = case.request, case.secret
    secrets = [(f"it is signed with your secret {said}", s) for said, s in variants.secrets(secret)]
    urls = [
        (f"the URL signed is {url}, yours is {request.url}", url)
        for url in variants.addresses(request)
    ]
    bodies = [
        (f"the body was changed: parsed and written again? What is signed is the body {said}", body)
        for said, body in variants.bodies(request.body, request.headers.get("content-type", ""))
    ]
    few = urls[:60]
    changed = chain(
        ((said, request, key) for said, key in secrets),
        ((said, replace(request, url=url), secret) for said, url in urls),
        ((said, replace(request, body=body), secret) for said, body in bodies),
        (
            (f"{said}; and {more}", replace(request, url=url), key)
            for (said, key), (more, url) in product(secrets, few)
        ),
        (
            (f"{said}; and {more}", replace(request, body=body), key)
            for (said, key), (more, body) in product(secrets, bodies)
        ),
        (
            (f"{said}; and {more}", replace(request, url=url, body=body), secret)
            for (said, url), (more, body) in product(few, bodies)
        ),
    )
    explanations = chain(
        ((said, other, request, secret) for said, other in _other_keys(scheme)),
        ((said, scheme, request, key) for said, request, key in changed),
    )
    # A try costs as much as some 20 kB of hashing, whatever the body.
    yield from islice(explanations, BUDGET // (len(request.body) + 20_000))


def _other_keys(scheme: Scheme) -> Iterator[tuple[str, Scheme]]:
    """The scheme with the secret taken in another form."""
    if not isinstance(scheme, Hmac):
        return
    for form, told in _KEYS.items():
        said = f"the key is the secret {told}, not {_KEYS[scheme.key]}: key = '{form}'"
        yield said, replace(scheme, key=form)


def _signed_otherwise(case: _Case, scheme: Hmac) -> Verdict | None:
    """Signed with this secret, but not as the scheme's data say."""
    # Many ways to sign times many secrets are too much for a large body.
    others = variants.secrets(case.secret) if len(case.request.body) < 100_000 else ()
    for said, secret in chain([("", case.secret)], others):
        for settings in settings_for(case.request, secret, case.now, header=scheme.header):
            found = scheme_of(settings)
            # Of what makes no difference here, nothing is said.
            for one in fields(Hmac):
                same = replace(found, **{one.name: getattr(scheme, one.name)})
                found = same if case.prove(same, secret=secret) else found
            differ = [
                f"{name} is {value!r}, not {getattr(scheme, name)!r}"
                for name, value in asdict(found).items()
                if value != getattr(scheme, name)
            ]
            reason = f"signed otherwise than {case.provider.title} signs: {', '.join(differ)}"
            hints = (f"it is signed with your secret {said}",) if said else ()
            return Verdict(reason, hints, settings=settings)
    return None


def _unsigned(case: _Case) -> Verdict:
    """Why a request carries none of its provider's proofs."""
    schemes, headers = case.provider.schemes, case.request.headers
    found = next(settings_for(case.request, case.secret, case.now), None)
    if found and not schemes:
        proof = case.prove(scheme_of(found))
        fresh = proof is not None and proof.is_fresh
        reason = "signed with this secret, by the settings below" if fresh else str(proof)
        return Verdict(reason, genuine=fresh, settings=found)
    hints = list(_as_others(case))
    if hints:
        found = None
    if found:
        hints.append(f"the header {found['header']} holds a signature made with this secret")
    looked_for = list(dict.fromkeys(chain(*map(headers_of, schemes))))
    elsewhere = [one.description for one in schemes if not headers_of(one)]
    if there := _similar(looked_for, headers):
        hints.append(f"similar headers that are there: {', '.join(there)}")
    elif looked_for:
        hints.append("no header has a similar name: does the sender have the secret?")
    if not schemes:
        return Verdict("no header holds a signature made with this secret", tuple(hints))
    missing = [f"the header {' or '.join(looked_for)}"] if looked_for else []
    reason = f"the proof is missing: looked for {', or for '.join((*missing, *elsewhere))}"
    return Verdict(reason, tuple(hints), settings=found)


def _similar(names: Iterable[str], headers: Mapping[str, str]) -> list[str]:
    near = {one for name in names for one in difflib.get_close_matches(name, headers, 3, 0.6)}
    return [name for name in headers if name in near or _PROOF_LIKE.search(name)]


def _as_others(case: _Case) -> Iterator[str]:
    """The other providers whose webhook it is, by this very secret."""
    for name in providers.names():
        other = providers.find(name)
        holds = (one.applies(case.request) and case.prove(one) for one in other.schemes)
        if other.title != case.provider.title and any(holds):
            yield f"it is signed with this secret as {other.title} signs: --provider {name}"


def _weaker(case: _Case, scheme: Scheme) -> Iterator[str]:
    """Other proofs on the request that hold, and so say that the secret is right."""
    for other in case.provider.schemes:
        if other is not scheme and other.applies(case.request) and case.prove(other):
            yield f"the secret is right, for another proof holds: {other.description}"


def _of_credentials(case: _Case) -> Iterator[str]:
    """Which half of HTTP Basic's credentials is wrong."""
    encoded = case.request.headers["authorization"][6:].strip()
    try:
        given = base64.b64decode(encoded, validate=True).decode(errors="replace")
    except ValueError:
        return
    user, _, password = given.partition(":")
    own_user, colon, own_password = case.secret.partition(":")
    if not colon:
        yield "for HTTP Basic the secret is user:password, and yours has no colon"
    if case.secret == password:
        yield f"yours is the password alone: write {user}:…"
    elif colon and user == own_user:
        yield f"the user {user!r} is right, the password is another"
    elif colon and password == own_password:
        yield f"the password is right, the user is {user!r}"
