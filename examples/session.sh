#!/usr/bin/env bash
# A session with curl. TOCSIN_URL and TOCSIN_TOKEN name the node and the token that it printed at its first start.
set -euo pipefail
url=${TOCSIN_URL:-http://127.0.0.1:8480}
auth="Authorization: Bearer ${TOCSIN_TOKEN:?set it to a token of the node}"

echo '# two indicators, one a line'
printf 'hxxp://curl[.]example[.]com/a.exe\n93.184.216.34\n' |
  curl -fsS -H "$auth" -H 'Content-Type: text/plain' --data-binary @- "$url/indicators?tags=malware&confidence=8"
echo
echo '# what is known about one of them'
curl -fsS -H "$auth" "$url/indicators?q=93.184.216.34"
echo '# the feed of URLs, as CSV'
curl -fsS -H "$auth" -H 'Accept: text/csv' "$url/indicators?itype=url"
echo '# is this node in step with its peers?'
curl -fsS "$url/health/ready"
echo
