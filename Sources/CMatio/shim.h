// libmatio reads MATLAB 5 files (the default of 'save', compressed or not), which are not HDF5. Why a shim: its log function is a
// C callback.
#include <matio.h>

static inline void cmatio_ignore(int level, char *message) {
    (void)level;
    (void)message;
}

/// Keeps libmatio from printing to stderr: errors are reported by this program, in one line.
static inline void cmatio_silence(void) { Mat_LogInitFunc("", cmatio_ignore); }
