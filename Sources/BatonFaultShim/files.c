// Writes and syncs that fail, and syncs that take long.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "shim.h"

// The error that a write to this file is to fail with; 0: none.
static int write_error(int descriptor) {
    if (!faults || faults->write_error == 0 || !is_faulty(descriptor)) return 0;
    __atomic_add_fetch(&faults->failed_writes, 1, __ATOMIC_RELAXED);
    return (int)faults->write_error;
}

#define FAIL_WRITES(descriptor)                                                                                        \
    do {                                                                                                               \
        int error = write_error(descriptor);                                                                           \
        if (error) {                                                                                                   \
            errno = error;                                                                                             \
            return -1;                                                                                                 \
        }                                                                                                              \
    } while (0)

static bool is_kept(int descriptor) { return disk_is_kept() && is_faulty(descriptor); }

static ssize_t wrote(int descriptor, int64_t offset, ssize_t count) {
    if (count > 0 && is_kept(descriptor)) disk_wrote(descriptor, offset, count);
    return count;
}

// Of a write without an offset: where the file stood before.
static ssize_t wrote_here(int descriptor, ssize_t count) {
    if (count > 0 && is_kept(descriptor)) disk_wrote(descriptor, lseek(descriptor, 0, SEEK_CUR) - count, count);
    return count;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    FAIL_WRITES(descriptor);
    return wrote_here(descriptor, REAL(write)(descriptor, bytes, count));
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    FAIL_WRITES(descriptor);
    return wrote_here(descriptor, REAL(writev)(descriptor, parts, count));
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    FAIL_WRITES(descriptor);
    return wrote(descriptor, offset, REAL(pwrite)(descriptor, bytes, count, offset));
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    FAIL_WRITES(descriptor);
    return wrote(descriptor, offset, REAL(pwrite64)(descriptor, bytes, count, offset));
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
    FAIL_WRITES(descriptor);
    return wrote(descriptor, offset, REAL(pwritev)(descriptor, parts, count, offset));
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t offset) {
    FAIL_WRITES(descriptor);
    return wrote(descriptor, offset, REAL(pwritev64)(descriptor, parts, count, offset));
}

static int truncated(int descriptor, int64_t length, int result) {
    if (result == 0 && is_kept(descriptor)) disk_truncated(descriptor, length);
    return result;
}

int ftruncate(int descriptor, off_t length) {
    FAIL_WRITES(descriptor);
    return truncated(descriptor, length, REAL(ftruncate)(descriptor, length));
}

int ftruncate64(int descriptor, off64_t length) {
    FAIL_WRITES(descriptor);
    return truncated(descriptor, length, REAL(ftruncate64)(descriptor, length));
}

int fallocate(int descriptor, int mode, off_t offset, off_t length) {
    FAIL_WRITES(descriptor);
    return REAL(fallocate)(descriptor, mode, offset, length);
}

int fallocate64(int descriptor, int mode, off64_t offset, off64_t length) {
    FAIL_WRITES(descriptor);
    return REAL(fallocate64)(descriptor, mode, offset, length);
}

// These two return their error.
int posix_fallocate(int descriptor, off_t offset, off_t length) {
    int error = write_error(descriptor);
    return error ? error : REAL(posix_fallocate)(descriptor, offset, length);
}

int posix_fallocate64(int descriptor, off64_t offset, off64_t length) {
    int error = write_error(descriptor);
    return error ? error : REAL(posix_fallocate64)(descriptor, offset, length);
}

// Waits, and tells the error that this sync is to fail with; 0: none.
static int sync_error(int descriptor) {
    if (!faults || (faults->sync_delay == 0 && faults->sync_error == 0) || !is_faulty(descriptor)) return 0;
    int64_t delay = faults->sync_delay;
    if (delay > 0) {
        struct timespec wait = {delay / 1000000, delay % 1000000 * 1000};
        while (nanosleep(&wait, &wait) != 0 && errno == EINTR) {}
        __atomic_add_fetch(&faults->delayed_syncs, 1, __ATOMIC_RELAXED);
    }
    if (faults->sync_error == 0) return 0;
    int64_t left = faults->failing_syncs;
    if (left == 0) return 0;
    if (left > 0) __atomic_sub_fetch(&faults->failing_syncs, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&faults->failed_syncs, 1, __ATOMIC_RELAXED);
    return (int)faults->sync_error;
}

// A sync that fails does not sync: the real one is not called, so that nothing is durable by accident.
#define SYNC(name, descriptor)                                                                                         \
    int error = sync_error(descriptor);                                                                                \
    int result = error ? -1 : REAL(name)(descriptor);                                                                  \
    if (!error) error = errno;                                                                                         \
    if (is_kept(descriptor)) disk_synced(descriptor, result == 0);                                                     \
    errno = error;                                                                                                     \
    return result

int fsync(int descriptor) { SYNC(fsync, descriptor); }

int fdatasync(int descriptor) { SYNC(fdatasync, descriptor); }
