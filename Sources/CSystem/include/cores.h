#ifndef CSYSTEM_CORES_H
#define CSYSTEM_CORES_H

/// Number of cores that this process may run on, as limited by the machine, a Slurm job or taskset. At least 1.
int available_cores(void);
#endif
