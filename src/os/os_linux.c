/*
 * os.h for Linux.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif

#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
  TEXT_MAX = 4096,         /* of a file below /proc or /sys that is read here */
  PATH_TEXT_MAX = 1024,    /* of a path of a control group */
  AFFINITY_CPUS_MAX = 65536
};

uint64_t telar_os_now_ns(void) {
  struct timespec now;
  /* Cannot fail: the clock exists on every kernel and the pointer is ours. */
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void telar_os_yield(void) {
  (void)sched_yield();
}

/* The file as a string; false if it is not there, empty or cannot be read. */
static bool read_text(const char *path, char text[TEXT_MAX]) {
  int file;
  do {
    file = open(path, O_RDONLY | O_CLOEXEC);
  } while (file < 0 && errno == EINTR);
  if (file < 0) return false;
  size_t length = 0;
  while (length < TEXT_MAX - 1) {
    ssize_t got = read(file, text + length, TEXT_MAX - 1 - length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    length += (size_t)got;
  }
  (void)close(file);
  text[length] = '\0';
  return length > 0;
}

/* Lowers *cpus to quota/period rounded up. "No quota" comes as 0 or less. */
static void apply_quota(long long quota, long long period, unsigned *cpus) {
  if (quota <= 0 || period <= 0) return;
  long long whole = quota / period + (quota % period != 0);
  if (whole < (long long)*cpus) *cpus = (unsigned)whole;
}

static void join(char path[PATH_TEXT_MAX * 2], const char *mount, const char *group, const char *file) {
  size_t at = 0;
  const char *parts[] = {mount, group, file};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    size_t length = strlen(parts[i]);
    if (at + length >= PATH_TEXT_MAX * 2) length = PATH_TEXT_MAX * 2 - 1 - at;
    memcpy(path + at, parts[i], length);
    at += length;
  }
  path[at] = '\0';
}

/* cgroup v2: "max 100000" or "150000 100000". */
static void apply_group_v2(const char *mount, const char *group, unsigned *cpus) {
  char path[PATH_TEXT_MAX * 2], text[TEXT_MAX];
  join(path, mount, group, "/cpu.max");
  if (!read_text(path, text)) return;
  char *rest;
  long long quota = strtoll(text, &rest, 10);
  if (rest == text) return; /* "max" */
  apply_quota(quota, strtoll(rest, NULL, 10), cpus);
}

/* cgroup v1: two files, -1 for "no quota". */
static void apply_group_v1(const char *mount, const char *group, unsigned *cpus) {
  char path[PATH_TEXT_MAX * 2], text[TEXT_MAX];
  join(path, mount, group, "/cpu.cfs_quota_us");
  if (!read_text(path, text)) return;
  long long quota = strtoll(text, NULL, 10);
  join(path, mount, group, "/cpu.cfs_period_us");
  if (!read_text(path, text)) return;
  apply_quota(quota, strtoll(text, NULL, 10), cpus);
}

/*
 * Every group from the process's own up to the root may hold a quota, and the
 * lowest one rules. A container often sees its host's path here while its own
 * group is mounted as the root: the levels that do not exist are passed over
 * and the walk ends at the root all the same.
 */
static void apply_groups(const char *const *mounts, char *group, bool v2, unsigned *cpus) {
  for (;;) {
    for (size_t i = 0; mounts[i] != NULL; i++) {
      if (v2) {
        apply_group_v2(mounts[i], group, cpus);
      } else {
        apply_group_v1(mounts[i], group, cpus);
      }
    }
    char *slash = strrchr(group, '/');
    if (slash == NULL) return;
    *slash = '\0';
  }
}

/* True if the comma-separated list of length bytes names the controller. */
static bool names_controller(const char *list, size_t length, const char *name) {
  size_t name_length = strlen(name);
  for (size_t at = 0; at < length;) {
    const char *comma = memchr(list + at, ',', length - at);
    size_t item = comma != NULL ? (size_t)(comma - (list + at)) : length - at;
    if (item == name_length && memcmp(list + at, name, item) == 0) return true;
    at += item + 1;
  }
  return false;
}

/* /proc/self/cgroup: a line "id:controllers:path" for each hierarchy; v2 is "0::path". */
static void apply_control_groups(unsigned *cpus) {
  static const char *const v1_mounts[] = {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", NULL};
  static const char *const v2_mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL};
  char text[TEXT_MAX];
  if (!read_text("/proc/self/cgroup", text)) return;
  for (char *line = text; line != NULL && *line != '\0';) {
    char *end = strchr(line, '\n');
    if (end != NULL) *end = '\0';
    char *controllers = strchr(line, ':');
    char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path != NULL) {
      controllers++;
      size_t length = (size_t)(path - controllers);
      path++;
      if (strlen(path) < PATH_TEXT_MAX) {
        /* "/" alone is the root: an empty path below the mount. */
        if (strcmp(path, "/") == 0) *path = '\0';
        if (length == 0) {
          apply_groups(v2_mounts, path, true, cpus);
        } else if (names_controller(controllers, length, "cpu")) {
          apply_groups(v1_mounts, path, false, cpus);
        }
      }
    }
    line = end != NULL ? end + 1 : NULL;
  }
}

/* The mask of the calling thread, since that is what its new threads inherit. */
static unsigned affinity_cpus(void) {
  /* Larger than glibc's cpu_set_t: with more CPUs than that the call fails. */
  unsigned long mask[AFFINITY_CPUS_MAX / (8 * sizeof(unsigned long))];
  memset(mask, 0, sizeof mask);
  if (sched_getaffinity(0, sizeof mask, (cpu_set_t *)(void *)mask) == 0) {
    unsigned count = 0;
    for (size_t i = 0; i < sizeof mask / sizeof mask[0]; i++) {
      count += (unsigned)__builtin_popcountl(mask[i]);
    }
    if (count > 0) return count;
  }
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (unsigned)online : 1;
}

unsigned telar_os_cpus(void) {
  unsigned cpus = affinity_cpus();
  apply_control_groups(&cpus);
  return cpus;
}

/* Linked with -z nodelete. */
void telar_os_pin_library(const void *inside) { (void)inside; }
