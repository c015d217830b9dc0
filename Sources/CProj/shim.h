// Why a shim: the module map needs one header.
#include <proj.h>
