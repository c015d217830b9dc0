// Why a shim: the library's header is found by its folder, which differs between systems. And its hooks report by a
// function pointer to stderr; a mistake in a file is told by this program, in one line.
#include <shapefil.h>

static inline void shim_ignore(const char *message) { (void)message; }

static inline SHPHandle shim_open_shapefile(const char *path) {
    SAHooks hooks;
    SASetupDefaultHooks(&hooks);
    hooks.Error = shim_ignore;
    return SHPOpenLL(path, "rb", &hooks);
}
