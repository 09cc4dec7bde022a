#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* O_CLOEXEC, ssize_t */
#endif

#include "os_linux_cpus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  LINE_BYTES = 8192, /* buffer for one line; the rest of a longer line is skipped */
  PATH_BYTES = 1024  /* of a group or a mount point; longer paths are skipped */
};

/* ---- lines of a file ---- */

typedef struct lines {
  int file;
  size_t begin, end; /* of the text that has been read and not returned */
  char text[LINE_BYTES];
} lines;

static bool lines_open(lines *l, const char *root, const char *path, const char *name) {
  char whole[3 * PATH_BYTES];
  int length = snprintf(whole, sizeof whole, "%s%s%s", root, path, name);
  if (length < 0 || (size_t)length >= sizeof whole) return false;
  do {
    l->file = open(whole, O_RDONLY | O_CLOEXEC);
  } while (l->file < 0 && errno == EINTR);
  l->begin = l->end = 0;
  return l->file >= 0;
}

static bool lines_fill(lines *l) {
  if (l->begin > 0) {
    memmove(l->text, l->text + l->begin, l->end - l->begin);
    l->end -= l->begin;
    l->begin = 0;
  }
  for (;;) {
    ssize_t got = read(l->file, l->text + l->end, LINE_BYTES - 1 - l->end);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    l->end += (size_t)got;
    return true;
  }
}

/* Returns the next line without its newline, valid until the next call; NULL after the last
 * line. */
static char *lines_next(lines *l) {
  bool is_rest = false; /* the line began with text that was skipped because it was too long */
  for (;;) {
    char *start = l->text + l->begin;
    char *newline = memchr(start, '\n', l->end - l->begin);
    if (newline != NULL) {
      *newline = '\0';
      l->begin = (size_t)(newline - l->text) + 1;
      if (!is_rest) return start;
      is_rest = false;
    } else if (l->begin == 0 && l->end == LINE_BYTES - 1) {
      l->end = 0;
      is_rest = true;
    } else if (!lines_fill(l)) {
      if (is_rest || l->begin == l->end) return NULL;
      l->text[l->end] = '\0';
      start = l->text + l->begin;
      l->begin = l->end;
      return start;
    }
  }
}

static void lines_close(lines *l) {
  (void)close(l->file);
}

/* ---- mounts ---- */

typedef struct mount {
  char root[PATH_BYTES];  /* the part of the hierarchy that it shows: in a container, often the
                             container's own group */
  char point[PATH_BYTES]; /* where it shows that part */
} mount;

/* Cuts the first word off *rest, in which each word ends with one space. */
static char *cut_word(char **rest) {
  char *word = *rest;
  char *space = strchr(word, ' ');
  *rest = space != NULL ? space + 1 : word + strlen(word);
  if (space != NULL) *space = '\0';
  return word;
}

static bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

/* mountinfo writes space, tab, newline and backslash as three octal digits. */
static bool copy_unescaped(char to[PATH_BYTES], const char *from) {
  size_t length = 0;
  while (*from != '\0') {
    if (length == PATH_BYTES - 1) return false;
    if (from[0] == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3])) {
      to[length++] = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
      from += 4;
    } else {
      to[length++] = *from++;
    }
  }
  to[length] = '\0';
  return true;
}

/* True if the comma-separated list contains the item. */
static bool has_item(const char *list, const char *item) {
  size_t length = strlen(item);
  for (;;) {
    const char *comma = strchr(list, ',');
    size_t size = comma != NULL ? (size_t)(comma - list) : strlen(list);
    if (size == length && memcmp(list, item, length) == 0) return true;
    if (comma == NULL) return false;
    list = comma + 1;
  }
}

/* Fields: id, parent, device, root, mount point, options and others, "-", type, source, options. */
static bool parse_mount(char *line, bool is_v2, mount *found) {
  char *right = strstr(line, " - ");
  if (right == NULL) return false;
  *right = '\0';
  right += 3;
  const char *type = cut_word(&right);
  (void)cut_word(&right);
  if (strcmp(type, is_v2 ? "cgroup2" : "cgroup") != 0) return false;
  if (!is_v2 && !has_item(cut_word(&right), "cpu")) return false;
  for (int i = 0; i < 3; i++) (void)cut_word(&line);
  const char *root = cut_word(&line);
  return copy_unescaped(found->root, root) && copy_unescaped(found->point, cut_word(&line));
}

/* Finds the first mount of that version of control groups; for version 1, that of the cpu
 * controller. */
static bool find_mount(const char *root, bool is_v2, mount *found) {
  lines file;
  if (!lines_open(&file, root, "/proc/self", "/mountinfo")) return false;
  bool is_found = false;
  for (char *line; !is_found && (line = lines_next(&file)) != NULL;) {
    is_found = parse_mount(line, is_v2, found);
  }
  lines_close(&file);
  return is_found;
}

/* ---- quotas ---- */

/* A value of 0 or less means "no quota". */
static void apply_quota(long long quota, long long period, unsigned *cpus) {
  if (quota <= 0 || period <= 0) return;
  long long whole = quota / period > 0 ? quota / period : 1;
  if (whole < (long long)*cpus) *cpus = (unsigned)whole;
}

/* Reads the number at the start of a file and the one after it; false if the file does not start
 * with a number. */
static bool read_numbers(const char *root, const char *folder, const char *name,
                         long long numbers[2]) {
  lines file;
  if (!lines_open(&file, root, folder, name)) return false;
  const char *line = lines_next(&file);
  bool is_number = false;
  if (line != NULL) {
    char *rest;
    numbers[0] = strtoll(line, &rest, 10);
    is_number = rest != line;
    numbers[1] = strtoll(rest, NULL, 10);
  }
  lines_close(&file);
  return is_number;
}

static void apply_group(const char *root, const char *folder, bool is_v2, unsigned *cpus) {
  long long quota[2], period[2];
  if (is_v2) { /* "max 100000" or "150000 100000" */
    if (read_numbers(root, folder, "/cpu.max", quota)) apply_quota(quota[0], quota[1], cpus);
  } else if (read_numbers(root, folder, "/cpu.cfs_quota_us", quota) && /* -1: no quota */
             read_numbers(root, folder, "/cpu.cfs_period_us", period)) {
    apply_quota(quota[0], period[0], cpus);
  }
}

/* Applies the quotas from the group of this process up to the mount point. */
static void apply_groups(const char *root, const char *group, bool is_v2, unsigned *cpus) {
  mount at;
  char folder[2 * PATH_BYTES];
  if (!find_mount(root, is_v2, &at)) return;
  size_t shown = strcmp(at.root, "/") == 0 ? 0 : strlen(at.root);
  /* If the group is outside the part that the mount shows, only the mount point applies. */
  bool is_inside =
      strncmp(group, at.root, shown) == 0 && (group[shown] == '/' || group[shown] == '\0');
  size_t point = strlen(at.point);
  int length = snprintf(folder, sizeof folder, "%s%s", at.point, is_inside ? group + shown : "");
  if (length < 0 || (size_t)length >= sizeof folder) return;
  for (;;) {
    apply_group(root, folder, is_v2, cpus);
    char *slash = strrchr(folder + point, '/');
    if (slash == NULL) return;
    *slash = '\0';
  }
}

unsigned telar_os_linux_cpus_below_quota(const char *root, unsigned cpus) {
  lines file;
  if (!lines_open(&file, root, "/proc/self", "/cgroup")) return cpus;
  /* One line "id:controllers:group" for each hierarchy; version 2 is "0::group". */
  for (char *line; (line = lines_next(&file)) != NULL;) {
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL) continue;
    *controllers++ = *group++ = '\0';
    bool is_v2 = *controllers == '\0';
    if (is_v2 || has_item(controllers, "cpu")) apply_groups(root, group, is_v2, &cpus);
  }
  lines_close(&file);
  return cpus;
}
