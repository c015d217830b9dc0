// Why a shim: the module map needs one header; netcdf_mem.h and friends are not wanted.
#include <netcdf.h>
