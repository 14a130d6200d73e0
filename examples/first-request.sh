#!/bin/sh
# From nothing to a request that goes through: an upstream, a route to it, an API key, and a request with it.
#
#   examples/first-request.sh https://api.example.com /v1/users
#
# Run it beside a gateway started with "npm start" in the same folder. APIGATE names another command than
# "npx apigate", GATEWAY another address than http://localhost:8080.
set -eu

upstream=${1:?"the upstream's address, such as https://api.example.com"}
path=${2:-/}
apigate=${APIGATE:-npx apigate}

$apigate upstreams create --name first --url "$upstream"
$apigate routes create --name first --path "$path" --upstream first
key=$($apigate keys create --name first)

curl --fail-with-body -sS -H "X-API-Key: $key" "${GATEWAY:-http://localhost:8080}$path"
