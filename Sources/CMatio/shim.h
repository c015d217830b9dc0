// libmatio reads MATLAB's files of version 5 (the default of 'save', compressed or not), which are no HDF5.
#include <matio.h>

static inline void cmatio_say_nothing(int level, char *message) {
    (void)level;
    (void)message;
}

/// libmatio prints what it meets to stderr. Errors reach the user as one line of ours.
static inline void cmatio_silence(void) { Mat_LogInitFunc("", cmatio_say_nothing); }
