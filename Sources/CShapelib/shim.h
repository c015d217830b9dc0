// Why a shim: the folder of the library's header differs between systems, and its error hook is a C function pointer that prints to
// stderr by default; errors are reported by this program, in one line.
#include <shapefil.h>

static inline void shim_ignore(const char *message) { (void)message; }

static inline SHPHandle shim_open_shapefile(const char *path) {
    SAHooks hooks;
    SASetupDefaultHooks(&hooks);
    hooks.Error = shim_ignore;
    return SHPOpenLL(path, "rb", &hooks);
}
