// Why a shim: HDF5's constants are macros with function calls inside (H5F_ACC_RDONLY, H5P_DEFAULT), which
// Swift cannot import. One function answers the only question that netCDF-C cannot: where a variable's bytes lie.
#include <hdf5.h>


/// Byte offset of a contiguous dataset in its file; -1 where the file or dataset cannot be opened or the
/// dataset is chunked, compact, external or was never written.
static inline int64_t chdf5_contiguous_offset(const char *path, const char *dataset) {
    int64_t offset = -1;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file >= 0) {
        hid_t set = H5Dopen2(file, dataset, H5P_DEFAULT);
        if (set >= 0) {
            hid_t plist = H5Dget_create_plist(set);
            int external = H5Pget_external_count(plist);
            haddr_t address = H5Dget_offset(set);
            if (H5Pget_layout(plist) == H5D_CONTIGUOUS && external == 0 && address != HADDR_UNDEF)
                offset = (int64_t)address;
            H5Pclose(plist);
            H5Dclose(set);
        }
        H5Fclose(file);
    }
    return offset;
}

/// libhdf5 prints every error it meets to stderr, in a thread-safe build once a thread asks otherwise; netCDF-C silences
/// only the thread that uses it first. Errors reach the user as one line of ours.
static inline void chdf5_silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }
