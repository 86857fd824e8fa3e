#!/bin/bash
# The inside of a machine, from its own mount, PID, network and host name spaces: an overlay of this machine's files, a user
# "ubuntu" who may log in by ssh, and this checkout's virtual environment as his.
# machine.sh FOLDER NAME ADDRESS VENV
set -e
folder=$1 name=$2 address=$3 venv=$4
root=$folder/root
mkdir -p "$folder/upper" "$folder/work" "$root" "$folder/tmp"
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o size=2g,mode=1777 shm "$root/dev/shm"
mount -t tmpfs tmpfs "$root/run"
chmod 1777 "$folder/tmp"
mount --rbind "$folder/tmp" "$root/tmp"
mkdir -p "$root/run/sshd" "$root/etc/ssh"
mkdir -p "$root$venv"
mount --rbind "$venv" "$root$venv"
hostname "$name"
chmod 755 "$root/root"
printf '127.0.0.1 localhost\n%s %s\n' "$address" "$name" > "$root/etc/hosts"
printf '%s\n' 'Port 22' 'HostKey /etc/ssh/ssh_host_ed25519_key' 'PasswordAuthentication no' 'UsePAM no' 'StrictModes no' 'LogLevel VERBOSE' \
  'MaxStartups 50:30:100' 'MaxSessions 50' > "$root/etc/ssh/sshd_config"
cp "$folder/key.pub" "$root/key.pub"
exec chroot "$root" /bin/bash -c "
rm -f /etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
id ubuntu > /dev/null 2>&1 || useradd -m -s /bin/bash ubuntu
usermod -p '*' ubuntu
id sshd > /dev/null 2>&1 || useradd -r -M -s /usr/sbin/nologin sshd
ln -sfn $venv ~ubuntu/venv
mkdir -p ~ubuntu/.ssh
cp /key.pub ~ubuntu/.ssh/authorized_keys
{
  echo 'export PATH=$venv/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'
  echo 'export RAY_USAGE_STATS_ENABLED=0 PYTHONDONTWRITEBYTECODE=1 AWS_ENDPOINT_URL=http://172.31.255.254:5055'
} > ~ubuntu/.bash_profile
cp ~ubuntu/.bash_profile ~ubuntu/.bashrc
chown -R ubuntu ~ubuntu
exec /usr/sbin/sshd -D -e"
