// Why a shim: HDF5's constants are macros with function calls inside (H5F_ACC_RDONLY, H5P_DEFAULT), which
// Swift cannot import. The functions answer what netCDF-C cannot: the byte offset of a variable, and whether the file is
// self-contained.
#include <hdf5.h>
#include <string.h>

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

/// Content that refers to other files, needs more memory than any product, or that netCDF-C reports as damage or follows
/// endlessly.
enum chdf5_hazard {
    chdf5_none, chdf5_external_link, chdf5_external_storage, chdf5_virtual_dataset, chdf5_huge_chunk, chdf5_dead_link,
    chdf5_group_in_itself, chdf5_deep_groups
};

/// Maximum nesting of groups; products have three levels.
#define CHDF5_MAX_LEVELS 64

/// Maximum size of a chunk, uncompressed [bytes]; those of products have a few megabytes.
#define CHDF5_MAX_CHUNK_BYTES ((hsize_t)1 << 29)

struct chdf5_finding {
    enum chdf5_hazard hazard;
    char name[256];
};

static inline enum chdf5_hazard chdf5_hazard_of_dataset(hid_t place, const char *name) {
    enum chdf5_hazard hazard = chdf5_none;
    hid_t set = H5Dopen2(place, name, H5P_DEFAULT);
    if (set < 0) return hazard;
    hid_t plist = H5Dget_create_plist(set);
    H5D_layout_t layout = H5Pget_layout(plist);
    if (H5Pget_external_count(plist) > 0) hazard = chdf5_external_storage;
    else if (layout == H5D_VIRTUAL) hazard = chdf5_virtual_dataset;
    else if (layout == H5D_CHUNKED) {
        hsize_t sides[H5S_MAX_RANK];
        int rank = H5Pget_chunk(plist, H5S_MAX_RANK, sides);
        hid_t type = H5Dget_type(set);
        double bytes = (double)H5Tget_size(type);
        for (int i = 0; i < rank; i++) bytes *= (double)sides[i];
        H5Tclose(type);
        if (bytes > (double)CHDF5_MAX_CHUNK_BYTES) hazard = chdf5_huge_chunk;
    }
    H5Pclose(plist);
    H5Dclose(set);
    return hazard;
}

/// Whether the group with that name contains itself.
static inline int chdf5_is_in_itself(hid_t root, const char *name, haddr_t address) {
    char outer[1024] = ".";
    H5O_info_t object;
    const char *end = name;
    if (strlen(name) >= sizeof outer) return 0;
    do {
        if (H5Oget_info_by_name(root, outer, &object, H5P_DEFAULT) >= 0 && object.addr == address) return 1;
        end = strchr(end, '/');
        if (!end) return 0;
        memcpy(outer, name, (size_t)(end - name));
        outer[end++ - name] = 0;
    } while (1);
}

static inline herr_t chdf5_visit(hid_t group, const char *name, const H5L_info_t *link, void *data) {
    struct chdf5_finding *finding = (struct chdf5_finding *)data;
    int levels = 0;
    for (const char *place = name; *place; place++) levels += *place == '/';
    H5O_info_t object;
    if (link->type == H5L_TYPE_EXTERNAL) finding->hazard = chdf5_external_link;
    else if (levels > CHDF5_MAX_LEVELS) finding->hazard = chdf5_deep_groups;
    else if (H5Oget_info_by_name(group, name, &object, H5P_DEFAULT) < 0) {
        if (link->type == H5L_TYPE_SOFT) finding->hazard = chdf5_dead_link;
    } else if (object.type == H5O_TYPE_GROUP) {
        if (chdf5_is_in_itself(group, name, object.addr)) finding->hazard = chdf5_group_in_itself;
    } else if (object.type == H5O_TYPE_DATASET && link->type == H5L_TYPE_HARD)
        finding->hazard = chdf5_hazard_of_dataset(group, name);
    if (finding->hazard == chdf5_none) return 0;
    strncpy(finding->name, name, sizeof finding->name - 1);
    return 1;
}

/// Checks every link and dataset of an HDF5 file; chdf5_none for a file of another format.
static inline struct chdf5_finding chdf5_hazards(const char *path) {
    struct chdf5_finding finding = {chdf5_none, ""};
    hid_t file = H5Fis_hdf5(path) > 0 ? H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT) : -1;
    if (file < 0) return finding;
    H5Lvisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, chdf5_visit, &finding);
    H5Fclose(file);
    return finding;
}

/// Keeps libhdf5 from printing errors to stderr: they are reported by this program, in one line. In a thread-safe build this is a
/// setting of each thread, and netCDF-C makes it only in the thread that uses it first.
static inline void chdf5_silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }
