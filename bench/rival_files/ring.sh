#!/bin/sh
# Asks the API for a call to PHONE about LEAD: ring.sh PHONE LEAD
exec curl --fail --silent --show-error --max-time 30 -H 'Content-Type: application/json' \
  --data "{\"agent_id\": 1, \"phone_number\": \"$1\", \"metadata\": {\"lead\": \"$2\"}}" "$API_URL"
