/* Notes what processes do to the files below POWER_ROOT, in the order they do it, in the file POWER_JOURNAL: preloaded
 * (LD_PRELOAD), it stands between them and the system. recorded_disk.py makes of that what a power cut would have left.
 *
 * A record is 40 bytes and what follows them: kind, inode, two numbers, the bytes of a first and of a second text.
 *   C inode, path   a file was made          W inode, offset, content   written
 *   D inode, path   a folder was made        T inode, size              cut or stretched
 *   M path, path    moved                    S inode, begun             synced: all that was noted before `begun`
 *   U path          unlinked or removed      L path, path               linked
 * A record is one write to a file that all append to, so those of several processes are whole and in order. What changes
 * something is noted once it has happened; a sync says where the journal ended when it began.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 65536
static int journal = -1;
static char root[PATH_MAX];
static size_t root_length;
static volatile char watched[FILES];
/* one change and its record at a time: else the order of two of them might be another one in the journal */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *place = getenv("POWER_JOURNAL"), *below = getenv("POWER_ROOT");
    if (!place || !below) return;
    int fd = syscall(SYS_openat, AT_FDCWD, place, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    journal = fcntl(fd, F_DUPFD_CLOEXEC, 900);
    close(fd);
    snprintf(root, sizeof root, "%s", below);
    root_length = strlen(root);
}

static void note(char kind, uint64_t inode, uint64_t a, uint64_t b, const void *first, size_t n, const void *second, size_t m) {
    uint64_t head[5] = {(uint64_t)kind, inode, a, b, ((uint64_t)n << 32) | m};
    struct iovec parts[3] = {{head, sizeof head}, {(void *)first, n}, {(void *)second, m}};
    int kept = errno;
    if (syscall(SYS_writev, journal, parts, 3) != (long)(sizeof head + n + m)) abort();
    errno = kept;
}

static uint64_t noted(void) {
    struct stat found;
    return fstat(journal, &found) ? 0 : found.st_size;
}

static uint64_t inode_of(int fd) {
    struct stat found;
    return fstat(fd, &found) ? 0 : found.st_ino;
}

/* The whole path, if it lies below the root; `..` and links in it are not looked for. */
static const char *whole(int folder, const char *path, char *into) {
    if (journal < 0 || !path) return 0;
    if (path[0] == '/') snprintf(into, PATH_MAX, "%s", path);
    else {
        char link[64], base[PATH_MAX];
        if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t n = readlink(link, base, sizeof base - 1);
        if (n < 0) return 0;
        base[n] = 0;
        if (snprintf(into, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return 0;
    }
    return strncmp(into, root, root_length) || (into[root_length] && into[root_length] != '/') ? 0 : into;
}

static int is_watched(int fd) { return journal >= 0 && fd >= 0 && fd < FILES && watched[fd]; }

static int opened(int folder, const char *path, int flags, mode_t mode) {
    char buffer[PATH_MAX];
    const char *place = whole(folder, path, buffer);
    if (!place) return syscall(SYS_openat, folder, path, flags, mode);
    pthread_mutex_lock(&order);
    struct stat before;
    int was = !stat(place, &before), fd = syscall(SYS_openat, folder, path, flags, mode), kept = errno;
    if (fd >= 0 && fd < FILES) {
        watched[fd] = 1;
        if (!was && flags & O_CREAT) note('C', inode_of(fd), 0, 0, place, strlen(place), 0, 0);
        else if (flags & O_TRUNC && before.st_size) note('T', inode_of(fd), 0, 0, 0, 0, 0, 0);
    }
    pthread_mutex_unlock(&order);
    errno = kept;
    return fd;
}

#define OPEN(name)                                        \
    int name(const char *path, int flags, ...) {          \
        va_list rest;                                     \
        va_start(rest, flags);                            \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                     \
        return opened(AT_FDCWD, path, flags, mode);       \
    }
#define OPENAT(name)                                      \
    int name(int folder, const char *path, int flags, ...) { \
        va_list rest;                                     \
        va_start(rest, flags);                            \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                     \
        return opened(folder, path, flags, mode);         \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }

int close(int fd) {
    if (fd == journal && journal >= 0) return 0; /* who closes all it finds must not end the record */
    if (fd >= 0 && fd < FILES) watched[fd] = 0;
    return syscall(SYS_close, fd);
}

ssize_t pwrite(int fd, const void *content, size_t size, off_t offset) {
    if (!is_watched(fd)) return syscall(SYS_pwrite64, fd, content, size, offset);
    pthread_mutex_lock(&order);
    ssize_t done = syscall(SYS_pwrite64, fd, content, size, offset);
    if (done > 0) note('W', inode_of(fd), offset, 0, content, done, 0, 0);
    pthread_mutex_unlock(&order);
    return done;
}
ssize_t pwrite64(int fd, const void *content, size_t size, off_t offset) { return pwrite(fd, content, size, offset); }

ssize_t write(int fd, const void *content, size_t size) {
    if (!is_watched(fd)) return syscall(SYS_write, fd, content, size);
    pthread_mutex_lock(&order);
    ssize_t done = syscall(SYS_write, fd, content, size);
    /* where it was written: with O_APPEND, too, the place behind it is where the file now stands */
    if (done > 0) note('W', inode_of(fd), lseek(fd, 0, SEEK_CUR) - done, 0, content, done, 0, 0);
    pthread_mutex_unlock(&order);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (!is_watched(fd)) return syscall(SYS_writev, fd, parts, count);
    ssize_t total = 0;
    for (int i = 0; i < count; i++) {
        ssize_t done = write(fd, parts[i].iov_base, parts[i].iov_len);
        if (done < 0) return total ? total : done;
        total += done;
        if ((size_t)done < parts[i].iov_len) break;
    }
    return total;
}

/* What copies inside the kernel is refused: Python then copies by reading and writing. */
ssize_t sendfile(int out, int in, off_t *offset, size_t size) {
    if (is_watched(out)) return errno = ENOTSOCK, -1;
    return syscall(SYS_sendfile, out, in, offset, size);
}
ssize_t sendfile64(int out, int in, off64_t *offset, size_t size) { return sendfile(out, in, (off_t *)offset, size); }
ssize_t copy_file_range(int in, off64_t *a, int out, off64_t *b, size_t size, unsigned flags) {
    if (is_watched(out)) return errno = EXDEV, -1;
    return syscall(SYS_copy_file_range, in, a, out, b, size, flags);
}

int ftruncate(int fd, off_t size) {
    if (!is_watched(fd)) return syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&order);
    int done = syscall(SYS_ftruncate, fd, size);
    if (!done) note('T', inode_of(fd), size, 0, 0, 0, 0, 0);
    pthread_mutex_unlock(&order);
    return done;
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

static int synced(int fd, long number) {
    if (!is_watched(fd)) return syscall(number, fd);
    uint64_t begun = noted();
    int done = syscall(number, fd);
    if (!done) note('S', inode_of(fd), begun, 0, 0, 0, 0, 0);
    return done;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int changed(char kind, long done, const char *first, const char *second) {
    if (!done) note(kind, 0, 0, 0, first, strlen(first), second, second ? strlen(second) : 0);
    pthread_mutex_unlock(&order);
    return done;
}

static int moved(int a, const char *from, int b, const char *to, unsigned flags) {
    char first[PATH_MAX], second[PATH_MAX];
    const char *source = whole(a, from, first), *target = whole(b, to, second);
    if (!source && !target) return syscall(SYS_renameat2, a, from, b, to, flags);
    if (!source || !target || flags & ~1u) return errno = EXDEV, -1;
    pthread_mutex_lock(&order);
    return changed('M', syscall(SYS_renameat2, a, from, b, to, flags), source, target);
}
int rename(const char *from, const char *to) { return moved(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return moved(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return moved(a, from, b, to, flags); }

int linkat(int a, const char *from, int b, const char *to, int flags) {
    char first[PATH_MAX], second[PATH_MAX];
    const char *source = whole(a, from, first), *target = whole(b, to, second);
    if (!source || !target) return syscall(SYS_linkat, a, from, b, to, flags);
    pthread_mutex_lock(&order);
    return changed('L', syscall(SYS_linkat, a, from, b, to, flags), source, target);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int folder, const char *path, int flags) {
    char buffer[PATH_MAX];
    const char *place = whole(folder, path, buffer);
    if (!place) return syscall(SYS_unlinkat, folder, path, flags);
    pthread_mutex_lock(&order);
    return changed('U', syscall(SYS_unlinkat, folder, path, flags), place, 0);
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int folder, const char *path, mode_t mode) {
    char buffer[PATH_MAX];
    const char *place = whole(folder, path, buffer);
    if (!place) return syscall(SYS_mkdirat, folder, path, mode);
    pthread_mutex_lock(&order);
    int done = syscall(SYS_mkdirat, folder, path, mode), kept = errno;
    struct stat found;
    if (!done && !stat(place, &found)) note('D', found.st_ino, 0, 0, place, strlen(place), 0, 0);
    pthread_mutex_unlock(&order);
    errno = kept;
    return done;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
