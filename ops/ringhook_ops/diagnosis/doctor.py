"""What a deployment still lacks before it rings anybody, and the command that mends each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ringhook.clients.secret_store import as_list
from ringhook.errors import RoutesError, UnavailableError
from ringhook.routing import routes_file
from ringhook.routing.routes import Routes
from ringhook.senders.signatures import Hmac, key_bytes
from ringhook_ops.deployed import api
from ringhook_ops.deployed.api import ApiError
from ringhook_ops.deployed.deployment import Deployment, DeploymentError
from ringhook_ops.diagnosis.cautions import holidays_end

# What an answer of the API may take, with all around it, before the plan is not reached any more.
_SECONDS_A_CALL = 3
# docs.unleashx.ai, "List voice agents": an agent that rings people.
_OUTBOUND = 1
# `sam deploy` alone uploads what was built last.
_DEPLOY = "make build && sam deploy"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `cure` is empty where nothing is missing."""

    what: str
    cure: str = ""


def examine(deployment: Deployment) -> Iterator[Finding]:
    """Look at the routes, the secrets that they need, the tokens and the agents, in this order."""
    try:
        routes = routes_file.load(deployment.routes_text())
    except (ClientError, BotoCoreError, KeyError) as error:
        message = f"the deployed routes cannot be read ({error})"
        yield Finding(message, "check your AWS permissions: lambda:GetFunction")
        return
    except RoutesError as error:
        yield Finding(f"the deployed routes are not valid: {error}", f"ringhook check && {_DEPLOY}")
        return
    yield Finding(f"routes: {len(routes.routes)} from {len(routes.sources)} sources")
    if ends := holidays_end(datetime.now(UTC).date()):
        yield Finding(ends, f"git pull && {_DEPLOY}")
    yield from _pace(deployment)
    try:
        yield from _signing_secrets(deployment, routes)
        yield from _credentials(deployment, routes)
        tokens = deployment.read_secret("ApiTokensArn")
    except DeploymentError as error:
        yield Finding(str(error), "check your AWS permissions: secretsmanager:GetSecretValue")
        return
    url = deployment.parameters["UnleashxUrl"]
    for account in sorted({route.call.account for route in routes.routes if route.call}):
        token = tokens.get(account)
        found = _token(deployment, url, account, token)
        yield found
        if not found.cure and isinstance(token, str):
            yield from _agents(url, token, account, routes)


def _pace(deployment: Deployment) -> Iterator[Finding]:
    """Whether so many dialers can ask as often as the plan allows."""
    said = (deployment.parameters.get(name) for name in ("CallsPerMinute", "MaximumConcurrency"))
    pace, dialers = (int(one) if one and one.isdecimal() else None for one in said)
    if pace is None or dialers is None or deployment.local:
        return
    needed = ceil(pace * _SECONDS_A_CALL / 60)
    what = f"{dialers} dialers at once for {pace} requests a minute"
    if dialers < needed:
        what += f": too few for an API that takes {_SECONDS_A_CALL} seconds"
        yield Finding(what, f"sam deploy --parameter-overrides MaximumConcurrency={needed}")
    else:
        yield Finding(what)


def _signing_secrets(deployment: Deployment, routes: Routes) -> Iterator[Finding]:
    secrets = deployment.read_secret("SigningSecretsArn")
    for name, connection in routes.sources.items():
        cure = f"ringhook secret set {name}{deployment.option}"
        usable = as_list(secrets.get(name))
        if not usable:
            yield Finding(f"source {name} has no signing secret, so it refuses everybody", cure)
            continue
        try:
            for scheme in connection.provider.schemes:
                if isinstance(scheme, Hmac):
                    for secret in usable:
                        key_bytes(secret, scheme.key)
        except UnavailableError as error:
            yield Finding(f"source {name}: {error}", cure)
            continue
        also = f", {len(usable)} during a rotation" if len(usable) > 1 else ""
        address = f"{deployment.outputs['WebhooksUrl']}/{name}"
        yield Finding(f"source {name} at {address} has its signing secret{also}")
    for name in secrets.keys() - routes.sources.keys():
        message = f"a signing secret is kept for {name!r}, which is no source of the routes"
        yield Finding(message, f"correct its name: ringhook secret set SOURCE{deployment.option}")


def _credentials(deployment: Deployment, routes: Routes) -> Iterator[Finding]:
    wanted = {
        lookup.credential: name
        for name, connection in routes.sources.items()
        for lookup in connection.lookups
    }
    if not wanted:
        return
    kept = deployment.read_secret("CredentialsArn")
    for credential, name in wanted.items():
        what = f"the credential {credential!r}, which source {name} enriches its events with,"
        if as_list(kept.get(credential)):
            yield Finding(f"{what} is kept")
        else:
            cure = f"ringhook credential set {credential}{deployment.option}"
            yield Finding(f"{what} is missing, so its events wait", cure)


def _token(deployment: Deployment, url: str, account: str, token: Any) -> Finding:
    cure = f"ringhook token set --account {account}{deployment.option}"
    if not isinstance(token, str) or not token:
        return Finding(f"account {account} has no token, so its calls wait", cure)
    try:
        api.verify(url, token)
    except ApiError as error:
        return Finding(f"account {account}: the token was not verified: {error}", cure)
    return Finding(f"account {account} has a token that {url} accepts")


def _agents(url: str, token: str, account: str, routes: Routes) -> Iterator[Finding]:
    for route in routes.routes:
        call = route.call
        if call is None or call.account != account or not isinstance(call.agent_id, int):
            continue
        agent_id = call.agent_id
        what = f"agent {agent_id} of route {route.name}"
        cure = f"give route {route.name} the agent_id of an active outbound agent, then: {_DEPLOY}"
        try:
            agent = api.agent(url, token, agent_id)
        except ApiError as error:
            yield Finding(f"{what}: {error}", cure)
            continue
        if agent.get("calling_type", _OUTBOUND) != _OUTBOUND:
            yield Finding(f"{what} does not make calls, it only takes them", cure)
        else:
            yield Finding(f"{what} is active")
