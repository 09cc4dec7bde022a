/*
 * How many CPUs a Linux process may keep busy, as its control groups have it. Part of os_linux.c,
 * apart because it reads files: tests give it a folder of their own.
 */
#ifndef TELAR_OS_OS_LINUX_CPUS_H
#define TELAR_OS_OS_LINUX_CPUS_H

/*
 * The smaller of `cpus` and the CPU quota of the control groups, rounded down, at least 1. Both
 * versions of control groups, also mixed; each group on the way up to the mount point may hold a
 * quota, and the lowest one rules. A file that is absent, unreadable or makes no sense sets none.
 *
 * `root`: where proc and sys lie, without a slash at the end; "" is the system itself.
 * Source: the kernel's documentation, admin-guide/cgroup-v1 and cgroup-v2; proc_pid_mountinfo(5).
 */
unsigned telar_os_linux_cpus_below_quota(const char *root, unsigned cpus);

#endif
