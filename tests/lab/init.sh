# The box's first process: builds its file system, then waits until its creator closes descriptor 0, reaping.
# Run by unshare in fresh mount, net, uts, ipc, pid and cgroup namespaces. Its settings are environment variables:
# LAB_HOSTNAME, LAB_DISK (bytes of the data root's own file system, or empty), LAB_INODES, LAB_DATA_DIR (used when
# LAB_DISK is empty), LAB_BIND (paths to show as they are, read-only, one a line), LAB_OPEN (directories to make
# searchable for everybody, inside only, one a line).
set -e
exec 3<&0 </dev/null
PATH=/usr/sbin:/usr/bin:/sbin:/bin
hostname "$LAB_HOSTNAME"
mount --make-rprivate /

lab=/mnt
mount -t tmpfs -o mode=755 lab $lab
mkdir $lab/upper $lab/work $lab/root
mount -t overlay -o lowerdir=/,upperdir=$lab/upper,workdir=$lab/work lab $lab/root
new=$lab/root

mount -t proc proc $new/proc
mount -t sysfs sysfs $new/sys
mount --rbind /dev $new/dev
for dir in dev/shm run tmp; do
    mount -t tmpfs -o "mode=$([ $dir = run ] && echo 755 || echo 1777)" ${dir##*/} $new/$dir
done
mkdir -p $new/run/lock

if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 $new/sys/fs/cgroup
    mkdir -p $new/sys/fs/cgroup/init
    echo $$ >$new/sys/fs/cgroup/init/cgroup.procs
    sed 's/[^ ]*/+&/g' $new/sys/fs/cgroup/cgroup.controllers >$new/sys/fs/cgroup/cgroup.subtree_control
else
    mount -t tmpfs -o mode=755 cgroup $new/sys/fs/cgroup
    while read -r kind where options; do
        mkdir -p $new/sys/fs/cgroup/${where##*/}
        mount -t $kind -o "$options" cgroup $new/sys/fs/cgroup/${where##*/}
    done <<END
$LAB_CGROUPS
END
    # Docker itself looks for cpu,cpuacct as well as for the separate names; the machine's own links are repeated.
    for link in $(find /sys/fs/cgroup -maxdepth 1 -type l); do cp -P "$link" $new/sys/fs/cgroup/; done
fi

rm -rf $new/etc/docker $new/etc/resolv.conf $new/etc/containerd $new/var/log/docker.log $new/var/log/dpkg.log
mkdir -p $new/etc/docker $new/var/lib/docker $new/var/log
printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost\n' "$LAB_HOSTNAME" >$new/etc/hosts
echo "$LAB_HOSTNAME" >$new/etc/hostname
if [ -n "$LAB_DISK" ]; then
    truncate -s "$LAB_DISK" $lab/disk
    mkfs.ext4 -q -m 0 -O ^has_journal ${LAB_INODES:+-N $LAB_INODES} $lab/disk
    mount -o loop $lab/disk $new/var/lib/docker
    rmdir $new/var/lib/docker/lost+found
else
    mount --bind "$LAB_DATA_DIR" $new/var/lib/docker
fi
chmod 711 $new/var/lib/docker

echo "$LAB_OPEN" | while read -r dir; do [ -z "$dir" ] || chmod a+rx "$new$dir"; done
echo "$LAB_BIND" | while read -r dir; do
    [ -n "$dir" ] || continue
    mkdir -p "$new$dir"
    mount --bind "$dir" "$new$dir"
    mount -o remount,bind,ro "$new$dir"
done

mkdir -p $new/mnt/old
cd $new
pivot_root . mnt/old
umount -l /mnt/old
rmdir /mnt/old
ip link set lo up
echo ready
exec >/dev/null 2>&1
cat <&3 &
# dash's wait also reaps what was orphaned to this process
wait $!
