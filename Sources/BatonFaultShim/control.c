#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim.h"

volatile struct baton_faults *faults;

static char prefix[PATH_MAX];
static size_t prefix_length;

// Before main, while there is one thread.
__attribute__((constructor)) static void map_faults(void) {
    const char *path = getenv("FAULT_SHIM_CONTROL");
    if (!path) return;
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof(struct baton_faults), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped == MAP_FAILED) return;
    const char *files = getenv("FAULT_SHIM_FILES");
    if (files && strlen(files) < sizeof prefix) {
        prefix_length = strlen(files);
        memcpy(prefix, files, prefix_length + 1);
    }
    faults = mapped;
}

bool is_faulty(int descriptor) {
    if (prefix_length == 0) return false;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path);
    return length >= (ssize_t)prefix_length && memcmp(path, prefix, prefix_length) == 0;
}
