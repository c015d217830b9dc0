#ifndef CKERNELS_CORES_H
#define CKERNELS_CORES_H
/// Cores that this process may run on: what the machine, a Slurm job or taskset leaves it. At least 1.
int available_cores(void);

/// Takes an exclusive open-file-description lock without waiting. 0, or -1 with errno EAGAIN where another holds it.
int open_file_lock(int handle);
#endif
