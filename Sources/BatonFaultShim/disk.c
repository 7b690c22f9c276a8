// What a disk would hold after a loss of power, for tests of one process: a copy of each file, into which a block goes
// only when a sync succeeded after its last write. A failed sync leaves the blocks of before as they are and forgets
// that they were written, as kernels do: a later sync that succeeds does not bring them to the disk.
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim.h"

enum { block = 4096, blocks_limit = 65536, files_limit = 8 };

struct kept {
    dev_t device;
    ino_t inode;
    int copy;
    bool is_dirty[blocks_limit];
};

static struct kept files[files_limit];
static int files_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool disk_is_kept(void) {
    static int kept = -1;
    if (kept < 0) kept = getenv("FAULT_SHIM_DISK") != NULL;
    return kept == 1;
}

// The copy of a descriptor's file, made where there is none; NULL where it cannot be kept. Under the lock.
static struct kept *kept(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return NULL;
    for (int index = 0; index < files_count; index++)
        if (files[index].inode == status.st_ino && files[index].device == status.st_dev) return &files[index];
    char link[64], path[PATH_MAX], copy[PATH_MAX * 2];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || files_count == files_limit) return NULL;
    path[length] = 0;
    const char *name = strrchr(path, '/');
    snprintf(copy, sizeof copy, "%s%s", getenv("FAULT_SHIM_DISK"), name ? name : "/file");
    int file = open(copy, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return NULL;
    struct kept *new = &files[files_count++];
    new->device = status.st_dev;
    new->inode = status.st_ino;
    new->copy = file;
    return new;
}

void disk_wrote(int descriptor, int64_t offset, int64_t count) {
    pthread_mutex_lock(&lock);
    struct kept *file = kept(descriptor);
    if (file && offset >= 0)
        for (int64_t index = offset / block; index <= (offset + count - 1) / block && index < blocks_limit; index++)
            file->is_dirty[index] = true;
    pthread_mutex_unlock(&lock);
}

void disk_truncated(int descriptor, int64_t length) {
    pthread_mutex_lock(&lock);
    struct kept *file = kept(descriptor);
    // File systems write sizes to their journals in order, not when they are asked to.
    if (file && ftruncate(file->copy, length) != 0) abort();
    pthread_mutex_unlock(&lock);
}

void disk_synced(int descriptor, bool succeeded) {
    pthread_mutex_lock(&lock);
    struct kept *file = kept(descriptor);
    char bytes[block];
    for (int64_t index = 0; file && index < blocks_limit; index++) {
        if (!file->is_dirty[index]) continue;
        file->is_dirty[index] = false;
        if (!succeeded) continue;
        ssize_t count = pread(descriptor, bytes, block, index * block);
        if (count > 0 && pwrite(file->copy, bytes, count, index * block) != count) abort();
    }
    pthread_mutex_unlock(&lock);
}
