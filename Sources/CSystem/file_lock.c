// In C because fcntl is variadic.
#define _GNU_SOURCE
#include "file_lock.h"
#include <fcntl.h>
#include <unistd.h>

int open_file_lock(int handle) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
#if defined(F_OFD_SETLK)
    return fcntl(handle, F_OFD_SETLK, &whole);
#else
    return fcntl(handle, F_SETLK, &whole);
#endif
}
