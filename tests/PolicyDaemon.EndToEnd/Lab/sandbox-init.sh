# Process 1 of a laboratory, in network, mount and process namespaces of its own.
#   $1 the laboratory's directory   $2 root of an unpacked Postfix to put over the host's, or empty
# Lives until its standard input ends, which is when the test process ends, however it ends; the kernel then kills
# every other process of the laboratory, and namespaces, addresses and mounts vanish with the last of them.
set -eu
lab=$1
postfix=$2

# A private /run hides named network namespaces and sockets of the host and keeps ours from it.
resolv=$(readlink -f /etc/resolv.conf)
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/lock
for file in resolv.conf hosts nsswitch.conf; do
    target=$(readlink -f "/etc/$file" || echo "/etc/$file")
    [ "$file" != resolv.conf ] || target=$resolv
    case $target in /run/*) mkdir -p "$(dirname "$target")"; : >"$target" ;; esac
    [ ! -e "$target" ] || mount --bind "$lab/etc/$file" "$target"
done

# Postfix reads /etc/postfix even where -c names another directory. The laboratory's one has an empty main.cf.
source=/etc/postfix
if [ -n "$postfix" ]; then
    source=$postfix/etc/postfix
    mount --bind "$postfix/usr/lib/postfix" /usr/lib/postfix
    for program in "$postfix"/usr/sbin/*; do
        target=/usr/sbin/$(basename "$program")
        [ ! -e "$target" ] || mount --bind "$program" "$target"
    done
fi
mkdir "$lab/etc/postfix"
cp -R "$source/." "$lab/etc/postfix"
: >"$lab/etc/postfix/main.cf"
: >"$lab/etc/postfix/master.cf"
mount --bind "$lab/etc/postfix" /etc/postfix

# 192.0.2.0/24 and 2001:db8::/32 are for documentation (RFC 5737, RFC 3849): no real host can be meant.
ip link set lo up
ip netns add mx
ip netns exec mx ip link set lo up
ip link add sender type veth peer name mx netns mx
ip address add 192.0.2.1/24 dev sender
ip address add 2001:db8:25::1/64 dev sender nodad
ip link set sender up
ip netns exec mx ip address add 192.0.2.10/24 dev mx
ip netns exec mx ip address add 2001:db8:25::10/64 dev mx nodad
ip netns exec mx ip link set mx up

# wait collects orphans too, as process 1 must.
exec 3<&0
cat <&3 >/dev/null &
echo ready
wait $!
