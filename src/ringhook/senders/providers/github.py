"""GitHub: webhooks of a repository, an organisation or an app.

Source: docs.github.com, "Validating webhook deliveries" and "Webhook events and payloads". Only the
signature of SHA-256 is taken. The topic is the event (`issues`); what happened is `action` in the
body. GitHub waits 10 seconds and sends nothing again by itself; what is redelivered by hand is the
same event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringhook.reading.bodies import read_json
from ringhook.senders.providers import Provider, body, first, header, whole_payload
from ringhook.senders.request import read_payload
from ringhook.senders.signatures import Hmac

if TYPE_CHECKING:
    from ringhook.senders.request import Request


def _read(request: Request) -> Any:
    """The payload; of a form, the JSON in its field `payload`."""
    form = read_payload(request)
    if not isinstance(form, dict) or not isinstance(inside := form.get("payload"), str):
        return form
    return read_json(inside, "the form's field `payload`")


# What the body of an event has and others' have not: the event's name is in a header, which is not
# signed.
_SHAPES = {
    "check_run": "check_run",
    "check_suite": "check_suite && !check_run",
    "deployment": "deployment && !deployment_status",
    "deployment_status": "deployment_status",
    "discussion": "discussion && !comment",
    "discussion_comment": "discussion && comment",
    "fork": "forkee",
    "issue_comment": "issue && comment",
    "issues": "issue && !comment",
    "member": "member",
    "pull_request": "pull_request && !(review || comment || thread)",
    "pull_request_review": "pull_request && review",
    "pull_request_review_comment": "pull_request && comment",
    "push": "ref && commits != `null`",
    "release": "release",
    "status": "sha && state",
    "workflow_job": "workflow_job",
    "workflow_run": "workflow_run && !deployment",
}
_TOPICS = """
branch_protection_configuration branch_protection_rule check_run check_suite code_scanning_alert
commit_comment create custom_property custom_property_values delete dependabot_alert deploy_key
deployment deployment_protection_rule deployment_review deployment_status discussion
discussion_comment fork github_app_authorization gollum installation installation_repositories
installation_target issue_comment issues label marketplace_purchase member membership merge_group
meta milestone org_block organization package page_build personal_access_token_request ping
project_card project project_column projects_v2 projects_v2_item public pull_request
pull_request_review pull_request_review_comment pull_request_review_thread push registry_package
release repository repository_advisory repository_dispatch repository_import repository_ruleset
repository_vulnerability_alert secret_scanning_alert secret_scanning_alert_location
security_advisory security_and_analysis sponsorship star status sub_issues team team_add watch
workflow_dispatch workflow_job workflow_run
"""

PROVIDER = Provider(
    title="GitHub",
    schemes=(Hmac(header="x-hub-signature-256", prefix="sha256="),),
    read=_read,
    topic=header("x-github-event"),
    # Not X-GitHub-Delivery, which is not signed.
    identity=(whole_payload,),
    occurred_at=first(
        body("workflow_run.updated_at"),
        body("alert.updated_at"),
        body("deployment_status.updated_at"),
        body("comment.updated_at"),
        body("issue.updated_at"),
        body("pull_request.updated_at"),
        body("head_commit.timestamp"),
    ),
    tenant=first(body("repository.full_name"), body("organization.login")),
    never={
        "ping": "GitHub tries the address",
        "github_app_authorization": "a user took the app's permission back",
    },
    shapes=_SHAPES,
    topics=tuple(_TOPICS.split()),
)
