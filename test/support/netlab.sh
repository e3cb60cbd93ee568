#!/usr/bin/env bash
# netlab.sh - a throw-away LAN of N hosts in Linux network namespaces; root only. netlab.ts is its door for tests.
#
#   netlab.sh up N                hosts 1..N as 10.77.0.1..N on one bridge that has no uplink
#   netlab.sh exec I CMD...       becomes CMD on host I
#   netlab.sh partition 1,2 3     drops everything between the groups, broadcasts too, in place of any partition
#                                 before; hosts that no group names keep seeing everybody
#   netlab.sh heal                ends the partition
#   netlab.sh down                kills what runs on the hosts and removes them; fine without a lab
#
# NETLAB names the lab, so that several stand side by side.
set -euo pipefail
lab=${NETLAB:?the name of the lab}
hub=$lab-hub
net=10.77.0

on_hub() { ip netns exec "$hub" "$@"; }

up() {
  local i
  ip netns add "$hub"
  on_hub ip link add bridge0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
  on_hub ip link set bridge0 up
  on_hub nft add table bridge lab
  on_hub nft add chain bridge lab cables '{ type filter hook forward priority 0; }'
  for i in $(seq 1 "$1"); do
    ip netns add "$lab-$i"
    ip link add "host$i" netns "$hub" type veth peer name eth0 netns "$lab-$i"
    on_hub ip link set "host$i" master bridge0 up
    ip -n "$lab-$i" link set lo up
    ip -n "$lab-$i" addr add "$net.$i/24" brd + dev eth0
    ip -n "$lab-$i" link set eth0 up
    # So that 255.255.255.255 and multicast groups have a route.
    ip -n "$lab-$i" route add default dev eth0
  done
}

partition() {
  local rules='flush chain bridge lab cables' here there i j
  for here in "$@"; do for there in "$@"; do
    [ "$here" != "$there" ] || continue
    for i in ${here//,/ }; do for j in ${there//,/ }; do
      rules+=$'\n'"add rule bridge lab cables iifname host$i oifname host$j drop"
    done; done
  done; done
  on_hub nft -f - <<<"$rules"
}

down() {
  local name
  for name in $(ip netns list | awk -v lab="$lab" 'index($1, lab "-") == 1 { print $1 }'); do
    ip netns pids "$name" | xargs -r kill -9 || true
    ip netns del "$name"
  done
}

verb=${1:-}
[ $# -eq 0 ] || shift
case $verb in
  up) up "$1" ;;
  exec) host=$1; shift; exec ip netns exec "$lab-$host" "$@" ;;
  partition) partition "$@" ;;
  heal) on_hub nft flush chain bridge lab cables ;;
  down) down ;;
  *) sed -n '2,/^set -e/p' "$0" | grep '^#' | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
esac
