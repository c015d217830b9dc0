#ifndef CSYSTEM_FILE_ROOM_H
#define CSYSTEM_FILE_ROOM_H
#include <stddef.h>

/// Reserves room on the disk for a file, which keeps its length. 0, or -1 with errno where there is none (ENOSPC, EDQUOT), or
/// where the file would be longer than allowed (EFBIG). Where the file system reserves none, what is free now counts.
int file_room_reserve(const char *path, size_t bytes);

/// Gives back the room behind the end of the file.
void file_room_trim(const char *path);
#endif
