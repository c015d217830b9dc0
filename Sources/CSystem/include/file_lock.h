#ifndef CSYSTEM_FILE_LOCK_H
#define CSYSTEM_FILE_LOCK_H

/// Takes an exclusive open-file-description lock without waiting. 0, or -1 with errno EAGAIN where another holds it.
int open_file_lock(int handle);
#endif
