/* What a machine does to a process, told to it by LD_PRELOAD: a clock that jumps, a disk that is slow or fails.
 *
 * CHAOS_MACHINE names a file of three doubles, which every process maps: seconds that the wall clock is off (monotonic clocks are
 * not), seconds that an fsync takes longer, and the chance that one fails with EIO. wandb-core is Go and asks the kernel itself: its
 * clock and its files are as they are.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile double *machine;

__attribute__((constructor)) static void look(void) {
    const char *path = getenv("CHAOS_MACHINE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *found = file < 0 ? MAP_FAILED : mmap(0, 3 * sizeof(double), PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    if (found != MAP_FAILED) machine = found;
}

static void shift(struct timespec *now) {
    double off = machine ? machine[0] : 0;
    long long nanoseconds = now->tv_sec * 1000000000LL + now->tv_nsec + (long long)(off * 1e9);
    now->tv_sec = nanoseconds / 1000000000LL;
    now->tv_nsec = nanoseconds % 1000000000LL;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, now);
    if (!code && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) shift(now);
    return code;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

static int disk(int (*real)(int), int file) {
    if (machine && machine[1] > 0) usleep((useconds_t)(machine[1] * 1e6));
    if (machine && machine[2] > 0 && drand48() < machine[2]) {
        errno = EIO;
        return -1;
    }
    return real(file);
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    return disk(real, file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    return disk(real, file);
}
