#ifndef CSYSTEM_PROGRAM_ARGUMENTS_H
#define CSYSTEM_PROGRAM_ARGUMENTS_H

/// What the program was started with, its name first; ends with NULL.
char *const *program_arguments(void);
#endif
