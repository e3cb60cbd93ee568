#!/usr/bin/env bash
# Prints each message of a node's stream as a line of JSON, with curl alone. After a loss it goes on after the last one.
# Run: examples/stream.sh ['kind=indicator&itype=url']. TOCSIN_URL and TOCSIN_TOKEN name the node and a token of it.
set -uo pipefail
url=${TOCSIN_URL:-http://127.0.0.1:8480}
auth="Authorization: Bearer ${TOCSIN_TOKEN:?set it to a token of the node}"
cursor=
while true; do
  while IFS= read -r line; do
    # Each line has the cursor to go on after, also those that only break the silence.
    [[ $line =~ \"cursor\":\"([^\"]+)\" ]] && cursor=${BASH_REMATCH[1]}
    [[ $line == *'"type":"tocsin.stream.'* ]] || printf '%s\n' "$line"
  done < <(curl -fsSN --speed-limit 1 --speed-time 45 -H "$auth" "$url/stream/ndjson?follow=1${cursor:+&cursor=$cursor}&${1:-kind=indicator}")
  echo "lost the stream, going on after $cursor" >&2
  sleep "1.$((RANDOM % 10))"
done
