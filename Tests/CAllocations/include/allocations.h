#ifndef BATON_ALLOCATIONS_H
#define BATON_ALLOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

/// Allocations of this thread since it began, but for those while they were not counted.
uint64_t baton_allocations(void);

/// Whether allocations of this thread are counted from now on. Returns whether they were.
bool baton_count_allocations(bool counts);

#endif
