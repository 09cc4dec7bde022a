/* os_linux_cpus.h: quotas of control groups, in folders that imitate a system's. */
#if defined(__linux__)
#define _GNU_SOURCE /* nftw */
#include "check.h"

#include <ftw.h>
#include <sys/stat.h>

#include "os/os_linux_cpus.h"

#define V2_MOUNT "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNT "31 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"

static char root[256];

static void new_system(void) {
  const char *temporary = getenv("TMPDIR");
  snprintf(root, sizeof root, "%s/telar-cpus-XXXXXX", temporary != NULL ? temporary : "/tmp");
  CHECK(mkdtemp(root) != NULL);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status, (void)type, (void)walk;
  return remove(path);
}

static void add_file(const char *name, const char *text) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", root, name);
  for (char *slash = strchr(path + strlen(root) + 1, '/'); slash != NULL;
       slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    (void)mkdir(path, 0700);
    *slash = '/';
  }
  FILE *file = fopen(path, "w");
  CHECK(file != NULL);
  CHECK(fputs(text, file) >= 0);
  CHECK(fclose(file) == 0);
}

/* The result for 8 CPUs. Removes the folders. */
static unsigned cpus_of_system(void) {
  unsigned cpus = telar_os_linux_cpus_below_quota(root, 8);
  CHECK(nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0);
  return cpus;
}

static unsigned cpus_with_quota(const char *quota) {
  new_system();
  add_file("proc/self/mountinfo", V2_MOUNT);
  add_file("proc/self/cgroup", "0::/app\n");
  add_file("sys/fs/cgroup/app/cpu.max", quota);
  return cpus_of_system();
}

static void rounds_a_quota_down_to_at_least_one(void) {
  CHECK_EQUAL(cpus_with_quota("150000 100000\n"), 1);
  CHECK_EQUAL(cpus_with_quota("50000 100000\n"), 1);
  CHECK_EQUAL(cpus_with_quota("299999 100000\n"), 2);
  CHECK_EQUAL(cpus_with_quota("300000 100000"), 3);
  CHECK_EQUAL(cpus_with_quota("900000 100000\n"), 8);
  CHECK_EQUAL(cpus_with_quota("max 100000\n"), 8);
}

static void takes_the_lowest_quota_on_the_way_up(void) {
  new_system();
  add_file("proc/self/mountinfo", V2_MOUNT);
  add_file("proc/self/cgroup", "0::/a/b/c\n");
  add_file("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  add_file("sys/fs/cgroup/a/b/cpu.max", "200000 100000\n");
  add_file("sys/fs/cgroup/a/cpu.max", "400000 100000\n");
  CHECK_EQUAL(cpus_of_system(), 2);
}

static void finds_the_own_group_at_the_mount_point_of_a_container(void) {
  new_system();
  add_file("proc/self/mountinfo", "30 24 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  add_file("proc/self/cgroup", "0::/docker/abc\n");
  add_file("sys/fs/cgroup/cpu.max", "200000 100000\n");
  CHECK_EQUAL(cpus_of_system(), 2);
  /* A group whose name has that of the shown group as a prefix. */
  new_system();
  add_file("proc/self/mountinfo", "30 24 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  add_file("proc/self/cgroup", "0::/docker/abcdef\n");
  add_file("sys/fs/cgroup/def/cpu.max", "200000 100000\n");
  CHECK_EQUAL(cpus_of_system(), 8);
}

static void divides_quota_by_period_in_version_1(void) {
  new_system();
  add_file("proc/self/mountinfo", V1_MOUNT);
  add_file("proc/self/cgroup", "12:memory:/x\n4:cpu,cpuacct:/app\n0::/\n");
  add_file("sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us", "300000\n");
  add_file("sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us", "100000\n");
  CHECK_EQUAL(cpus_of_system(), 3);
  new_system();
  add_file("proc/self/mountinfo", V1_MOUNT);
  add_file("proc/self/cgroup", "4:cpu,cpuacct:/\n");
  add_file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  add_file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  CHECK_EQUAL(cpus_of_system(), 8);
}

static void reads_a_mount_point_with_a_space_behind_a_very_long_line(void) {
  static char mounts[40000];
  size_t length =
      (size_t)snprintf(mounts, sizeof mounts, "29 24 0:25 / /layers rw - overlay overlay ");
  memset(mounts + length, 'x', 30000);
  snprintf(mounts + length + 30000, 200,
           "\n30 24 0:26 / /mnt/c\\040groups rw - cgroup2 cgroup2 rw");
  new_system();
  add_file("proc/self/mountinfo", mounts);
  add_file("proc/self/cgroup", "0::/\n");
  add_file("mnt/c groups/cpu.max", "100000 100000\n");
  CHECK_EQUAL(cpus_of_system(), 1);
}

static void knows_no_quota_where_there_are_no_files_or_they_make_no_sense(void) {
  new_system();
  CHECK_EQUAL(cpus_of_system(), 8);
  new_system();
  add_file("proc/self/cgroup", "0::/\n");
  CHECK_EQUAL(cpus_of_system(), 8);
  new_system();
  add_file("proc/self/mountinfo", V2_MOUNT "nonsense\n - \n");
  add_file("proc/self/cgroup", "garbage\n:\n0::/\n");
  add_file("sys/fs/cgroup/cpu.max", "one two\n");
  CHECK_EQUAL(cpus_of_system(), 8);
}

int main(void) {
  check_deadline(60);
  rounds_a_quota_down_to_at_least_one();
  takes_the_lowest_quota_on_the_way_up();
  finds_the_own_group_at_the_mount_point_of_a_container();
  divides_quota_by_period_in_version_1();
  reads_a_mount_point_with_a_space_behind_a_very_long_line();
  knows_no_quota_where_there_are_no_files_or_they_make_no_sense();
  return 0;
}
#else
int main(void) {
  return 0;
}
#endif
