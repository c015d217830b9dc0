#ifndef CSYSTEM_PARENT_H
#define CSYSTEM_PARENT_H

/// From here on this process is killed when the thread that started it ends, whatever ends that.
void die_with_parent(void);
#endif
