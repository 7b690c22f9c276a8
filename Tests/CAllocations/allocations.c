// Counts what the tests allocate. The program's own malloc comes before that of the C library, which does the work.
// Source: https://www.gnu.org/software/libc/manual/html_node/Replacing-malloc.html

#include "allocations.h"
#include <errno.h>
#include <stddef.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static _Thread_local uint64_t allocations;
static _Thread_local bool is_paused;

static inline void count(void) { allocations += !is_paused; }

uint64_t baton_allocations(void) { return allocations; }

bool baton_count_allocations(bool counts) {
    bool before = !is_paused;
    is_paused = !counts;
    return before;
}

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
    void *found = memalign(alignment, size);
    if (found == NULL) return ENOMEM;
    *result = found;
    return 0;
}

void free(void *old) { __libc_free(old); }
