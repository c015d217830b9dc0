// Replacements for functions that the bundled libraries call from libraries that are not bundled (Scripts/bundle says why): files
// on the network are not opened, no XML is parsed, no request is signed. Every call returns what the real one returns on failure, so
// that netCDF and HDF5 report their own error for `https://...` and the like.
//
// The script leaves out a library only if every function called from it is defined here.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// libcurl: no handle is ever created, so calls that take one never see a real one.
enum { ok = 0, failed_init = 2 };
int curl_global_init(long flags) { return ok; }
void curl_global_cleanup(void) {}
void *curl_easy_init(void) { return NULL; }
void curl_easy_cleanup(void *handle) {}
int curl_easy_setopt(void *handle, int option, ...) { return failed_init; }
int curl_easy_getinfo(void *handle, int what, ...) { return failed_init; }
int curl_easy_perform(void *handle) { return failed_init; }
const char *curl_easy_strerror(int code) { return "this bundle opens no files on the network"; }
void *curl_slist_append(void *list, const char *text) { return NULL; }
void curl_slist_free_all(void *list) {}

// netCDF reads the list of protocols at start: it is empty. The struct's members up to it have not changed since 2002.
struct version_info {
    int age;
    const char *version;
    unsigned number;
    const char *host;
    int features;
    const char *ssl_version;
    long ssl_number;
    const char *zlib_version;
    const char *const *protocols;
    void *later[16];
};
const void *curl_version_info(int age) {
    static const char *const protocols[] = {NULL};
    static const struct version_info info = {0, "0.0.0", 0, "none", 0, NULL, 0, NULL, protocols, {NULL}};
    return &info;
}

// libxml2: netCDF parses answers of DAP4 servers with it. No document is ever created.
void (*xmlFree)(void *) = free;
void xmlCleanupParser(void) {}
void *xmlReadMemory(const char *text, int size, const char *url, const char *encoding, int options) { return NULL; }
void xmlFreeDoc(void *document) {}
void *xmlDocGetRootElement(const void *document) { return NULL; }
void *xmlGetProp(const void *node, const char *name) { return NULL; }
void *xmlNodeGetContent(const void *node) { return NULL; }
void *xmlNodeListGetString(void *document, const void *list, int is_inline) { return NULL; }

// libcrypto: HDF5 signs S3 requests with it.
const void *EVP_sha256(void) { return NULL; }
unsigned char *HMAC(
    const void *kind, const void *key, int key_size, const unsigned char *data, size_t size, unsigned char *digest,
    unsigned *digest_size) {
    return NULL;
}
unsigned char *SHA256(const unsigned char *data, size_t size, unsigned char *digest) { return NULL; }

// libtiff: PROJ reads grids of datum shifts with it, which none of our projections has.
void *TIFFClientOpen(const char *name, const char *mode, void *data, ...) { return NULL; }
void TIFFClose(void *file) {}
void *TIFFSetTagExtender(void *extender) { return NULL; }
int TIFFMergeFieldInfo(void *file, const void *fields, unsigned count) { return -1; }
int TIFFIsCODECConfigured(unsigned short codec) { return 0; }
int TIFFGetField(void *file, unsigned tag, ...) { return 0; }
int TIFFIsTiled(void *file) { return 0; }
int TIFFReadDirectory(void *file) { return 0; }
int TIFFSetSubDirectory(void *file, unsigned long long offset) { return 0; }
unsigned long long TIFFCurrentDirOffset(void *file) { return 0; }
long long TIFFStripSize64(void *file) { return 0; }
long long TIFFTileSize64(void *file) { return 0; }
long long TIFFReadEncodedStrip(void *file, unsigned strip, void *values, long long size) { return -1; }
long long TIFFReadEncodedTile(void *file, unsigned tile, void *values, long long size) { return -1; }

// libgfortran: the two functions that OpenBLAS's LAPACK calls, which are real here. LAPACK joins the names of its options
// (`side // trans`), padded with blanks as Fortran does.
void _gfortran_concat_string(
    size_t size, char *joined, size_t first_size, const char *first, size_t second_size, const char *second) {
    if (first_size > size) first_size = size;
    if (second_size > size - first_size) second_size = size - first_size;
    memmove(joined, first, first_size);
    memmove(joined + first_size, second, second_size);
    memset(joined + first_size + second_size, ' ', size - first_size - second_size);
}
/// `times` is an array's descriptor, which begins with its address.
float _gfortran_etime(float *const *times) {
    float seconds = (float)clock() / CLOCKS_PER_SEC;
    (*times)[0] = seconds;
    (*times)[1] = 0;
    return seconds;
}
