# SPDX-License-Identifier: Apache-2.0
# node.sh NODE ADDRESS FOLDER REPOSITORY REMOTED: the first process of a machine, in
# namespaces of its own. FOLDER has what the cluster's nodes share; REMOTED is the
# program of a remote node, "" on a node of the cluster.
set -e
node=$1 address=$2 folder=$3 repository=$4 remoted=$5
. "$repository/tests/lib/overlay.sh"

hostname "$node"
mkdir -p "$folder/layers-$node"
# /root, since a pyenv's Python lies in it, and Pacemaker's user has to run that.
overlay "$folder/layers-$node" /etc /root /usr/sbin /var
chmod 755 /root
mount -t tmpfs -o mode=755 none /run
mount -t tmpfs none /dev/shm
mkdir /run/lock
install -d -o hacluster -g haclient /run/crm

# Ours, as docs/pacemaker.md says.
systemd-sysusers "$repository/etc/service/sysusers.conf"
systemd-tmpfiles --create "$repository"/etc/service/tmpfiles*.conf

install -D -m 640 -o hacluster -g haclient "$folder/authkey" /etc/pacemaker/authkey
export PCMK_logfile=/var/log/pacemaker/pacemaker.log PCMK_logfacility=none
rm -f "$PCMK_logfile"

ip link set lo up
until ip link show eth0 >/dev/null 2>&1; do sleep 0.02; done
ip addr add "$address/24" dev eth0
ip link set eth0 up

if [ "$remoted" ]; then
    "$remoted" &
else
    install -D "$folder/corosync.conf" /etc/corosync/corosync.conf
    install -m 755 "$folder/fence_switch" /usr/sbin/fence_switch
    rm -rf /var/lib/pacemaker/cib/*
    install -m 600 -o hacluster -g haclient "$folder/cib.xml" /var/lib/pacemaker/cib/
    corosync -f &
    until corosync-cmapctl >/dev/null 2>&1; do sleep 0.05; done
    pacemakerd &
fi
echo ready
while :; do # whoever has lost its parent is waited for
    sleep 1000 &
    wait
done
