#!/usr/bin/env bash
# netlab.sh - a throw-away LAN of N hosts in Linux network namespaces; root only. netlab.ts is its door for tests.
#
#   netlab.sh up N                hosts 1..N as 10.77.0.1..N on one bridge that has no uplink
#   netlab.sh exec I CMD...       becomes CMD on host I
#   netlab.sh partition 1,2 3     drops everything between the groups, broadcasts too, in place of any partition
#                                 before; hosts that no group names keep seeing everybody
#   netlab.sh heal                ends the partition
#   netlab.sh loss PERCENT        drops so many of all frames, at random; 0 ends it
#   netlab.sh link I down|up      takes the interface of host I down, or up again
#   netlab.sh cable I J           joins hosts I and J by a network of their own, as 10.78.0.I and .J on their eth1
#   netlab.sh nameserver ADDRESS  makes it the name server of all hosts
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
  on_hub nft add chain bridge lab noise '{ type filter hook forward priority 1; }'
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

loss() {
  on_hub nft flush chain bridge lab noise
  # Not netem, which many kernels lack.
  [ "$1" -eq 0 ] || on_hub nft add rule bridge lab noise numgen random mod 100 '<' "$1" drop
}

link() {
  ip -n "$lab-$1" link set eth0 "$2"
  # Taking it down took the route away.
  [ "$2" = down ] || ip -n "$lab-$1" route replace default dev eth0
}

cable() {
  local i
  ip link add eth1 netns "$lab-$1" type veth peer name eth1 netns "$lab-$2"
  for i in "$@"; do
    ip -n "$lab-$i" addr add "10.78.0.$i/24" brd + dev eth1
    ip -n "$lab-$i" link set eth1 up
  done
}

# `ip netns exec` puts the files of /etc/netns/NAME over those of /etc.
nameserver() {
  local name
  for name in $(hosts); do
    mkdir -p "/etc/netns/$name"
    echo "nameserver $1" >"/etc/netns/$name/resolv.conf"
  done
}

hosts() { ip netns list | awk -v lab="$lab" 'index($1, lab "-") == 1 { print $1 }'; }

down() {
  local name
  for name in $(hosts); do
    ip netns pids "$name" | xargs -r kill -9 || true
    ip netns del "$name"
    rm -rf "/etc/netns/$name"
  done
}

verb=${1:-}
[ $# -eq 0 ] || shift
case $verb in
  up) up "$1" ;;
  exec) host=$1; shift; exec ip netns exec "$lab-$host" "$@" ;;
  partition) partition "$@" ;;
  heal) on_hub nft flush chain bridge lab cables ;;
  loss) loss "$1" ;;
  link) link "$1" "$2" ;;
  cable) cable "$1" "$2" ;;
  nameserver) nameserver "$1" ;;
  down) down ;;
  *) sed -n '2,/^set -e/p' "$0" | grep '^#' | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
esac
