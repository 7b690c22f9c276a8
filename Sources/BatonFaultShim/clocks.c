// Civil time that is wrong.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <semaphore.h>
#include <sys/time.h>
#include <time.h>

#include "shim.h"

static const int64_t second = 1000000000;

static int64_t offset(void) { return faults ? faults->clock_offset : 0; }

static void shift(struct timespec *time, int64_t by) {
    int64_t nanoseconds = time->tv_nsec + by % second;
    time->tv_sec += by / second;
    if (nanoseconds < 0) {
        nanoseconds += second;
        time->tv_sec -= 1;
    } else if (nanoseconds >= second) {
        nanoseconds -= second;
        time->tv_sec += 1;
    }
    time->tv_nsec = nanoseconds;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = REAL(clock_gettime)(clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI))
        shift(time, offset());
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    int result = REAL(gettimeofday)(time, zone);
    if (result == 0 && offset() != 0) {
        struct timespec shifted = {time->tv_sec, time->tv_usec * 1000};
        shift(&shifted, offset());
        time->tv_sec = shifted.tv_sec;
        time->tv_usec = shifted.tv_nsec / 1000;
    }
    return result;
}

time_t time(time_t *result) {
    time_t now = REAL(time)(NULL);
    if (offset() != 0) {
        struct timespec shifted = {now, 0};
        shift(&shifted, offset());
        now = shifted.tv_sec;
    }
    if (result) *result = now;
    return now;
}

// Waits until a moment of civil time, of which the kernel has its own opinion: a program that computes the moment
// from a wrong clock must not wait by so much longer.
int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    struct timespec real = *until;
    shift(&real, -offset());
    return REAL(sem_timedwait)(semaphore, &real);
}
