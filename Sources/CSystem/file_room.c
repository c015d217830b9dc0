// In C because Swift's module of the C library lacks fallocate, an extension of Linux.
#define _GNU_SOURCE
#include "file_room.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int file_room_reserve(const char *path, size_t bytes) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && bytes > limit.rlim_cur) {
        errno = EFBIG;
        return -1;
    }
    int handle = open(path, O_WRONLY | O_CLOEXEC);
    if (handle < 0) return -1;
    int status;
    do
        status = fallocate(handle, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
    while (status != 0 && errno == EINTR);
    if (status != 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) {
        struct statvfs room;
        status = fstatvfs(handle, &room) == 0 && (double)room.f_bavail * room.f_frsize < (double)bytes ? -1 : 0;
        if (status != 0) errno = ENOSPC;
    }
    int code = errno;
    close(handle);
    errno = code;
    return status;
}

void file_room_trim(const char *path) {
    int handle = open(path, O_WRONLY | O_CLOEXEC);
    struct stat info;
    if (handle < 0) return;
    // What remains reserved is only a little more than the file takes: a failure changes nothing.
    if (fstat(handle, &info) == 0 && ftruncate(handle, info.st_size) != 0) errno = 0;
    close(handle);
}
