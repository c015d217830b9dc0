// HDF5 locks each file that it opens. Nothing here needs that (files appear when they are whole, PendingFile and RunDirectory have
// locks of their own), and it fails where a file system has no locks, as NFS without its daemon, and for as long as a process
// that is about to start another command shares the descriptor of a file that is being written. In C because it has to be said
// before HDF5 is first called, while no other thread can read the environment. A user's own setting counts.
#include <stdlib.h>

__attribute__((constructor)) static void leave_files_unlocked(void) { setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0); }
