#!/bin/sh
# Compiles czmq-peer.c into dist/interop/czmq-peer, unless that is newer than its source and this script.
# Ends with 3 and a sentence when the machine lacks what it takes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../../dist/interop/czmq-peer

for source in czmq-peer.c build.sh; do
  [ "$out" -nt "$here/$source" ] || stale=yes
done
[ "${stale-no}" = yes ] || exit 0

if ! command -v cc >/dev/null || ! command -v pkg-config >/dev/null || ! pkg-config --exists libczmq; then
  echo 'no C compiler with libczmq here: apt-get install gcc libc6-dev pkg-config libczmq-dev' >&2
  exit 3
fi

mkdir -p "$(dirname "$out")"
# Test files build at the same time: each compiles under a name of its own, and the rename is atomic.
trap 'rm -f "$out.$$"' EXIT
# shellcheck disable=SC2046 # pkg-config gives several words
cc -std=gnu11 -O2 -Wall -Wextra -Werror $(pkg-config --cflags libczmq) \
  -o "$out.$$" "$here/czmq-peer.c" $(pkg-config --libs libczmq)
mv "$out.$$" "$out"
