#!/bin/sh
# Compiles czmq-peer.c and zre-peer.c into dist/interop/, unless they are newer there than their source and this script.
# Ends with 3 and a sentence when the machine lacks what it takes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../../dist/interop
programs='czmq-peer zre-peer'

for program in $programs; do
  for source in "$program.c" build.sh; do
    [ "$out/$program" -nt "$here/$source" ] || stale=yes
  done
done
[ "${stale-no}" = yes ] || exit 0

if ! command -v cc >/dev/null || ! command -v pkg-config >/dev/null || ! pkg-config --exists libczmq libzmq; then
  echo 'no C compiler with libczmq here: apt-get install gcc libc6-dev pkg-config libczmq-dev' >&2
  exit 3
fi

mkdir -p "$out"
# Test files build at the same time: each compiles under a name of its own, and the rename is atomic.
trap 'rm -f "$out"/*.$$' EXIT
for program in $programs; do
  # shellcheck disable=SC2046 # pkg-config gives several words
  cc -std=gnu11 -O2 -Wall -Wextra -Werror $(pkg-config --cflags libczmq libzmq) \
    -o "$out/$program.$$" "$here/$program.c" $(pkg-config --libs libczmq libzmq)
  mv "$out/$program.$$" "$out/$program"
done
