#ifndef BATON_FAULT_SHIM_H
#define BATON_FAULT_SHIM_H

#include <stdint.h>

// The faults of a host, for one program that is started with this library in LD_PRELOAD:
//
//   FAULT_SHIM_CONTROL  a file of this layout; it is mapped, so that what another process writes into it holds from
//                       the next call on. Without it nothing is changed.
//   FAULT_SHIM_FILES    the files that writes and syncs fail for: those whose path begins so.
//   FAULT_SHIM_DISK     a directory, for tests: what of these files would survive a loss of power (disk.c).
//
// Clocks are those of civil time; monotonic ones are never touched, as a wrong clock does not make time stand still.
// BatonChaos's HostFaults writes the file and has the same layout.
struct baton_faults {
    int64_t write_error;  // an errno that writes fail with; 0: none
    int64_t sync_error;   // an errno that syncs fail with; 0: none
    int64_t failing_syncs; // how many syncs still fail; -1: all
    int64_t sync_delay;   // microseconds that a sync takes longer
    int64_t clock_offset; // nanoseconds that civil time is wrong by
    // What has happened, counted here.
    int64_t failed_writes;
    int64_t failed_syncs;
    int64_t delayed_syncs;
};

#endif
