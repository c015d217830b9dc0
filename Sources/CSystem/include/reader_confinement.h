#ifndef CSYSTEM_READER_CONFINEMENT_H
#define CSYSTEM_READER_CONFINEMENT_H

/// Takes from this process what a reader of a file does not need, as far as the kernel can: it reads no other file (Landlock), and
/// writes none, connects to nothing, starts no program or process and sends no signal to another (seccomp).
void reader_confinement_begin(const char *path);

/// The version of the kernel's Landlock; 0 where it has none.
int reader_landlock_version(void);
/// Whether the kernel filters system calls.
int reader_seccomp_exists(void);
#endif
