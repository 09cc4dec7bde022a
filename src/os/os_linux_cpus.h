/*
 * How many CPUs a Linux process may keep busy, according to its control groups. Part of os_linux.c.
 * It is separate because it reads files: tests give it a folder of their own.
 */
#ifndef TELAR_OS_OS_LINUX_CPUS_H
#define TELAR_OS_OS_LINUX_CPUS_H

/*
 * The smaller of `cpus` and the CPU quota of the control groups, rounded down, at least 1. Supports
 * both versions of control groups, also mixed. Each group on the path up to the mount point may
 * have a quota, and the lowest quota applies. A file that is missing, unreadable or malformed sets
 * no quota. Any thread.
 *
 * `root`: the folder that contains proc and sys, without a slash at the end; "" is the real system.
 * Source: the kernel's documentation, admin-guide/cgroup-v1 and cgroup-v2; proc_pid_mountinfo(5).
 */
unsigned telar_os_linux_cpus_below_quota(const char *root, unsigned cpus);

#endif
