#ifndef CSYSTEM_FILE_WINDOWS_H
#define CSYSTEM_FILE_WINDOWS_H
#include <stddef.h>

/// Makes a read error in a mapped window of a file an error instead of the end of the process. Reading a page that the file
/// no longer has, or that the disk fails to deliver, raises SIGBUS. For an address inside of a registered window the handler maps zeros
/// from that page to the window's end and notes the address, so the thread, whichever it is, continues; whoever uses what was
/// read must ask file_window_fault afterwards. SIGBUS elsewhere goes to the handler that was installed before.

/// Registers a mapped window. Returns its slot, or -1 where all slots are taken or the handler cannot be installed.
int file_window_register(const void *begin, size_t bytes);

/// The first address in the window that could not be read, or NULL.
const void *file_window_fault(int slot);

/// To be called before the window is unmapped: its addresses may belong to another one at once.
void file_window_unregister(int slot);
#endif
