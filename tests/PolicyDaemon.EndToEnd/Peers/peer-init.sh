# A machine for one mail server that is unpacked, not installed: its programs over the host's, its users, a /dev/log that the
# test reads, and the folders that the packages' scripts would have made. Runs in mount and host name namespaces of its own.
#   $1 the server's folder   $2 its host name   $3 root of the unpacked packages   rest: the program and its arguments
set -eu
folder=$1
name=$2
root=$3
shift 3

hostname "$name"
mkdir -p "$folder/etc" "$folder/dev"
for file in passwd group; do
    cp "/etc/$file" "$folder/etc/$file"
done
id=64100
for user in Debian-exim smmta smmsp opensmtpd opensmtpq; do
    id=$((id + 1))
    echo "$user:x:$id:$id::/nonexistent:/usr/sbin/nologin" >>"$folder/etc/passwd"
    echo "$user:x:$id:" >>"$folder/etc/group"
done
for file in passwd group; do
    mount --bind "$folder/etc/$file" "/etc/$file"
done

mount -t overlay overlay -o "lowerdir=/usr:$root/usr" /usr
for device in null zero random urandom; do
    : >"$folder/dev/$device"
    mount --bind "/dev/$device" "$folder/dev/$device"
done
mount --rbind "$folder/dev" /dev
for fresh in /run /var/spool /var/lib; do
    mount -t tmpfs -o mode=0755 tmpfs "$fresh"
done
install -d -m 0711 /var/spool/smtpd
install -d /var/lib/opensmtpd/empty
# Not below /tmp: sendmail trusts no file below a folder that everybody may write to.
mkdir /run/mail-server
mount --bind "$folder" /run/mail-server
cd /run/mail-server
exec "$@"
