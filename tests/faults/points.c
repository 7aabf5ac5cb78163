// Copyright 2026 The yt8m Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Counts the system calls that change files below $FAULT_ROOT, in all processes of a
// command together, and makes something happen at the call number $FAULT_AT. Loaded by
// LD_PRELOAD, it sees the calls of Python and of TensorFlow alike.
//
//   FAULT_COUNTER  file of 8 bytes, shared by the processes
//   FAULT_LOG      file that gets one line for each call; optional
//   FAULT_AT       number of the call, from 1; 0 only counts
//   FAULT_SIGNAL   signal for $FAULT_PID; SIGKILL also ends the process of the call
//   FAULT_ERRNO    error of this call and of all later ones, instead of the signal; a full
//                  disk (ENOSPC) does not keep files from being removed
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static long number_of(const char* name) {
  const char* text = getenv(name);
  return text ? atol(text) : 0;
}

static int real_open(const char* path, int flags, mode_t mode) {
  static int (*next)(const char*, int, ...);
  if (!next) next = (int (*)(const char*, int, ...))dlsym(RTLD_NEXT, "open");
  return next(path, flags, mode);
}

static long count(void) {
  static long* counter;
  static char mapped[PATH_MAX];  // A fork of the test server has another counter.
  const char* path = getenv("FAULT_COUNTER");
  if (!path) return 0;
  if (strcmp(path, mapped)) {
    int fd = real_open(path, O_RDWR, 0);
    if (fd < 0) return 0;
    counter = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (counter == MAP_FAILED) return 0;
    snprintf(mapped, sizeof mapped, "%s", path);
  }
  return __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

// Returns an error that the call must end with, or 0. `path` may be relative to `dir`.
static int point(const char* call, int dir, const char* path) {
  const char* root = getenv("FAULT_ROOT");
  char full[2 * PATH_MAX], link[64];
  int saved = errno;
  if (!root) return 0;
  if (path && path[0] == '/') {
    snprintf(full, sizeof full, "%s", path);
  } else {
    ssize_t length = 0;
    if (dir == AT_FDCWD) {
      if (!getcwd(full, PATH_MAX)) return 0;
      length = strlen(full);
    } else {
      snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
      length = readlink(link, full, PATH_MAX);
      if (length < 0) length = 0;
    }
    full[length] = 0;
    if (path) snprintf(full + length, PATH_MAX, "/%s", path);
  }
  errno = saved;
  if (strncmp(full, root, strlen(root))) return 0;
  long this = count(), at = number_of("FAULT_AT");
  const char* log = getenv("FAULT_LOG");
  if (log) {
    char line[3 * PATH_MAX];
    int fd = real_open(log, O_WRONLY | O_APPEND | O_CREAT, 0666);
    int size = snprintf(line, sizeof line, "%ld %s %s\n", this, call, full);
    if (fd >= 0 && write(fd, line, size)) close(fd);
  }
  errno = saved;
  int error = number_of("FAULT_ERRNO");
  int frees = !strcmp(call, "unlink") || !strcmp(call, "rmdir") || !strcmp(call, "remove");
  if (at && error && this >= at) return error == ENOSPC && frees ? 0 : error;
  if (at && !error && this == at) {
    int signal_number = number_of("FAULT_SIGNAL");
    kill(number_of("FAULT_PID"), signal_number);
    if (signal_number == SIGKILL) kill(getpid(), SIGKILL);
  }
  return 0;
}

#define NEXT(type, name, ...)                                  \
  static type (*next)(__VA_ARGS__);                            \
  if (!next) next = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name);
#define FAIL(call, dir, path)                  \
  do {                                         \
    int error = point(call, dir, path);        \
    if (error) return errno = error, -1;       \
  } while (0)

#define WITH_PATH(name)                        \
  int name(const char* path) {                 \
    NEXT(int, #name, const char*);             \
    FAIL(#name, AT_FDCWD, path);               \
    return next(path);                         \
  }
WITH_PATH(unlink)
WITH_PATH(rmdir)
WITH_PATH(remove)

int rename(const char* from, const char* to) {
  NEXT(int, "rename", const char*, const char*);
  FAIL("rename", AT_FDCWD, to);
  return next(from, to);
}
int renameat(int dir, const char* from, int to_dir, const char* to) {
  NEXT(int, "renameat", int, const char*, int, const char*);
  FAIL("rename", to_dir, to);
  return next(dir, from, to_dir, to);
}
int renameat2(int dir, const char* from, int to_dir, const char* to, unsigned flags) {
  NEXT(int, "renameat2", int, const char*, int, const char*, unsigned);
  FAIL("rename", to_dir, to);
  return next(dir, from, to_dir, to, flags);
}
int unlinkat(int dir, const char* path, int flags) {
  NEXT(int, "unlinkat", int, const char*, int);
  FAIL("unlink", dir, path);
  return next(dir, path, flags);
}
int mkdir(const char* path, mode_t mode) {
  NEXT(int, "mkdir", const char*, mode_t);
  FAIL("mkdir", AT_FDCWD, path);
  return next(path, mode);
}
int mkdirat(int dir, const char* path, mode_t mode) {
  NEXT(int, "mkdirat", int, const char*, mode_t);
  FAIL("mkdir", dir, path);
  return next(dir, path, mode);
}
int fsync(int fd) {
  NEXT(int, "fsync", int);
  FAIL("fsync", fd, NULL);
  return next(fd);
}

static int writes(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
}
#define OPEN(name)                                          \
  int name(const char* path, int flags, ...) {              \
    NEXT(int, #name, const char*, int, ...);                \
    va_list rest;                                           \
    va_start(rest, flags);                                  \
    mode_t mode = va_arg(rest, mode_t);                     \
    va_end(rest);                                           \
    if (writes(flags)) FAIL("open", AT_FDCWD, path);        \
    return next(path, flags, mode);                         \
  }
OPEN(open)
OPEN(open64)
#define OPENAT(name)                                        \
  int name(int dir, const char* path, int flags, ...) {     \
    NEXT(int, #name, int, const char*, int, ...);           \
    va_list rest;                                           \
    va_start(rest, flags);                                  \
    mode_t mode = va_arg(rest, mode_t);                     \
    va_end(rest);                                           \
    if (writes(flags)) FAIL("open", dir, path);             \
    return next(dir, path, flags, mode);                    \
  }
OPENAT(openat)
OPENAT(openat64)
#define FOPEN(name)                                         \
  FILE* name(const char* path, const char* mode) {          \
    NEXT(FILE*, #name, const char*, const char*);           \
    if (!strchr(mode, 'r')) {                               \
      int error = point("open", AT_FDCWD, path);            \
      if (error) return errno = error, NULL;                \
    }                                                       \
    return next(path, mode);                                \
  }
FOPEN(fopen)
FOPEN(fopen64)
