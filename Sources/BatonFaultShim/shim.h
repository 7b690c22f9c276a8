#ifndef SHIM_H
#define SHIM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "include/BatonFaultShim.h"

// The real function of a name, found once.
#define REAL(name)                                                                                                     \
    ({                                                                                                                 \
        static __typeof__(&name) real;                                                                                 \
        if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                                                  \
        real;                                                                                                          \
    })

// The mapped file; NULL where there is none.
extern volatile struct baton_faults *faults;

// Whether a descriptor is one of a file that faults are for.
bool is_faulty(int descriptor);

// Tells disk.c, where a disk is kept, what happened to a file that faults are for.
bool disk_is_kept(void);
void disk_wrote(int descriptor, int64_t offset, int64_t count);
void disk_truncated(int descriptor, int64_t length);
void disk_synced(int descriptor, bool succeeded);

#endif
